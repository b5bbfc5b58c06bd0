#pragma once
// Rewards that nobody has to learn: rules that read a reply, and their weighted sum with a learned reward
// model.
//
//   keyword(sorry)*1 + length(20)*-0.5[-1,1] + regex("^[A-Z]")*0.3 + model*1
//
// A term is RULE, RULE*WEIGHT or WEIGHT*RULE, then [LOW,HIGH] to clip what the term adds to the sum. The
// rules are listed in catalog_rules(); resources/help/judges.md explains them.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// What a rule may read of a reply.
struct RuleInput {
    std::string prompt, text;
    int tokens = 0;
    bool ended = true;                             // false: it hit the length cap
    std::optional<double> mean_reference_logprob;  // of the reply's tokens, nats; for the rule `likelihood`
};

class RewardRule;

/// One term of the sum.
struct RewardPart {
    std::string name;  // the rule's, made unique by _2, _3 …; the metric is reward/part/<name>
    double weight = 1;
    std::optional<double> low, high;  // bounds of weight * score
    std::shared_ptr<const RewardRule> rule;
};

struct RewardScore {
    struct Part {
        std::string name;
        double value = 0;  // weighted and clipped
    };
    double total = 0;         // the sum of the parts
    std::vector<Part> parts;  // in the order of the text
};

/// Immutable value; may be used from any thread.
class RewardMix {
  public:
    explicit RewardMix(std::vector<RewardPart> parts);

    /// `model_score`: the learned reward model's normalised score, for the rule `model`. Throws Error naming
    /// the part when it needs a number that is missing, or when its value is not finite.
    RewardScore score(const RuleInput& input, std::optional<double> model_score = {}) const;

    bool needs_model() const;       // whether `model` is a part
    bool needs_likelihood() const;  // whether `likelihood` is a part
    std::vector<std::string> names() const;

  private:
    std::vector<RewardPart> parts_;
};

/// Throws ConfigError with the place of the mistake, counted in characters from 1.
RewardMix parse_reward_mix(std::string_view text);

}  // namespace plumbline
