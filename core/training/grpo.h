#pragma once
// Group-relative policy optimisation (2402.03300; dr_grpo 2503.20783, dapo 2503.14476) on sampled replies:
// the gradient of one batch. Leaves out: sampling, the score, the step.

#include <span>

#include "core/training/policy_gradient.h"

namespace plumbline {

/// Adds the gradient of the mean token objective to the adapter's .grad, one group at a time: advantages are
/// the rewards of a group, less their mean, over their deviation (not for dr_grpo), and the ratio is clipped
/// token by token. A group of equal rewards teaches nothing. Metrics: rollout_metrics, loss/policy,
/// policy/ratio, policy/clipfrac, policy/approxkl (of tokens). No rollouts: nothing. Throws as
/// rloo_gradients.
Metrics grpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const PolicyGradientSettings& settings, const Pulse& pulse);

}  // namespace plumbline
