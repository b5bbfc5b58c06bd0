// rule:…: a person who judges by any sum of rules.

#include "core/api/errors.h"
#include "core/judges/reward_rules.h"
#include "core/judges/rules.h"

namespace plumbline {
namespace {

class RuleSumJudge final : public Judge {
  public:
    explicit RuleSumJudge(RewardMix mix) : mix_(std::move(mix)) {}

    double score(const std::string& prompt, const JudgedReply& reply) const override {
        return mix_.score({prompt, reply.text, reply.tokens, reply.ended, {}}).total;
    }
    bool has_property(const std::string& prompt, const JudgedReply& reply,
                      double reference_median) const override {
        return score(prompt, reply) > reference_median;
    }

  private:
    RewardMix mix_;
};

}  // namespace

std::unique_ptr<Judge> make_rule_judge(const std::string& rules) {
    RewardMix mix = parse_reward_mix(rules);
    if (mix.needs_model() || mix.needs_likelihood()) {
        throw ConfigError("judge",
                          "the rules '" + rules +
                              "' ask for what a model says of the reply, which a person does not see; leave "
                              "out model and likelihood");
    }
    return std::make_unique<RuleSumJudge>(std::move(mix));
}

}  // namespace plumbline
