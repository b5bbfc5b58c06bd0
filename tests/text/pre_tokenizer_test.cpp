#include "core/text/gguf_pre_tokenizers.h"

#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

std::vector<std::string> words_of(const PreTokenizer& rule, std::string_view text) {
    Words words{std::string(text)};
    rule.apply(words);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < words.words.size(); ++i) out.emplace_back(words[i]);
    return out;
}

TEST(PreTokenizer, CutsAsTheReferenceDoes) {
    const auto golden = testing::golden_json("pre_tokenizers.json");
    for (const char* name : {"smollm", "gpt-2", "llama-bpe", "qwen2", "default"}) {
        const PreTokenizer rule(gguf_pre_tokenizer(name).steps);
        int other_than_smollm = 0;
        for (const auto& row : golden["rows"]) {
            const auto text = row["text"].get<std::string>();
            const auto expected = row["words"][name].get<std::vector<std::string>>();
            EXPECT_EQ(words_of(rule, text), expected) << name << ": " << text;
            other_than_smollm += row["words"][name] != row["words"]["smollm"];
        }
        EXPECT_EQ(other_than_smollm == 0, std::string_view(name) == "smollm")
            << "the texts must tell the rules apart";
    }
}

TEST(PreTokenizer, RefusesAnUnknownNameAndListsTheKnown) {
    try {
        gguf_pre_tokenizer("smollmm");
        FAIL();
    } catch (const Error& error) {
        const std::string what = error.what();
        EXPECT_NE(what.find("open model: "), std::string::npos);
        EXPECT_NE(what.find("'smollmm'"), std::string::npos);
        EXPECT_NE(what.find("gpt-2"), std::string::npos);
    }
}

TEST(PreTokenizer, TakesLongRuns) {
    for (const char* name : {"smollm", "gpt-2", "llama-bpe", "qwen2", "default"}) {
        const PreTokenizer rule(gguf_pre_tokenizer(name).steps);
        for (const char* part : {" ", "\n", "a", "1", "!", "\u2003", "é", "' ", "\r\n"}) {
            std::string text;
            while (text.size() < 100000) text += part;
            std::string joined;
            for (const std::string& word : words_of(rule, text + "x")) joined += word;
            EXPECT_EQ(joined, text + "x") << name;
        }
    }
}

}  // namespace
}  // namespace plumbline
