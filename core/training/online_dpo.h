#pragma once
// Online DPO (2402.04792): the pairs that DPO trains on are drawn from the policy itself and judged by a reward. Leaves
// out: drawing, and DPO's gradient (preference.h).

#include <span>
#include <vector>

#include "core/training/policy_gradient.h"
#include "core/training/preference_pair.h"

namespace plumbline {

/// Of each group of settings.group_size rollouts the best against the worst by effective score; groups of equal scores
/// are left out. `reference_t1`: the reference's summed log-probs at temperature 1, one a rollout. Throws Error for
/// rollouts that are not whole groups or lack their reference.
std::vector<PreferencePair> best_against_worst(std::span<const Rollout> rollouts, std::span<const double> reference_t1,
                                               const PolicyGradientSettings& settings);

}  // namespace plumbline
