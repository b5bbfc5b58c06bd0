#include "core/text/bpe_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using Texts = std::vector<std::string>;

BpeTraining training_of(int vocabulary, const Texts& specials, SpecialPlace place = SpecialPlace::first) {
    return {vocabulary, specials, place, "gpt-2"};
}

/// The tokenizer of a file with this vocabulary.
std::shared_ptr<const Tokenizer> tokenizer_of(const BpeVocabulary& vocabulary) {
    std::vector<std::int32_t> types(vocabulary.tokens.size(), 1);
    std::fill_n(types.begin() + vocabulary.first_special, vocabulary.specials, 3);
    testing::GgufWriter writer;
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", "gpt-2");
    writer.add_texts("tokenizer.ggml.tokens", vocabulary.tokens);
    writer.add_texts("tokenizer.ggml.merges", vocabulary.merges);
    writer.add_i32s("tokenizer.ggml.token_type", types);
    const testing::TempFolder folder;
    writer.write(folder / "t.gguf");
    return Tokenizer::from_gguf(GgufFile(folder / "t.gguf"));
}

std::string error_of(const Texts& texts, const BpeTraining& training) {
    try {
        train_bpe(texts, training);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(BpeTrainer, LearnsWhatTheReferenceLearns) {
    const auto golden = testing::golden_json("bpe_trainer.json");
    int cases = 0;
    for (const auto& row : golden["cases"]) {
        SCOPED_TRACE(row["name"].get<std::string>());
        const BpeVocabulary vocabulary = train_bpe(
            row["texts"].get<Texts>(), training_of(row["vocabulary"], golden["special_tokens"].get<Texts>()));
        EXPECT_EQ(vocabulary.merges, row["merges"].get<Texts>());
        EXPECT_EQ(vocabulary.tokens, row["tokens"].get<Texts>());
        const auto tokenizer = tokenizer_of(vocabulary);
        for (const auto& encoding : row["encodings"]) {
            const std::string text = encoding["text"];
            const std::vector<int> ids = tokenizer->encode(text, SpecialTokens::as_text);
            EXPECT_EQ(ids, encoding["ids"].get<std::vector<int>>()) << text;
            EXPECT_EQ(tokenizer->decode(ids), text);
        }
        ++cases;
    }
    EXPECT_EQ(cases, 4);
}

// The words are "abc", " abc" and " ab": a b stands three times; then the space before ab and c after it
// twice each, and the space, a byte, has the smaller id than the new token ab; then ab c and (space ab) c
// once each.
TEST(BpeTrainer, JoinsTheMostFrequentPairFirst) {
    const BpeVocabulary vocabulary = train_bpe(Texts{"abc abc ab"}, training_of(259, {}));
    EXPECT_EQ(vocabulary.merges, (Texts{"a b", "\u0120 ab", "ab c"}));
    EXPECT_EQ(vocabulary.tokens.size(), 259u);
}

TEST(BpeTrainer, DoesNotHangOnTheOrderOfTexts) {
    const auto golden = testing::golden_json("bpe_trainer.json");
    Texts texts = golden["cases"][0]["texts"].get<Texts>();
    const BpeVocabulary forward = train_bpe(texts, training_of(500, {"<eos>"}));
    std::reverse(texts.begin(), texts.end());
    EXPECT_EQ(train_bpe(texts, training_of(500, {"<eos>"})).merges, forward.merges);
    texts.push_back("zqzq zqzq zqzq zqzq zqzq zqzq zqzq zqzq zqzq zqzq zqzq zqzq");
    EXPECT_NE(train_bpe(texts, training_of(500, {"<eos>"})).merges, forward.merges) << "texts do not count";
}

TEST(BpeTrainer, PutsSpecialTokensLast) {
    const Texts texts = {"one two one two three"};
    const BpeVocabulary first = train_bpe(texts, training_of(270, {"<x>", "<y>"}));
    const BpeVocabulary last = train_bpe(texts, training_of(270, {"<x>", "<y>"}, SpecialPlace::last));
    EXPECT_EQ(first.merges, last.merges);
    EXPECT_EQ(first.first_special, 0);
    EXPECT_EQ(last.first_special, static_cast<int>(last.tokens.size()) - 2);
    Texts rotated(first.tokens.begin() + 2, first.tokens.end());
    rotated.insert(rotated.end(), {"<x>", "<y>"});
    EXPECT_EQ(last.tokens, rotated);
    const auto tokenizer = tokenizer_of(last);
    EXPECT_EQ(tokenizer->encode("<y>", SpecialTokens::parse), (std::vector<int>{last.first_special + 1}));
    EXPECT_TRUE(tokenizer->is_special(last.first_special));
    EXPECT_FALSE(tokenizer->is_special(last.first_special - 1));
}

TEST(BpeTrainer, CarriesEveryByteThereAndBack) {
    const auto tokenizer = tokenizer_of(train_bpe(Texts{"abc"}, training_of(300, {"<eos>"})));
    const std::string text = "Gr\u00fc\u00dfe \u65e5\u672c \U0001f642\t\n <eos> ~";
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, SpecialTokens::as_text)), text);
}

TEST(BpeTrainer, RefusesWhatCannotBeAVocabulary) {
    EXPECT_EQ(error_of({"a"}, training_of(256, {"<eos>"})),
              "train tokenizer: a vocabulary of 256 has no room for 256 bytes and 1 special tokens; ask for "
              "257 or more");
    EXPECT_EQ(error_of({"a"}, training_of(257, {"<eos>"})), "");
    EXPECT_NE(error_of({"a"}, training_of(-1, {})), "");
    EXPECT_NE(error_of({"a"}, training_of(300, {"<x>", "<x>"})).find("'<x>'"), std::string::npos);
    EXPECT_NE(error_of({"a"}, training_of(300, {""})), "");
    EXPECT_NE(error_of({"a"}, training_of(300, {"a"})), "") << "the token of byte 97";
    EXPECT_EQ(error_of({}, training_of(300, {})),
              "train tokenizer: the texts have no word; give it texts to learn from");
    EXPECT_NE(error_of({"", ""}, training_of(300, {})), "");
    EXPECT_NE(error_of({"a"}, {300, {}, SpecialPlace::first, "no such rule"}), "");
}

TEST(BpeTrainer, EndsWhenNoPairIsLeft) {
    const BpeVocabulary vocabulary = train_bpe(Texts{"ab"}, training_of(5000, {}));
    EXPECT_EQ(vocabulary.merges, Texts{"a b"});
    EXPECT_EQ(vocabulary.tokens.size(), 257u);
}

}  // namespace
}  // namespace plumbline
