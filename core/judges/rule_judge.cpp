// judge: how much of a simulated person's property the reply has.

#include "core/api/errors.h"
#include "core/api/judge.h"
#include "core/judges/reward_rule.h"

namespace plumbline {
namespace {

class JudgeRule final : public RewardRule {
  public:
    explicit JudgeRule(std::unique_ptr<Judge> judge) : judge_(std::move(judge)) {}
    double score(const RuleInput& input, std::optional<double>) const override {
        return judge_->score(input.prompt, {input.text, input.tokens, input.ended});
    }

  private:
    std::unique_ptr<Judge> judge_;
};

}  // namespace

std::unique_ptr<RewardRule> make_judge_rule(const RuleArguments& arguments) {
    const std::string& name = arguments.at(0);
    if (name == "keyword" || name.starts_with("rule:")) {
        throw ConfigError("reward",
                          "judge(" + name + ") is not possible; use the rule itself, e.g. keyword(sorry)");
    }
    return std::make_unique<JudgeRule>(make_judge(name, {}));
}

}  // namespace plumbline
