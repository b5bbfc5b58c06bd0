#pragma once
// The trained reward model: LoRA on the backbone and a scalar head read at the last reply token.

#include <span>
#include <vector>

#include "core/model/lora.h"
#include "core/training/dpo.h"

namespace plumbline {

struct PeftAdapter;

struct RewardModel {
    LoraAdapter adapter;
    at::Tensor head;   // (1, D)

    /// Head ~ N(0, 1/sqrt(D + 1)) from `seed`.
    static RewardModel fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed);
    /// Throws Error when the folder has no reward head that fits.
    static RewardModel from_peft(const DecoderConfig& model, const PeftAdapter& peft);
    void to_peft(PeftAdapter& peft) const;
    std::vector<at::Tensor> tensors() const;
    std::vector<std::string> tensor_names() const;
    void require_grad(bool on);
};

/// The head's value at every reply token: (M). Differentiable.
at::Tensor token_rewards(const Decoder& decoder, const RewardModel& model, const PackedBatch& batch, const Pulse& pulse);

struct RewardPair {
    Sequence chosen, rejected;
};

/// Adds the gradient of the mean Bradley-Terry loss to the model's .grad. Metrics: loss/reward, reward/accuracy,
/// reward/margin, reward/min, reward/mean, reward/max.
Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardPair> pairs,
                         double center, const Pulse& pulse);

}  // namespace plumbline
