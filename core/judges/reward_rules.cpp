// The weighted sum of rules.

#include "core/judges/reward_rules.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/api/errors.h"
#include "core/judges/reward_rule.h"

namespace plumbline {

RewardMix::RewardMix(std::vector<RewardPart> parts) : parts_(std::move(parts)) {
    std::set<std::string> taken;
    for (RewardPart& part : parts_) {
        const std::string rule = part.name;
        for (int number = 2; !taken.insert(part.name).second; ++number) {
            part.name = rule + "_" + std::to_string(number);
        }
    }
}

RewardScore RewardMix::score(const RuleInput& input, std::optional<double> model_score) const {
    RewardScore out;
    for (const RewardPart& part : parts_) {
        double value = part.weight * part.rule->score(input, model_score);
        if (!std::isfinite(value)) {
            throw Error("score reply", "the reward's part " + part.name + " is " + std::to_string(value) +
                                           "; leave it out, or go back to an earlier reward model");
        }
        value = part.low ? std::max(value, *part.low) : value;
        value = part.high ? std::min(value, *part.high) : value;
        out.total += value;
        out.parts.push_back({part.name, value});
    }
    return out;
}

bool RewardMix::needs_model() const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const RewardPart& p) { return p.rule->needs_model(); });
}

bool RewardMix::needs_likelihood() const {
    return std::any_of(parts_.begin(), parts_.end(),
                       [](const RewardPart& p) { return p.rule->needs_likelihood(); });
}

std::vector<std::string> RewardMix::names() const {
    std::vector<std::string> out;
    for (const RewardPart& part : parts_) {
        out.push_back(part.name);
    }
    return out;
}

}  // namespace plumbline
