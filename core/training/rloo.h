#pragma once
// REINFORCE leave-one-out (2402.14740) on sampled replies: the gradient of one batch. Leaves out: sampling,
// the score, the step.

#include <span>

#include "core/training/policy_gradient.h"

namespace plumbline {

/// Adds the gradient of the mean clipped sequence objective to the adapter's .grad, one group at a time. A KL
/// in the loss is summed over each reply. Metrics: rollout_metrics, loss/policy, policy/ratio,
/// policy/clipfrac, policy/approxkl (of sequences). No rollouts: nothing. Throws ConfigError for settings out
/// of range or a group of one, Error for rollouts that are not whole groups, NonFinite, Stopped.
Metrics rloo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const PolicyGradientSettings& settings, const Pulse& pulse);

}  // namespace plumbline
