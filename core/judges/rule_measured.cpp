// likelihood, model: numbers that somebody else has measured on the reply.

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"

namespace plumbline {
namespace {

class LikelihoodRule final : public RewardRule {
  public:
    bool needs_likelihood() const override { return true; }
    /// 0 for a reply of no tokens, whose mean does not exist.
    double score(const RuleInput& input, std::optional<double>) const override {
        if (input.tokens == 0) {
            return 0;
        }
        if (!input.mean_reference_logprob) {
            throw Error(
                "score reply",
                "the rule likelihood needs the reference model's log-probabilities, which were not measured "
                "here; leave it out");
        }
        return *input.mean_reference_logprob;
    }
};

class ModelRule final : public RewardRule {
  public:
    bool needs_model() const override { return true; }
    double score(const RuleInput&, std::optional<double> model_score) const override {
        if (!model_score) {
            throw Error("score reply",
                        "the rule model needs a reward model, and there is none; give one or leave it out");
        }
        return *model_score;
    }
};

}  // namespace

std::unique_ptr<RewardRule> make_likelihood_rule(const RuleArguments&) {
    return std::make_unique<LikelihoodRule>();
}

std::unique_ptr<RewardRule> make_model_rule(const RuleArguments&) {
    return std::make_unique<ModelRule>();
}

}  // namespace plumbline
