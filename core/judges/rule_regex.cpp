// regex, regex_count: a Perl-compatible regular expression (PCRE2) found in the reply.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"

namespace plumbline {
namespace {

// Keeps a pattern like (a+)+b from stopping the training: some hundredths of a second.
constexpr std::uint32_t most_steps = 1000000;

struct Free {
    void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string message(int error) {
    std::array<PCRE2_UCHAR, 200> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return reinterpret_cast<const char*>(text.data());
}

class RegexRule final : public RewardRule {
  public:
    RegexRule(const std::string& pattern, bool counts) : pattern_(pattern), counts_(counts) {
        int error = 0;
        PCRE2_SIZE place = 0;
        // The text of a reply may break off within a character: invalid bytes match nothing.
        code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &place, nullptr));
        if (!code_) {
            throw ConfigError("reward", "the pattern '" + pattern + "' is wrong at its character " +
                                            std::to_string(place + 1) + " (" + message(error) +
                                            "); correct it");
        }
        context_.reset(pcre2_match_context_create(nullptr));
        if (!context_) {
            throw std::bad_alloc();
        }
        pcre2_set_match_limit(context_.get(), most_steps);
    }

    double score(const RuleInput& input, std::optional<double>) const override {
        const std::unique_ptr<pcre2_match_data, Free> match(
            pcre2_match_data_create_from_pattern(code_.get(), nullptr));
        if (!match) {
            throw std::bad_alloc();
        }
        const std::string& text = input.text;
        const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(match.get());
        int count = 0;
        for (PCRE2_SIZE at = 0; at <= text.size();) {
            const int found = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                          at, 0, match.get(), context_.get());
            if (found == PCRE2_ERROR_NOMATCH) {
                break;
            }
            if (found < 0) {
                throw Error("score reply", "the pattern '" + pattern_ + "' fails on a reply of " +
                                               std::to_string(text.size()) + " bytes (" + message(found) +
                                               "); use a simpler one");
            }
            ++count;
            if (!counts_) {
                break;
            }
            // A match that ends where its search began is empty: step on, so that the search ends.
            at = bounds[1] > at ? bounds[1] : next_character(text, at);
        }
        return count;
    }

  private:
    static PCRE2_SIZE next_character(const std::string& text, PCRE2_SIZE at) {
        do {
            ++at;
        } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
        return at;
    }

    std::string pattern_;
    bool counts_;
    std::unique_ptr<pcre2_code, Free> code_;
    std::unique_ptr<pcre2_match_context, Free> context_;
};

}  // namespace

std::unique_ptr<RewardRule> make_regex_rule(const RuleArguments& arguments) {
    return std::make_unique<RegexRule>(arguments.at(0), false);
}

std::unique_ptr<RewardRule> make_regex_count_rule(const RuleArguments& arguments) {
    return std::make_unique<RegexRule>(arguments.at(0), true);
}

}  // namespace plumbline
