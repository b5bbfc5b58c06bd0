#include "core/text/gguf_pre_tokenizers.h"

#include <algorithm>

#include "core/api/errors.h"

namespace plumbline {
namespace {

#define SPACE R"(\p{White_Space})"

constexpr const char* each_digit = R"(\p{N})";

// The line of cl100k: contractions in any case, one character before a word, line ends with the spaces
// before.
#define CL100K(DIGITS)                                                                   \
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}++|)" DIGITS R"(| ?[^)" SPACE \
    R"(\p{L}\p{N}]++[\r\n]*+|)" SPACE R"(*[\r\n]+|)" SPACE R"(+(?!\P{White_Space})|)" SPACE R"(++)"
constexpr const char* llama3 = CL100K(R"(\p{N}{1,3})");
constexpr const char* qwen2 = CL100K(R"(\p{N})");

// Words by case: capitals then small letters, each part perhaps empty, not both.
#define BY_CASE(CONTRACTIONS, DIGITS)                                                                             \
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)" CONTRACTIONS              \
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)" CONTRACTIONS R"(|)" DIGITS \
    R"(| ?[^)" SPACE R"(\p{L}\p{N}]++[\r\n/]*+|)" SPACE R"(*[\r\n]+|)" SPACE R"(+(?!\P{White_Space})|)" SPACE R"(++)"
constexpr const char* tekken = BY_CASE("", R"(\p{N})");
constexpr const char* gpt4o = BY_CASE(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?)", R"(\p{N}{1,3})");

// For files that were converted before the rule was recorded.
constexpr const char* punctuation = R"([\p{P}$+<=>^~|]+)";
constexpr const char* digit_run = R"(\p{N}+)";
constexpr const char* three_digits = R"([0-9][0-9][0-9])";

#undef BY_CASE
#undef CL100K
#undef SPACE

struct Family {
    std::vector<std::string_view> names;
    std::vector<const char*> patterns;  // applied in order, each to the pieces of the one before
    bool whole_words_first = false, adds_bos = false;
};

const std::vector<Family>& families() {
    static const std::vector<Family> all = {
        {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
         {each_digit, gpt2_pattern}},
        {{"gpt-2", "phi-2", "olmo", "mpt", "jais", "trillion", "exaone4", "mellum"}, {gpt2_pattern}},
        {{"llama-bpe", "llama3", "llama-v3", "falcon3"}, {llama3}, true, true},
        {{"dbrx", "smaug-bpe"}, {llama3}},
        {{"qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan"}, {qwen2}},
        {{"tekken"}, {tekken}, true, true},
        {{"gpt-4o", "llama4"}, {gpt4o}},
        {{"default"}, {punctuation, gpt2_pattern, digit_run, three_digits}},
    };
    return all;
}

std::string list_of_names() {
    std::string out;
    for (const Family& family : families()) {
        for (const std::string_view name : family.names) out += (out.empty() ? "" : ", ") + std::string(name);
    }
    return out;
}

const Family& family_named(std::string_view name) {
    const auto& all = families();
    const auto family = std::find_if(all.begin(), all.end(), [&](const Family& f) {
        return std::find(f.names.begin(), f.names.end(), name) != f.names.end();
    });
    if (family == all.end()) {
        throw Error("open model", "tokenizer.ggml.pre '" + std::string(name) +
                                      "' is not a known pre-tokenizer; use a model with one of " + list_of_names());
    }
    return *family;
}

}  // namespace

GgufPreTokenizer gguf_pre_tokenizer(std::string_view name) {
    const Family& family = family_named(name);
    std::vector<PreTokenizerStep> steps;
    for (const char* pattern : family.patterns) {
        steps.emplace_back(SplitStep{Regex(pattern), DelimiterPlace::isolated, false});
    }
    return {std::move(steps), family.whole_words_first, family.adds_bos};
}

std::vector<std::string_view> gguf_patterns(std::string_view name) {
    const Family& family = family_named(name);
    return {family.patterns.begin(), family.patterns.end()};
}

}  // namespace plumbline
