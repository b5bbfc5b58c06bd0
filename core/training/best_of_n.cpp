#include "core/training/best_of_n.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/api/errors.h"
#include "core/training/finite.h"

namespace plumbline {

namespace {

std::vector<double> scores_of(std::span<const Rollout> rollouts, const PolicyGradientSettings& settings) {
    validate(settings, 1);
    const auto group = static_cast<std::size_t>(settings.group_size);
    if (rollouts.size() % group != 0) {
        throw Error("choose the best", std::to_string(rollouts.size()) + " replies are not whole groups of " +
                                           std::to_string(group) + "; draw group_size for each prompt");
    }
    std::vector<double> scores;
    for (const Rollout& r : rollouts) {
        scores.push_back(finite(effective_score(r, settings), "the score of a sampled reply"));
    }
    return scores;
}

}  // namespace

std::vector<std::size_t> best_of_groups(std::span<const Rollout> rollouts,
                                        const PolicyGradientSettings& settings) {
    const std::vector<double> scores = scores_of(rollouts, settings);
    std::vector<std::size_t> out;
    for (auto begin = scores.begin(); begin != scores.end(); begin += settings.group_size) {
        out.push_back(
            static_cast<std::size_t>(std::max_element(begin, begin + settings.group_size) - scores.begin()));
    }
    return out;
}

std::vector<Demonstration> best_as_demonstrations(std::span<const Rollout> rollouts,
                                                  const PolicyGradientSettings& settings) {
    const std::vector<double> scores = scores_of(rollouts, settings);
    std::vector<Demonstration> out;
    for (const std::size_t best : best_of_groups(rollouts, settings)) {
        const std::size_t first = best - best % static_cast<std::size_t>(settings.group_size);
        const auto group = std::span(scores).subspan(first, static_cast<std::size_t>(settings.group_size));
        const bool has_a_best = group.size() == 1 || *std::ranges::min_element(group) < scores[best];
        if (has_a_best && rollouts[best].sequence.reply_length() > 0) {
            out.push_back({rollouts[best].sequence, rollouts[best].lower});
        }
    }
    return out;
}

double best_of_n_kl(int n) {
    if (n < 1) {
        throw ConfigError("best of n", "n is " + std::to_string(n) + "; use 1 or more");
    }
    return std::log(n) - (n - 1.0) / n;
}

}  // namespace plumbline
