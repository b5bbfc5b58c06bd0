#pragma once
// Best of n: the sample of each group that scored highest. No training of its own; as data for sft.h it is
// rejection sampling.

#include <cstddef>
#include <span>
#include <vector>

#include "core/training/policy_gradient.h"
#include "core/training/sft.h"

namespace plumbline {

/// Of each group of settings.group_size rollouts, the index of the one with the highest effective score; the
/// first of equals. Throws ConfigError, Error for rollouts that are not whole groups, NonFinite for a score
/// that is no number.
std::vector<std::size_t> best_of_groups(std::span<const Rollout> rollouts,
                                        const PolicyGradientSettings& settings);

/// The best ones as demonstrations. Groups of equal scores have no best and are left out, replies of no
/// tokens too.
std::vector<Demonstration> best_as_demonstrations(std::span<const Rollout> rollouts,
                                                  const PolicyGradientSettings& settings);

/// Upper bound of KL(best of n || policy), nats: log n - (n - 1) / n. Throws ConfigError for n < 1.
double best_of_n_kl(int n);

}  // namespace plumbline
