#pragma once
// Proximal policy optimisation (1707.06347, as 1909.08593 has it for language) on sampled replies. Leaves
// out: sampling, the score, the optimisers. A caller's update reads
//
//     const PpoTargets targets = ppo_targets(decoder, adapter, head, rollouts, settings, pulse);
//     for (int epoch = 0; epoch < epochs; ++epoch) {
//         const PpoPass pass = ppo_pass(..., ppo_minibatches(rollouts.size(), minibatches, seed, epoch),
//         ...); if (pass.stopped_early) break;
//     }

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/training/policy_gradient.h"
#include "core/training/value_head.h"

namespace plumbline {

/// What the tokens of a batch of rollouts should lead to, fixed before its first step. One vector a rollout,
/// of one number a reply token; empty for a reply of no tokens.
struct PpoTargets {
    std::vector<std::vector<float>> values;      // the head's, before the update
    std::vector<std::vector<float>> advantages;  // whitened over all tokens of the batch
    std::vector<std::vector<float>> returns;     // advantages before whitening + values
    double explained_variance = 0;  // 1 - var(returns - values) / var(returns); 0 where var(returns) is 0
};

/// Per-token rewards (penalties, and the score at the last token), values, and generalised advantages. A reply
/// of no tokens has none of them: its score is lost. Throws ConfigError, NonFinite, Stopped.
PpoTargets ppo_targets(const Decoder& decoder, const Adapter& adapter, const ValueHead& head,
                       std::span<const Rollout> rollouts, const PolicyGradientSettings& settings,
                       const Pulse& pulse);

/// A seeded order of `rollouts` indices, cut into `minibatches` parts that differ by at most one in size,
/// none empty.
std::vector<std::vector<std::size_t>> ppo_minibatches(std::size_t rollouts, int minibatches,
                                                      std::uint64_t seed, std::uint64_t pass);

struct PpoPass {
    Metrics metrics;  // means over the minibatches that were looked at
    bool stopped_early =
        false;  // approxkl exceeded its limit: that minibatch was not stepped, nor were those after it
};

/// One pass over the minibatches (indices into rollouts): for each, adds the gradients of the policy's
/// clipped loss and of the clipped value loss to the adapter's and the head's .grad, settings.group_size
/// replies at a time, then calls take_step, which steps both optimisers and clears the gradients. Metrics:
/// rollout_metrics, loss/policy, loss/value, policy/ratio, policy/clipfrac, policy/approxkl, value/clipfrac,
/// value/explained_variance. No rollouts: nothing is called. Throws ConfigError, Error for rollouts that are
/// not whole groups, NonFinite, Stopped; after a throw the gradients are the caller's to clear.
PpoPass ppo_pass(const Decoder& decoder, const Adapter& adapter, const ValueHead& head,
                 std::span<const Rollout> rollouts, const PpoTargets& targets,
                 std::span<const std::vector<std::size_t>> minibatches,
                 const PolicyGradientSettings& settings, const std::function<void()>& take_step,
                 const Pulse& pulse);

}  // namespace plumbline
