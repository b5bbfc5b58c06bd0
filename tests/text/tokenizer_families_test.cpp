// Every family's tokenizer against the reference libraries, on texts of many scripts: see golden/make_tokenizers.py.

#include <gtest/gtest.h>

#include "core/formats/gguf.h"
#include "core/text/reply_streams.h"
#include "core/text/tokenizer.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

using Ids = std::vector<int>;
using nlohmann::json;

const json& golden() {
    static const json file = testing::golden_json("tokenizers.json");
    return file;
}

Ids ids_of(const json& row) {
    return row["ids"].get<Ids>();
}
Ids ids_as_text(const json& row) {
    return row.contains("ids_as_text") ? row["ids_as_text"].get<Ids>() : ids_of(row);
}

/// What ReplyStreams shows of the ids, one by one.
std::string streamed(const Tokenizer& tokenizer, const Ids& ids) {
    ReplyStreams streams(tokenizer, 1, {});
    for (std::size_t i = 0; i < ids.size(); ++i) streams.push(0, ids[i], i + 1 == ids.size());
    return streams.text(0);
}

class TokenizerFamily : public ::testing::TestWithParam<int> {
  protected:
    const json& entry() const { return golden()["families"][static_cast<std::size_t>(GetParam())]; }
    std::string name() const { return entry()["name"].get<std::string>(); }
    std::filesystem::path folder() const { return testing::golden_path("tokenizers/" + name()); }
};

TEST_P(TokenizerFamily, GivesTheReferencesIdsAndTexts) {
    const auto tokenizer = Tokenizer::from_json(folder());
    const json& texts = golden()["texts"];
    int told_apart = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto text = texts[i].get<std::string>();
        const json& row = entry()["rows"][i];
        const Ids ids = ids_of(row);
        EXPECT_EQ(tokenizer->encode(text, SpecialTokens::parse), ids) << name() << ": " << text;
        EXPECT_EQ(tokenizer->encode(text, SpecialTokens::as_text), ids_as_text(row)) << name() << ": " << text;
        const auto decoded = row.value("decoded", text);
        EXPECT_EQ(tokenizer->decode(ids), decoded) << name() << ": " << text;
        const auto without = row.value("decoded_without_special", decoded);
        EXPECT_EQ(tokenizer->decode(ids, true), without) << name() << ": " << text;
        if (ids.empty()) continue;
        EXPECT_EQ(streamed(*tokenizer, ids), without) << name() << ": " << text;
        // The twin: another id in one place is another text.
        Ids changed = ids;
        changed[0] = changed[0] == 300 ? 301 : 300;
        told_apart += tokenizer->decode(changed) != decoded;
    }
    EXPECT_GT(told_apart, static_cast<int>(texts.size()) * 9 / 10);
}

TEST_P(TokenizerFamily, KnowsItsSpecialTokens) {
    const auto tokenizer = Tokenizer::from_json(folder() / "tokenizer.json");
    EXPECT_EQ(tokenizer->bos(), entry()["bos"].get<int>());
    EXPECT_EQ(tokenizer->eos(), entry()["eos"].get<int>());
    EXPECT_EQ(tokenizer->pad(), entry()["pad"].get<int>());
    EXPECT_EQ(tokenizer->adds_bos(), entry()["adds_bos"].get<bool>());
    for (const int id : {tokenizer->bos(), tokenizer->eos()}) {
        EXPECT_TRUE(id < 0 || tokenizer->is_special(id));
    }
}

class TokenizerFamilyInGguf : public TokenizerFamily {};  // of those that llama.cpp has

TEST_P(TokenizerFamilyInGguf, IsTheSame) {
    const auto tokenizer = Tokenizer::from_gguf(GgufFile(testing::golden_path("tokenizers/" + name() + ".gguf")));
    const auto from_json = Tokenizer::from_json(folder());
    EXPECT_EQ(tokenizer->vocab_size(), from_json->vocab_size());
    EXPECT_EQ(tokenizer->eos(), from_json->eos());
    const json& texts = golden()["texts"];
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto text = texts[i].get<std::string>();
        const json &row = entry()["gguf_rows"][i], &json_row = entry()["rows"][i];  // the former: where it differs
        EXPECT_EQ(tokenizer->encode(text, SpecialTokens::parse), row.contains("ids") ? ids_of(row) : ids_of(json_row))
            << name() << ": " << text;
        EXPECT_EQ(tokenizer->encode(text, SpecialTokens::as_text),
                  row.contains("ids_as_text") ? ids_as_text(row) : ids_as_text(json_row))
            << name() << ": " << text;
        const Ids json_ids = ids_of(json_row);
        EXPECT_EQ(tokenizer->decode(json_ids), from_json->decode(json_ids)) << name() << ": " << text;
    }
}

std::vector<int> families(bool in_gguf) {
    std::vector<int> out;
    for (std::size_t i = 0; i < golden()["families"].size(); ++i) {
        if (!in_gguf || golden()["families"][i].contains("gguf_rows")) out.push_back(static_cast<int>(i));
    }
    return out;
}

std::string name_of(const ::testing::TestParamInfo<int>& test) {
    return golden()["families"][static_cast<std::size_t>(test.param)]["name"].get<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Families, TokenizerFamily, ::testing::ValuesIn(families(false)), name_of);
INSTANTIATE_TEST_SUITE_P(Families, TokenizerFamilyInGguf, ::testing::ValuesIn(families(true)), name_of);

}  // namespace
}  // namespace plumbline
