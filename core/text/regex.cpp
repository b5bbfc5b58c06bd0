#include "core/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <new>
#include <stdexcept>

#include "core/api/errors.h"

namespace plumbline {
namespace {

struct FreePcre2 {
    void operator()(pcre2_compile_context* it) const { pcre2_compile_context_free(it); }
    void operator()(pcre2_match_context* it) const { pcre2_match_context_free(it); }
    void operator()(pcre2_match_data* it) const { pcre2_match_data_free(it); }
    void operator()(pcre2_jit_stack* it) const { pcre2_jit_stack_free(it); }
    void operator()(pcre2_code* it) const { pcre2_code_free(it); }
};
template <class T>
using Owned = std::unique_ptr<T, FreePcre2>;

constexpr PCRE2_SIZE least_stack = 32 << 10, most_stack = 4 << 20;  // bytes, of the compiled matcher
constexpr std::uint32_t most_memory_kib = 256 << 10, most_steps = 10'000'000;

}  // namespace

struct Regex::Code {
    Owned<pcre2_code> compiled;
};

Regex::Regex(std::string_view pattern) {
    const Owned<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
    if (!context) throw std::bad_alloc();
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    int error = 0;
    PCRE2_SIZE place = 0;
    Owned<pcre2_code> compiled(pcre2_compile(
        reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
        PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &place, context.get()));
    if (!compiled) {
        PCRE2_UCHAR words[256] = {};
        pcre2_get_error_message(error, words, sizeof words);
        throw std::invalid_argument(reinterpret_cast<const char*>(words) + (" at byte " + std::to_string(place)));
    }
    pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);  // without it matching is slower, not different
    code_ = std::make_shared<const Code>(Code{std::move(compiled)});
}

Regex Regex::from_oniguruma(std::string_view pattern) {
    return Regex(pcre2_from_oniguruma(pattern));
}

struct Regex::Search::Scratch {
    Owned<pcre2_match_data> match;
    Owned<pcre2_match_context> context;
    Owned<pcre2_jit_stack> stack;
};

Regex::Search::Search(const Regex& regex) : regex_(regex), scratch_(std::make_unique<Scratch>()) {
    scratch_->match.reset(pcre2_match_data_create_from_pattern(regex.code_->compiled.get(), nullptr));
    scratch_->context.reset(pcre2_match_context_create(nullptr));
    if (!scratch_->match || !scratch_->context) throw std::bad_alloc();
    pcre2_set_heap_limit(scratch_->context.get(), most_memory_kib);
    pcre2_set_match_limit(scratch_->context.get(), most_steps);
}

Regex::Search::~Search() = default;

void Regex::Search::find_all(std::string_view text, std::vector<Range>& out) {
    out.clear();
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(scratch_->match.get());
    for (std::size_t at = 0; at < text.size(); at = bounds[1]) {
        const auto match = [&](std::uint32_t more) {
            return pcre2_match(regex_.code_->compiled.get(), subject, text.size(), at,
                               PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | more, scratch_->match.get(),
                               scratch_->context.get());
        };
        int found = match(0);
        if (found == PCRE2_ERROR_JIT_STACKLIMIT && !scratch_->stack) {
            scratch_->stack.reset(pcre2_jit_stack_create(least_stack, most_stack, nullptr));
            pcre2_jit_stack_assign(scratch_->context.get(), nullptr, scratch_->stack.get());
            found = match(0);
        }
        if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match(PCRE2_NO_JIT);
        if (found == PCRE2_ERROR_NOMATCH) return;
        if (found < 0) {
            throw Error("tokenize", "the text cannot be cut into words (PCRE2 error " + std::to_string(found) +
                                        " at byte " + std::to_string(at) +
                                        "); shorten long runs of one kind of character there");
        }
        if (bounds[0] < at || bounds[1] <= bounds[0]) return;  // what \K may do
        out.push_back({bounds[0], bounds[1]});
    }
}

}  // namespace plumbline
