// Each step of tokenizer.json alone against the tokenizers library: see golden/make_tokenizer_steps.py.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "core/api/errors.h"
#include "core/text/precompiled_charsmap.h"
#include "core/text/tokenizer_json_steps.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using nlohmann::json;

const json& golden() {
    static const json file = testing::golden_json("tokenizer_steps.json");
    return file;
}

/// What `make` makes of the step, through a file as every reader gets it.
template <class Make>
auto made_of(const json& step, Make make) {
    const testing::TempFolder folder;
    std::ofstream(folder / "step.json") << step;
    const JsonFile file(folder / "step.json", "open model", 1 << 20);
    return make(JsonNode(file));
}

std::vector<std::string> words_of(const PreTokenizer& step, const std::string& text) {
    Words words(text);
    step.apply(words);
    std::vector<std::string> out;
    for (std::size_t i = 0; i < words.words.size(); ++i) out.emplace_back(words[i]);
    return out;
}

/// The characters below U+AC00 and above that the golden file may speak of, as texts.
std::vector<std::string> characters_below(char32_t end) {
    std::vector<std::string> out;
    for (char32_t point = 0; point < end; ++point) {
        if (point >= 0xD800 && point < 0xE000) continue;
        append_utf8(point, out.emplace_back());
    }
    return out;
}

TEST(TokenizerSteps, NormaliseAsTheReferenceDoes) {
    for (const json& entry : golden()["normalizers"]) {
        const Normalizer step = made_of(entry["step"], normalizer_of);
        int changed = 0;
        for (std::size_t i = 0; i < entry["texts"].size(); ++i) {
            const auto text = golden()["texts"][i].get<std::string>();
            const auto expected = entry["texts"][i].is_null() ? text : entry["texts"][i].get<std::string>();
            EXPECT_EQ(step.apply(text), expected) << entry["step"] << ": " << text;
            changed += expected != text;
        }
        EXPECT_GT(changed, 0) << entry["step"] << ": the texts must show it";
    }
}

TEST(TokenizerSteps, CutAsTheReferenceDoes) {
    for (const json& entry : golden()["pre_tokenizers"]) {
        const PreTokenizer step = made_of(entry["step"], pre_tokenizer_of);
        int changed = 0;
        for (std::size_t i = 0; i < entry["words"].size(); ++i) {
            const auto text = golden()["texts"][i].get<std::string>();
            const auto expected = entry["words"][i].get<std::vector<std::string>>();
            EXPECT_EQ(words_of(step, text), expected) << entry["step"] << ": " << text;
            changed += expected != std::vector{text};
        }
        EXPECT_GT(changed, 0) << entry["step"] << ": the texts must show it";
    }
}

TEST(TokenizerSteps, ChangeEveryCharacterAsTheReferenceDoes) {
    const auto characters = characters_below(0xAC00);
    for (const json& entry : golden()["characters"]) {
        std::map<std::string, std::string> expected;
        std::istringstream changes(entry["changes"].get<std::string>());
        for (std::string change; std::getline(changes, change, '\x1e');)
            expected[change.substr(0, change.find('\x1f'))] = change.substr(change.find('\x1f') + 1);
        EXPECT_GT(expected.size(), 10u);
        const Normalizer step = made_of(entry["step"], normalizer_of);
        for (const std::string& character : characters) {
            const auto found = expected.find(character);
            if (found == expected.end()) continue;
            EXPECT_EQ(step.apply(character), found->second) << entry["step"];
        }
    }
}

TEST(TokenizerSteps, KnowTheKindOfEveryCharacter) {
    const auto characters = characters_below(0x110000);
    for (const json& entry : golden()["kinds"]) {
        const PreTokenizer step = made_of(entry["step"], pre_tokenizer_of);
        const auto expected = entry["characters"].get<std::string>();
        std::size_t found = 0;
        for (std::size_t at = 0; at < expected.size(); ++found) {
            const std::string character = expected.substr(at, code_point_at(expected, at).length);
            EXPECT_EQ(words_of(step, "a" + character + "b").size(), 3u) << entry["step"] << ": " << character;
            at += character.size();
        }
        EXPECT_GT(found, 300u);
        std::size_t of_kind = 0;   // later versions of Unicode have more, but not many times more
        for (const std::string& character : characters) of_kind += words_of(step, "a" + character + "b").size() == 3;
        EXPECT_LT(of_kind, 4 * found);
    }
}

TEST(TokenizerSteps, NameWhatIsNotSupported) {
    const std::vector<std::pair<json, std::string>> steps = {
        {{{"type", "BertNormalizer"}}, "type 'BertNormalizer' is not supported"},
        {{{"type", "Replace"}, {"pattern", {{"Regex", "a[b[c]]"}}}, {"content", ""}},
         "pattern.Regex 'a[b[c]]' cannot be used: a set within brackets is not supported"},
        {{{"type", "Replace"}, {"pattern", {{"Regex", "[a&&b]"}}}, {"content", ""}}, "an intersection (&&)"},
        {{{"type", "Replace"}, {"pattern", {{"Regex", "(a"}}}, {"content", ""}}, "missing closing parenthesis"},
        {{{"type", "Replace"}, {"pattern", {{"Regex", "[\\W]"}}}, {"content", ""}}, "\\W in brackets"},
        {{{"type", "Replace"}, {"pattern", "a"}, {"content", ""}}, "pattern is not an object"},
        {{{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", 5}}}}},
         "normalizers[1].type is not a text; the file is damaged"},
        {{{"type", "Strip"}, {"strip_left", "yes"}}, "strip_left is not true or false"},
        {{{"type", "Precompiled"}, {"precompiled_charsmap", "AAA"}}, "precompiled_charsmap 'AAA' cannot be used"},
        {{{"type", "Precompiled"}, {"precompiled_charsmap", "?"}}, "is not base64"},
    };
    for (const auto& [step, expected] : steps) {
        try {
            made_of(step, normalizer_of);
            ADD_FAILURE() << step << " was accepted";
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
        }
    }
}

TEST(TokenizerSteps, EndWhatWouldGrowWithoutMeasure) {
    json doubling = json::array(), bytes = json::array();
    for (int i = 0; i < 40; ++i) {
        doubling.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
        bytes.push_back({{"type", "ByteLevel"}, {"use_regex", false}});
    }
    const Normalizer normalizer = made_of({{"type", "Sequence"}, {"normalizers", doubling}}, normalizer_of);
    const PreTokenizer pre_tokenizer = made_of({{"type", "Sequence"}, {"pretokenizers", bytes}}, pre_tokenizer_of);
    EXPECT_THROW(normalizer.apply("aaa"), Error);
    EXPECT_EQ(normalizer.apply("b"), "b");
    Words words("é");
    EXPECT_THROW(pre_tokenizer.apply(words), Error);
}

TEST(TokenizerSteps, EndAPatternThatWouldSearchForever) {
    const json pattern = {{"Regex", "(a|aa)+[bc]"}};
    const PreTokenizer step = made_of({{"type", "Split"}, {"pattern", pattern}}, pre_tokenizer_of);
    Words words(std::string(60, 'a'));
    EXPECT_THROW(step.apply(words), Error);
}

}  // namespace
}  // namespace plumbline
