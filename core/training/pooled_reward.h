#pragma once
// The reward model that takes over from the linear head when labels are many: the same features, with
// low-rank adapters in the blocks below the one that they are read at, so that the features themselves learn.
// Leaves out: the uncertainty, for which the linear head is fitted on.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/model/lora.h"
#include "core/training/adamw.h"
#include "core/training/linear_reward.h"
#include "core/training/metrics.h"
#include "core/training/policy.h"

namespace plumbline {

/// Whether the pooled reward model scores instead of the linear head: from `threshold` usable labels (those
/// that are not skips) on, never where it is 0.
bool pooled_takes_over(int usable_labels, int threshold = 200);

/// r(x, y) = w . standardise(mean over y's tokens of the state entering the middle block, tokens of y). A
/// reply of no tokens has zeros for its state, as reference_facts gives. Shares tensors when copied.
struct PooledReward {
    LoraAdapter adapter;       // of the blocks below the middle; none in a model of one block
    at::Tensor weights;        // (F) double, F = D + 1
    FeatureScale scale;        // as it was when started; a step does not change it
    double ridge = 1;          // precision of the prior on each weight
    double tie_threshold = 1;  // theta, as the linear head's last fit has it: the caller keeps it so
    bool ties_as_half = false;
    double absolute_threshold = 0;  // between good and bad

    /// Starts exactly at the linear head that was fitted with `settings`: B = 0 and its weights, scale and
    /// tie threshold. `config.lora_first_block` counts from the model's first block and must be below the
    /// middle one; -1: the upper half of the blocks below it. Throws ConfigError otherwise, Error for
    /// features of another model.
    static PooledReward from_linear(const DecoderConfig& model, const LinearReward& linear,
                                    const RewardFitSettings& settings, const LoraConfig& config,
                                    std::uint64_t seed,
                                    at::Device device = at::kCPU);

    /// (B) double; differentiable in adapter and weights.
    at::Tensor rewards(const Decoder& decoder, std::span<const Sequence> replies, const Pulse& pulse) const;

    /// What trains, and its names for messages.
    std::vector<at::Tensor> tensors() const;
    std::vector<std::string> tensor_names() const;
    void require_grad(bool on);

    /// For checkpoints: tensors(), then mean and inverse deviation of the scale (F) each, then ridge, tie
    /// threshold, ties as half, absolute threshold in one (4) double tensor; copies. restore() takes them
    /// into a model of the same shape, in place, so that an optimiser keeps its parameters; throws Error
    /// where they do not fit.
    std::vector<at::Tensor> state() const;
    void restore(std::span<const at::Tensor> state);
};

/// Adds the gradient of mean(-log p(observation)) + ridge |w|^2 / (2 labels) to the model's .grad, one
/// observation at a time: over all labels that is the linear head's own objective a label, so w alone has
/// nothing to gain at the start. `labels`: how many observations there are in all, of which these are a
/// batch. Metrics: loss/reward (without the prior), reward/min, reward/mean, reward/max, and where an order
/// was stated reward/accuracy and reward/margin over all stated pairs. No observations: nothing. Throws
/// NonFinite, Stopped.
Metrics pooled_reward_gradients(const Decoder& decoder, const PooledReward& model,
                                std::span<const Sequence> replies,
                                std::span<const RewardObservation> observations, std::size_t labels,
                                const Pulse& pulse);

struct PooledRewardSettings {
    double lr = 1e-4;        // 0..10
    int batch_size = 8;      // observations a step, 1..1024; all of them where there are fewer
    double clip_norm = 1;    // global gradient norm; 0: no clipping
    std::uint64_t seed = 0;  // of the choice of observations, a function of seed and step
};

/// One step on a batch drawn without replacement. Adds grad_norm to the metrics.
Metrics pooled_reward_step(const Decoder& decoder, PooledReward& model, Optimizer& optimizer,
                           std::span<const Sequence> replies, std::span<const RewardObservation> observations,
                           const PooledRewardSettings& settings, const Pulse& pulse);

}  // namespace plumbline
