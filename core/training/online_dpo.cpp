#include "core/training/online_dpo.h"

#include "core/api/errors.h"

namespace plumbline {

std::vector<PreferencePair> best_against_worst(std::span<const Rollout> rollouts, std::span<const double> reference_t1,
                                               const PolicyGradientSettings& settings) {
    validate(settings, 2);
    const auto group = static_cast<std::size_t>(settings.group_size);
    if (rollouts.size() % group != 0 || reference_t1.size() != rollouts.size()) {
        throw Error("online DPO", std::to_string(rollouts.size()) + " replies with " +
                                      std::to_string(reference_t1.size()) + " references are not whole groups of " +
                                      std::to_string(group) + "; draw them again");
    }
    std::vector<PreferencePair> pairs;
    for (std::size_t begin = 0; begin < rollouts.size(); begin += group) {
        std::size_t best = begin, worst = begin;
        for (std::size_t i = begin; i < begin + group; ++i) {
            const double score = effective_score(rollouts[i], settings);
            best = score > effective_score(rollouts[best], settings) ? i : best;
            worst = score < effective_score(rollouts[worst], settings) ? i : worst;
        }
        const bool apart = effective_score(rollouts[best], settings) > effective_score(rollouts[worst], settings);
        if (apart && rollouts[best].sequence.reply_length() > 0 && rollouts[worst].sequence.reply_length() > 0) {
            pairs.push_back({rollouts[best].sequence, rollouts[worst].sequence, rollouts[best].lower,
                             rollouts[worst].lower, reference_t1[best], reference_t1[worst]});
        }
    }
    return pairs;
}

}  // namespace plumbline
