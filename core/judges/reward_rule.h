#pragma once
// One rule of a reward. Each has its own small file; reward_rule_catalogue.cpp lists them.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/judges/reward_rules.h"

namespace plumbline {

class RewardRule {
  public:
    virtual ~RewardRule() = default;
    /// Unweighted. Throws Error when the reply cannot be scored.
    virtual double score(const RuleInput& input, std::optional<double> model_score) const = 0;
    virtual bool needs_model() const { return false; }
    virtual bool needs_likelihood() const { return false; }
};

using RuleArguments = std::vector<std::string>;

// Makers throw ConfigError "reward: …" for arguments that the rule cannot use.
std::unique_ptr<RewardRule> make_keyword_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_lexicon_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_lexicon_share_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_length_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_regex_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_regex_count_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_repetition_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_format_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_judge_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_likelihood_rule(const RuleArguments& arguments);
std::unique_ptr<RewardRule> make_model_rule(const RuleArguments& arguments);

struct RuleEntry {
    const char* name;
    const char* usage;         // "length(WORDS)"
    const char* summary;       // one sentence
    std::size_t fewest, most;  // arguments
    std::unique_ptr<RewardRule> (*make)(const RuleArguments&);
};
const std::vector<RuleEntry>& rule_entries();

/// A whole number of `least`..`most` from an argument. Throws ConfigError naming the rule.
int whole_number(const std::string& argument, const std::string& rule, int least, int most);

}  // namespace plumbline
