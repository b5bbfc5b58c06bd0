#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "core/api/errors.h"
#include "core/text/tokenizer.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using nlohmann::json;

json sound() {
    return {{"added_tokens", {{{"id", 4}, {"content", "<s>"}, {"special", true}}}},
            {"normalizer", nullptr},
            {"pre_tokenizer", nullptr},
            {"post_processor", nullptr},
            {"decoder", {{"type", "Fuse"}}},
            {"model",
             {{"type", "BPE"},
              {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"abb", 3}}},
              {"merges", {"a b", "ab b"}}}}};
}

using Files = std::map<std::string, std::string>;

std::shared_ptr<const Tokenizer> read(const Files& files) {
    const testing::TempFolder folder;
    for (const auto& [name, text] : files) std::ofstream(folder / name) << text;
    return Tokenizer::from_json(folder.path());  // must not need the files afterwards
}

std::shared_ptr<const Tokenizer> read(const json& tokenizer, const Files& beside = {}) {
    Files files = beside;
    files["tokenizer.json"] = tokenizer.dump();
    return read(files);
}

void expect_error(const Files& files, const std::string& expected) {
    try {
        read(files);
        ADD_FAILURE() << "accepted, not: " << expected;
    } catch (const Error& error) {
        const std::string what = error.what();
        EXPECT_EQ(what.rfind("open model: ", 0), 0u) << what;
        EXPECT_NE(what.find(expected), std::string::npos) << what << "\n  has not: " << expected;
    }
}

TEST(TokenizerJson, ReadsTheSoundFile) {
    const auto tokenizer = read(sound());
    EXPECT_EQ(tokenizer->vocab_size(), 5);
    EXPECT_EQ(tokenizer->encode("abb<s>ba", SpecialTokens::parse), (std::vector<int>{3, 4, 1, 0}));
    EXPECT_EQ(tokenizer->decode({3, 4, 0}), "abb<s>a");
    EXPECT_EQ(tokenizer->bos(), -1);
}

TEST(TokenizerJson, RefusesDamage) {
    struct Damage {
        std::string place;  // a JSON pointer
        json value;
        std::string expected;
    };
    const std::vector<Damage> damages = {
        {"/model", nullptr, "model is not an object"},
        {"/model/type", "WordPiece", "model.type 'WordPiece' is not supported"},
        {"/model/type", 3, "model.type is not a text"},
        {"/model/vocab", json::array(), "model.vocab is not an object with tokens"},
        {"/model/vocab/b", "x", "model.vocab gives 'b' the id \"x\""},
        {"/model/vocab/b", -1, "the id -1, not 0 to"},
        {"/model/vocab/b", 1e300, "the id 1e+300, not 0 to"},
        {"/model/vocab/b", 4'000'000'000u, "the id 4000000000, not 0 to"},
        {"/model/vocab/b", 0, "model.vocab gives the id 0 to 'a' and 'b'"},
        {"/model/merges", "a b", "model.merges is not a list"},
        {"/model/merges/1", "abb", "model.merges[1] is not two tokens"},
        {"/model/merges/1", "a b b", "model.merges[1] is not two tokens"},
        {"/model/merges/1", json::array({"a", 1}), "model.merges[1] is not two tokens"},
        {"/model/merges/1", json::array({"b", "a"}), "model.merges[1] needs 'ba', which is not in the vocabulary"},
        {"/model/merges/0", "x b", "model.merges[0] needs 'x'"},
        {"/model/dropout", 0.1, "model.dropout would make tokens by chance"},
        {"/model/byte_fallback", 1, "model.byte_fallback is not true or false"},
        {"/added_tokens", 1, "added_tokens is not a list"},
        {"/added_tokens/0/id", 1e9, "added_tokens[0].id is 1000000000.0, not 0 to"},
        {"/added_tokens/0/id", 100000000, "added_tokens[0].id is 100000000, not 0 to"},
        {"/added_tokens/0/id", 1, "added_tokens[0] gives '<s>' the id 1 of 'b'"},
        {"/added_tokens/0/content", nullptr, "added_tokens[0].content is not a text"},
        {"/decoder", nullptr, "decoder is missing"},
        {"/decoder/type", "CTC", "decoder.type 'CTC' is not supported"},
        {"/pre_tokenizer", {{"type", "BertPreTokenizer"}}, "pre_tokenizer.type 'BertPreTokenizer' is not supported"},
        {"/normalizer", json::array(), "normalizer is not an object"},
        {"/post_processor", {{"type", "TemplateProcessing"}, {"single", {{{"SpecialToken", {{"id", "<s>"}}}}}}},
         "post_processor.special_tokens"},
    };
    for (const Damage& damage : damages) {
        json file = sound();
        file[json::json_pointer(damage.place)] = damage.value;
        // Only then is the template looked at.
        expect_error({{"tokenizer.json", file.dump()}, {"tokenizer_config.json", R"({"bos_token": "<s>"})"}},
                     damage.expected);
    }
}

TEST(TokenizerJson, RefusesWhatIsNoJson) {
    const std::string deep(100000, '['), text = sound().dump();
    expect_error({}, "tokenizer.json: there is no such file; save the tokenizer as tokenizer.json");
    expect_error({{"tokenizer.json", ""}}, "is not valid JSON at byte");
    expect_error({{"tokenizer.json", text.substr(0, text.size() / 2)}}, "is not valid JSON at byte");
    expect_error({{"tokenizer.json", "[1, 2]"}}, "the file is not an object");
    expect_error({{"tokenizer.json", deep}}, "is nested deeper than 64");
    expect_error({{"tokenizer.json", "{\"model\":\"\xFF\"}"}}, "is not valid JSON at byte");
    expect_error({{"tokenizer.json", R"({"model": 1, "model": 2})"}}, "key 'model' stands twice");
    expect_error({{"tokenizer.json", text}, {"tokenizer_config.json", "{"}},
                 "tokenizer_config.json: is not valid JSON");
    expect_error({{"tokenizer.json", text}, {"tokenizer_config.json", R"({"eos_token": "</s>"})"}},
                 "tokenizer_config.json: eos_token '</s>' is not a token of tokenizer.json");
    expect_error({{"tokenizer.json", text}, {"tokenizer_config.json", R"({"added_tokens_decoder": {"9999999": {}}})"}},
                 "added_tokens_decoder.9999999 is not named by an id");
    expect_error({{"tokenizer.json", text}, {"config.json", R"({"eos_token_id": "2"})"}},
                 "config.json: eos_token_id is \"2\"");
}

TEST(TokenizerJson, ASmallFileAsksForLittle) {
    json file = sound();
    file["model"]["vocab"]["b"] = 65000;   // as high as such a file may go
    const std::string text = file.dump();
    const testing::TempFolder folder;
    std::ofstream(folder / "tokenizer.json") << text;
    const testing::AllocationWatch watch;
    EXPECT_EQ(Tokenizer::from_json(folder.path())->vocab_size(), 65001);
    EXPECT_LT(watch.largest(), 16u << 20);
}

TEST(TokenizerJson, TakesTheSpecialTokensFromTheFilesBesideIt) {
    const auto special = [](const Files& beside) {
        const auto tokenizer = read(sound(), beside);
        return std::vector<int>{tokenizer->bos(), tokenizer->eos(), tokenizer->pad(), tokenizer->adds_bos()};
    };
    const std::string config = R"({"bos_token_id": 0, "eos_token_id": [1, 2], "pad_token_id": 99})";
    EXPECT_EQ(special({{"config.json", config}}), (std::vector<int>{0, 1, -1, 0}));
    EXPECT_EQ(special({{"config.json", config}, {"special_tokens_map.json", R"({"eos_token": {"content": "<s>"}})"}}),
              (std::vector<int>{0, 4, -1, 0}));
    const std::string settings =
        R"({"bos_token": "a", "eos_token": {"content": "b"}, "pad_token": "[PAD]", "add_bos_token": true})";
    EXPECT_EQ(special({{"config.json", config}, {"special_tokens_map.json", R"({"eos_token": {"content": "<s>"}})"},
                       {"tokenizer_config.json", settings}}),
              (std::vector<int>{0, 1, -1, 1}));
    // What the settings name is special, and stands for itself in a text.
    const auto tokenizer = read(sound(), {{"tokenizer_config.json", R"({"eos_token": "b"})"}});
    EXPECT_EQ(tokenizer->encode("ab", SpecialTokens::parse), (std::vector<int>{0, 1}));
    EXPECT_EQ(tokenizer->encode("ab", SpecialTokens::as_text), (std::vector<int>{2}));
    EXPECT_TRUE(tokenizer->is_special(1));
    // A token that tokenizer.json lacks.
    const std::string more =
        R"({"added_tokens_decoder": {"6": {"content": "<|x|>", "special": true}}, "eos_token": "<|x|>"})";
    const auto longer = read(sound(), {{"tokenizer_config.json", more}});
    EXPECT_EQ(longer->encode("a<|x|>", SpecialTokens::parse), (std::vector<int>{0, 6}));
    EXPECT_EQ(longer->vocab_size(), 7);
    EXPECT_EQ(longer->bytes_of(5), "");
}

TEST(TokenizerJson, ATokenThatTheModelHasNoRowForIsNone) {
    json file = sound();
    const int words = read(file, {})->vocab_size();
    file["added_tokens"].push_back({{"id", words}, {"content", "[PAD]"}, {"special", true}});
    const std::string settings = R"({"pad_token": "[PAD]"})";
    const auto with_rows = [&](int rows) {
        return read(file, {{"tokenizer_config.json", settings},
                           {"config.json", json{{"vocab_size", rows}, {"eos_token_id", {1, words}}}.dump()}});
    };
    const auto has_a_row = with_rows(words + 1), has_none = with_rows(words);
    EXPECT_EQ(has_a_row->pad(), words);
    EXPECT_EQ(has_a_row->ends(), (std::vector<int>{1, words}));
    EXPECT_EQ(has_a_row->encode("[PAD]", SpecialTokens::parse), std::vector<int>{words});
    EXPECT_EQ(has_none->vocab_size(), words);
    EXPECT_EQ(has_none->pad(), -1);
    EXPECT_EQ(has_none->ends(), std::vector<int>{1});
    for (const int id : has_none->encode("[PAD]", SpecialTokens::parse)) EXPECT_LT(id, words);
}

TEST(TokenizerJson, DropsTheFirstSpaceOfATextAlone) {
    const auto tokenizer = Tokenizer::from_json(testing::golden_path("tokenizers/llama2"));
    const std::vector<int> ids = tokenizer->encode("The quick", SpecialTokens::parse);
    ASSERT_EQ(ids.size(), 2u);
    EXPECT_EQ(tokenizer->bytes_of(ids[0]), " The");
    EXPECT_EQ(tokenizer->first_bytes_of(ids[0]), "The");
    EXPECT_EQ(tokenizer->decode({ids[1], ids[0]}), "quick The");
    EXPECT_EQ(tokenizer->decode({tokenizer->bos(), ids[0]}), "<s> The");
    EXPECT_EQ(tokenizer->decode({tokenizer->bos(), ids[0]}, true), "The");
}

TEST(TokenizerJson, ALongRunTakesNoQuadraticTime) {
    for (const char* name : {"llama2", "gemma", "llama3", "t5", "words"}) {
        const auto tokenizer = Tokenizer::from_json(testing::golden_path(std::string("tokenizers/") + name));
        const std::string run(1 << 17, 'a');   // square: 10^10 steps
        EXPECT_FALSE(tokenizer->encode(run, SpecialTokens::parse).empty()) << name;
    }
}

}  // namespace
}  // namespace plumbline
