// The reward rules by name.

#include <charconv>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/judges/reward_rule.h"

namespace plumbline {

const std::vector<RuleEntry>& rule_entries() {
    constexpr std::size_t many = 1000;
    static const std::vector<RuleEntry> all = {
        {"keyword", "keyword(WORDS)", "how often the reply has the word or phrase", 1, 1, make_keyword_rule},
        {"lexicon", "lexicon(A, B, ...)", "how often the reply has any of the words or phrases", 1, many,
         make_lexicon_rule},
        {"lexicon_share", "lexicon_share(A, B, ...)", "the same as a share of the reply's words", 1, many,
         make_lexicon_share_rule},
        {"length", "length(WORDS)", "minus the distance from so many words, as a share of them", 1, 1,
         make_length_rule},
        {"regex", "regex(\"PATTERN\")", "1 if the pattern is found, else 0", 1, 1, make_regex_rule},
        {"regex_count", "regex_count(\"PATTERN\")", "how often the pattern is found", 1, 1,
         make_regex_count_rule},
        {"repetition", "repetition(N)",
         "minus the share of runs of N words (3) that came before in the reply", 0, 1, make_repetition_rule},
        {"format", "format(KIND)", "1 if the reply is: json, punctuation (at its end), one_sentence, ended",
         1, 1, make_format_rule},
        {"judge", "judge(NAME)", "the score of a simulated person", 1, 1, make_judge_rule},
        {"likelihood", "likelihood", "mean log-probability a token under the reference model, nats", 0, 0,
         make_likelihood_rule},
        {"model", "model", "the learned reward model's normalised score", 0, 0, make_model_rule},
    };
    return all;
}

std::vector<CatalogRule> catalog_rules() {
    std::vector<CatalogRule> out;
    for (const RuleEntry& entry : rule_entries()) {
        out.push_back({entry.name, entry.usage, entry.summary});
    }
    return out;
}

int whole_number(const std::string& argument, const std::string& rule, int least, int most) {
    int value = 0;
    const char* end = argument.data() + argument.size();
    const auto [stop, error] = std::from_chars(argument.data(), end, value);
    if (error != std::errc() || stop != end || value < least || value > most) {
        throw ConfigError("reward", rule + "(" + argument + ") is not a whole number of " +
                                        std::to_string(least) + ".." + std::to_string(most) + "; correct it");
    }
    return value;
}

}  // namespace plumbline
