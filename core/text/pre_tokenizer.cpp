#include "core/text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "core/api/errors.h"

namespace plumbline {
namespace {

// Unicode's White_Space, spelled out because PCRE2's \s differs (it has U+180E).
#define SPACE \
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})"

constexpr const char* gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}++| ?\p{N}++| ?[^)" SPACE
                             R"(\p{L}\p{N}]++|[)" SPACE R"(]+(?![^)" SPACE R"(])|[)" SPACE R"(]++)";
constexpr const char* each_digit = R"(\p{N})";

// The line of cl100k: contractions in any case, one character before a word, line ends with the spaces
// before.
#define CL100K(DIGITS)                                                                   \
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}++|)" DIGITS R"(| ?[^)" SPACE \
    R"(\p{L}\p{N}]++[\r\n]*+|[)" SPACE R"(]*[\r\n]+|[)" SPACE R"(]+(?![^)" SPACE R"(])|[)" SPACE R"(]++)"
constexpr const char* llama3 = CL100K(R"(\p{N}{1,3})");
constexpr const char* qwen2 = CL100K(R"(\p{N})");

// For files that were converted before the rule was recorded.
constexpr const char* punctuation = R"([\p{P}$+<=>^~|]+)";
constexpr const char* digit_run = R"(\p{N}+)";
constexpr const char* three_digits = R"([0-9][0-9][0-9])";

#undef CL100K
#undef SPACE

struct Family {
    std::vector<std::string_view> names;
    std::vector<const char*> patterns;
    bool whole_words_first = false, adds_bos = false;
};

const std::vector<Family>& families() {
    static const std::vector<Family> all = {
        {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"},
         {each_digit, gpt2}},
        {{"gpt-2", "phi-2", "olmo", "mpt", "jais", "trillion", "exaone4", "mellum"}, {gpt2}},
        {{"llama-bpe", "llama3", "llama-v3", "falcon3"}, {llama3}, true, true},
        {{"dbrx", "smaug-bpe"}, {llama3}},
        {{"qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan"}, {qwen2}},
        {{"default"}, {punctuation, gpt2, digit_run, three_digits}},
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

struct FreeMatch {
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

}  // namespace

struct PreTokenizer::Pattern {
    explicit Pattern(const char* text) {
        int error = 0;
        PCRE2_SIZE offset = 0;
        code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text), PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                             &error, &offset, nullptr);
        if (code == nullptr) throw std::logic_error("pattern " + std::string(text) + " does not compile");
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it matching is slower, not different
    }
    ~Pattern() { pcre2_code_free(code); }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    pcre2_code* code = nullptr;
};

PreTokenizer::PreTokenizer(std::string_view name) {
    const auto& all = families();
    const auto family = std::find_if(all.begin(), all.end(), [&](const Family& f) {
        return std::find(f.names.begin(), f.names.end(), name) != f.names.end();
    });
    if (family == all.end()) {
        throw Error("open model", "tokenizer.ggml.pre '" + std::string(name) +
                                      "' is not a known pre-tokenizer; use a model with one of " +
                                      list_of_names());
    }
    for (const char* pattern : family->patterns)
        patterns_.push_back(std::make_unique<const Pattern>(pattern));
    whole_words_first_ = family->whole_words_first;
    adds_bos_ = family->adds_bos;
}

PreTokenizer::~PreTokenizer() = default;

void PreTokenizer::split(std::string_view text, std::vector<std::string_view>& words) const {
    split_by(0, text, words);
}

void PreTokenizer::split_by(std::size_t pattern, std::string_view text,
                            std::vector<std::string_view>& words) const {
    const auto emit = [&](std::size_t begin, std::size_t end) {
        if (begin == end) return;
        const std::string_view piece = text.substr(begin, end - begin);
        if (pattern + 1 == patterns_.size()) {
            words.push_back(piece);
        } else {
            split_by(pattern + 1, piece, words);
        }
    };
    const pcre2_code* code = patterns_[pattern]->code;
    const std::unique_ptr<pcre2_match_data, FreeMatch> match(
        pcre2_match_data_create_from_pattern(code, nullptr));
    if (!match) throw std::bad_alloc();
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match.get());
    std::size_t at = 0;  // everything before is emitted
    while (at < text.size()) {
        const int found = pcre2_match(code, subject, text.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                                      match.get(), nullptr);
        if (found == PCRE2_ERROR_NOMATCH) break;
        if (found < 0) {
            throw Error("tokenize", "the text cannot be cut into words (PCRE2 error " +
                                        std::to_string(found) + "); shorten runs of spaces");
        }
        emit(at, bounds[0]);
        emit(bounds[0], bounds[1]);
        at = bounds[1];
    }
    emit(at, text.size());
}

}  // namespace plumbline
