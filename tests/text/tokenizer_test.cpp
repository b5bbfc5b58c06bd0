#include "core/text/tokenizer.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

using testing::TempFolder;

std::shared_ptr<const Tokenizer> tokenizer_of(const testing::GgufWriter& writer) {
    const TempFolder folder;
    writer.write(folder / "t.gguf");
    return Tokenizer::from_gguf(GgufFile(folder / "t.gguf"));  // must not need the file afterwards
}

std::shared_ptr<const Tokenizer> tiny() {
    testing::GgufWriter writer;
    testing::add_tiny_tokenizer(writer);
    return tokenizer_of(writer);
}

class SmolLm2Tokenizer : public ::testing::Test {
  protected:
    void SetUp() override {
        const auto path = testing::installed_smollm2();
        if (!path) GTEST_SKIP() << "SmolLM2-135M-Instruct.Q4_1.gguf is not installed";
        tokenizer_ = Tokenizer::from_gguf(GgufFile(*path));
    }
    std::shared_ptr<const Tokenizer> tokenizer_;
};

TEST_F(SmolLm2Tokenizer, GivesTheReferencesIdsAndTexts) {
    const auto golden = testing::golden_json("tokenizer_smollm2.json");
    int of_special_text = 0, of_digits = 0;
    for (const auto& row : golden["rows"]) {
        const auto text = row["text"].get<std::string>();
        const auto ids = row["ids"].get<std::vector<int>>();
        ASSERT_EQ(tokenizer_->encode(text, SpecialTokens::parse), ids) << text;
        EXPECT_EQ(tokenizer_->decode(ids), row["decoded"].get<std::string>());
        EXPECT_EQ(tokenizer_->decode(ids, true), row["decoded_without_special"].get<std::string>());
        const auto as_text = row.contains("ids_as_text") ? row["ids_as_text"].get<std::vector<int>>() : ids;
        EXPECT_EQ(tokenizer_->encode(text, SpecialTokens::as_text), as_text) << text;
        of_special_text += as_text != ids;
        // Where the rule "smollm" differs from "gpt-2", ours is the former.
        of_digits += row.contains("without_digits") && row["without_digits"].get<std::vector<int>>() != ids;
    }
    EXPECT_GE(of_special_text, 3);
    EXPECT_GE(of_digits, 3);
}

TEST_F(SmolLm2Tokenizer, KnowsItsSpecialTokens) {
    EXPECT_EQ(tokenizer_->vocab_size(), 49152);
    EXPECT_EQ(tokenizer_->bos(), 1);
    EXPECT_EQ(tokenizer_->eos(), 2);
    EXPECT_EQ(tokenizer_->pad(), 2);
    EXPECT_FALSE(tokenizer_->adds_bos());
    EXPECT_EQ(tokenizer_->bytes_of(2), "<|im_end|>");
    EXPECT_TRUE(tokenizer_->is_special(16));
    EXPECT_FALSE(tokenizer_->is_special(17));
}

TEST_F(SmolLm2Tokenizer, TakesALongWord) {
    const std::string word(200000, 'z');
    EXPECT_EQ(tokenizer_->decode(tokenizer_->encode(word, SpecialTokens::parse)), word);
}

TEST(Tokenizer, GivesBackEveryByteSequenceOfValidText) {
    const auto tokenizer = tiny();  // its vocabulary has all 256 bytes
    std::string all;
    for (unsigned point : {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu}) {
        all += point < 0x80 ? std::string(1, static_cast<char>(point))
               : point < 0x800
                   ? std::string{static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 63))}
                   : std::string{static_cast<char>(0xE0 | point >> 12),
                                 static_cast<char>(0x80 | ((point >> 6) & 63)),
                                 static_cast<char>(0x80 | (point & 63))};
    }
    all += "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF the thing and you please, 12  34\n";
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(all, SpecialTokens::parse)), all);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode("a\xFF"
                                                  "b\xC3",
                                                  SpecialTokens::parse)),
              "a\uFFFDb\uFFFD");
}

// Merges in tests/support/tiny_model.cpp: "Ġ t" 0, "h e" 1, "Ġt he" 6, "Ġ a" 2, "n d" 12, "Ġa nd" 21.
TEST(Tokenizer, MergesTheTinyVocabulary) {
    const auto tokenizer = tiny();
    std::vector<std::string> parts;
    for (const int id : tokenizer->encode("the the and", SpecialTokens::parse))
        parts.emplace_back(tokenizer->bytes_of(id));
    EXPECT_EQ(parts, (std::vector<std::string>{"t", "he", " the", " and"}));
}

TEST(Tokenizer, FindsSpecialTokensOnlyWhenAsked) {
    const auto tokenizer = tiny();
    const std::string text = "a<|im_end|><|im_start|>b<|im_end|";
    const auto parsed = tokenizer->encode(text, SpecialTokens::parse);
    EXPECT_EQ(std::vector<int>(parsed.begin() + 1, parsed.begin() + 3), (std::vector<int>{2, 1}));
    for (const int id : tokenizer->encode(text, SpecialTokens::as_text))
        EXPECT_FALSE(tokenizer->is_special(id));
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, SpecialTokens::as_text)), text);
    EXPECT_EQ(tokenizer->decode(parsed), text);
    EXPECT_EQ(tokenizer->decode(parsed, true), "ab<|im_end|");
}

TEST(Tokenizer, TakesTheLongestSpecialTokenAndUserDefinedOnesInEveryText) {
    testing::GgufWriter writer;
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", "gpt-2");
    writer.add_texts("tokenizer.ggml.tokens", {"a", "b", "<x", "<x>", "a b"});
    writer.add_i32s("tokenizer.ggml.token_type", {1, 1, 3, 3, 4});
    writer.add_texts("tokenizer.ggml.merges", {});
    const auto tokenizer = tokenizer_of(writer);
    EXPECT_EQ(tokenizer->encode("a<x><xa bb", SpecialTokens::parse), (std::vector<int>{0, 3, 2, 4, 1}));
    EXPECT_EQ(tokenizer->encode("a<x>a b", SpecialTokens::as_text),
              (std::vector<int>{0, 4}));  // no byte tokens for <x>
    EXPECT_FALSE(tokenizer->is_special(4));
    EXPECT_EQ(tokenizer->bos(), -1);
    EXPECT_EQ(tokenizer->eos(), -1);
}

TEST(Tokenizer, WholeWordsComeFirstWhereTheFamilySaysSo) {
    for (const bool whole_words : {true, false}) {
        testing::GgufWriter writer;
        writer.add_text("tokenizer.ggml.model", "gpt2");
        writer.add_text("tokenizer.ggml.pre", whole_words ? "llama-bpe" : "dbrx");
        writer.add_texts("tokenizer.ggml.tokens", {"a", "b", "c", "ab", "abc"});
        writer.add_texts("tokenizer.ggml.merges", {"a b"});
        writer.add_flag("tokenizer.ggml.add_bos_token", false);
        const auto ids = tokenizer_of(writer)->encode("abc", SpecialTokens::parse);
        EXPECT_EQ(ids, whole_words ? (std::vector<int>{4}) : (std::vector<int>{3, 2}));
    }
}

TEST(Tokenizer, RefusesIdsOutOfRange) {
    const auto tokenizer = tiny();
    EXPECT_THROW(tokenizer->bytes_of(-1), Error);
    EXPECT_THROW(tokenizer->bytes_of(tokenizer->vocab_size()), Error);
    EXPECT_THROW(tokenizer->decode({0, 99999}), Error);
    EXPECT_THROW(tokenizer->is_special(-2), Error);
}

TEST(Tokenizer, IsSharedByThreads) {
    const auto tokenizer = tiny();
    std::string text;
    for (int i = 0; i < 200; ++i) text += "the thing and you 12 please\n";
    const auto expected = tokenizer->encode(text, SpecialTokens::parse);
    std::vector<std::vector<int>> ids(4);
    {
        std::vector<std::jthread> threads;
        for (auto& out : ids)
            threads.emplace_back([&] { out = tokenizer->encode(text, SpecialTokens::parse); });
    }
    for (const auto& out : ids) EXPECT_EQ(out, expected);
}

struct Damage {
    std::string name, expected;
    std::function<void(testing::GgufWriter&)> write;
};

TEST(Tokenizer, RefusesDamagedTables) {
    using Writer = testing::GgufWriter;
    const auto model = [](Writer& w) { w.add_text("tokenizer.ggml.model", "gpt2"); };
    const auto tokens = [](Writer& w) { w.add_texts("tokenizer.ggml.tokens", {"a", "b", "ab"}); };
    const auto merges = [](Writer& w) { w.add_texts("tokenizer.ggml.merges", {"a b"}); };
    const std::vector<Damage> damages = {
        {"other model", "'bert' is not supported",
         [&](Writer& w) { w.add_text("tokenizer.ggml.model", "bert"); }},
        {"no model", "'tokenizer.ggml.model' is missing", [&](Writer& w) { tokens(w), merges(w); }},
        {"no tokens", "'tokenizer.ggml.tokens' is missing", [&](Writer& w) { model(w), merges(w); }},
        {"no merges", "'tokenizer.ggml.merges' is missing", [&](Writer& w) { model(w), tokens(w); }},
        {"empty", "tokens is empty",
         [&](Writer& w) { model(w), w.add_texts("tokenizer.ggml.tokens", {}), merges(w); }},
        {"twice", "tokens 0 and 2 are the same",
         [&](Writer& w) {
             model(w), w.add_texts("tokenizer.ggml.tokens", {"a", "b", "a"}), merges(w);
         }},
        {"types short", "2 entries for 3 tokens",
         [&](Writer& w) {
             model(w), tokens(w), merges(w), w.add_i32s("tokenizer.ggml.token_type", {1, 1});
         }},
        {"type wrong", "of token 1 is 9",
         [&](Writer& w) {
             model(w), tokens(w), merges(w), w.add_i32s("tokenizer.ggml.token_type", {1, 9, 1});
         }},
        {"merge whole", "merge 0 has no two parts",
         [&](Writer& w) { model(w), tokens(w), w.add_texts("tokenizer.ggml.merges", {"ab"}); }},
        {"merge unknown", "merge 1 joins what is not in the vocabulary",
         [&](Writer& w) {
             model(w), tokens(w), w.add_texts("tokenizer.ggml.merges", {"a b", "b a"});
         }},
        {"eos", "'tokenizer.ggml.eos_token_id' is 3, not 0 to 2",
         [&](Writer& w) { model(w), tokens(w), merges(w), w.add_u32("tokenizer.ggml.eos_token_id", 3); }},
        {"bos wanted", "without tokenizer.ggml.bos_token_id",
         [&](Writer& w) {
             model(w), tokens(w), merges(w), w.add_flag("tokenizer.ggml.add_bos_token", true);
         }},
        {"pre", "'gpt-9' is not a known pre-tokenizer",
         [&](Writer& w) { model(w), w.add_text("tokenizer.ggml.pre", "gpt-9"), tokens(w), merges(w); }},
    };
    for (const Damage& damage : damages) {
        Writer writer;
        damage.write(writer);
        try {
            tokenizer_of(writer);
            ADD_FAILURE() << damage.name << " was accepted";
        } catch (const Error& error) {
            const std::string what = error.what();
            EXPECT_EQ(what.rfind("open model: ", 0), 0u) << what;
            EXPECT_NE(what.find(damage.expected), std::string::npos) << damage.name << ": " << what;
        }
    }
    Writer whole;
    model(whole), tokens(whole), merges(whole);
    EXPECT_NO_THROW(tokenizer_of(whole));
}

}  // namespace
}  // namespace plumbline
