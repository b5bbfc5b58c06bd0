// length: 0 at the target, -1 at no words and at twice the target, and so on down.

#include <cmath>

#include "core/judges/reward_rule.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

class LengthRule final : public RewardRule {
  public:
    explicit LengthRule(int target) : target_(target) {}
    double score(const RuleInput& input, std::optional<double>) const override {
        return -std::abs(count_words(input.text) - target_) / static_cast<double>(target_);
    }

  private:
    int target_;  // words, at least 1
};

}  // namespace

std::unique_ptr<RewardRule> make_length_rule(const RuleArguments& arguments) {
    return std::make_unique<LengthRule>(whole_number(arguments.at(0), "length", 1, 100000));
}

}  // namespace plumbline
