#pragma once
// The pooled reward model of a session with its optimiser, once labels are many: it starts as the linear
// head, and at every click follows that head's refit and takes a step of its own. Leaves out the uncertainty,
// which the linear head keeps.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/training/pooled_reward.h"

namespace plumbline {

/// Owned by a learner, used on the engine's thread. One step a click: a new label counts at once through the
/// refit, so that the steps have nothing to catch up with and only the features' slow training is theirs.
class TrainedReward {
  public:
    static constexpr double lr = 1e-4;       // of AdamW, as offline
    static constexpr double clip_norm = 1;   // global gradient norm
    static constexpr int clicks_a_step = 4;  // the new one and drawn ones

    /// Starts at the linear head, so that no score jumps. `lora`: rank and alpha; its first block is not
    /// read, the upper half of the blocks below the middle is adapted. Throws as PooledReward::from_linear.
    static std::unique_ptr<TrainedReward> start(const Decoder& decoder, const LinearReward& linear,
                                                const RewardFitSettings& settings, const LoraConfig& lora,
                                                std::uint64_t seed);

    /// r(x, y), each reply alone so that it does not depend on its neighbours' lengths. Throws Stopped.
    double score(const Sequence& reply, const Pulse& pulse) const;
    /// Takes the linear head's new fit, keeping what the steps have added to the one before it.
    void follow(const LinearReward& linear, const RewardFitSettings& settings);
    /// One step on these observations of `labels` in all; their metrics. Throws NonFinite, Stopped, with
    /// gradients cleared and nothing changed.
    Metrics step(std::span<const Sequence> replies, std::span<const RewardObservation> observations,
                 std::size_t labels, const Pulse& pulse);
    std::int64_t steps() const { return optimizer_->steps(); }

    /// Weights, moments, step count: a fixed number of bytes for a model and a LoRA configuration.
    std::vector<std::byte> save() const;
    /// Throws Error where the bytes are not a state of this model and configuration, or hold a number that is
    /// not finite.
    static std::unique_ptr<TrainedReward> restored(const Decoder& decoder, const LoraConfig& lora,
                                                   std::span<const std::byte> state);
    /// SHA-256 of save().
    std::string hash() const;

  private:
    TrainedReward(const Decoder& decoder, PooledReward model);
    /// All that save() writes after the step count, copies of the model's own.
    std::vector<at::Tensor> state() const;

    const Decoder* decoder_;
    PooledReward model_;
    at::Tensor
        base_;  // (F) double: the linear head's weights that it follows, of features scaled as the model's
    std::unique_ptr<AdamW> optimizer_;
};

}  // namespace plumbline
