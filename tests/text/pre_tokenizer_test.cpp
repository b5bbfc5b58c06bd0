#include "core/text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

std::vector<std::string> words_of(const PreTokenizer& rule, std::string_view text) {
    std::vector<std::string_view> views;
    rule.split(text, views);
    return {views.begin(), views.end()};
}

TEST(PreTokenizer, CutsAsTheReferenceDoes) {
    const auto golden = testing::golden_json("pre_tokenizers.json");
    for (const char* name : {"smollm", "gpt-2", "llama-bpe", "qwen2", "default"}) {
        const PreTokenizer rule(name);
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
        const PreTokenizer rule("smollmm");
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
        const PreTokenizer rule(name);
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
