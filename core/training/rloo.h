#pragma once
// REINFORCE leave-one-out on sampled replies: the gradient of one batch. Leaves out: sampling, the reward, the step.

#include <span>
#include <vector>

#include "core/training/dpo.h"

namespace plumbline {

/// One sampled reply with its price. Rollouts of one prompt stand together, `group_size` of them.
struct Rollout {
    Sequence sequence;
    at::Tensor lower;               // may be undefined
    double logprob = 0;             // policy when sampled, summed, at the sampling temperature
    double reference_logprob = 0;   // reference, the same way
    double score = 0;               // the reward model's
    bool ended = true;              // with EOS
};

struct RlooSettings {
    double beta = 0.05, temperature = 0.9, clip_range = 0.2, missing_eos_reward = -1;
    int group_size = 4;
};

/// Adds the gradient of the mean clipped objective to the adapter's .grad, one group at a time. Metrics:
/// loss/policy, objective/score, objective/kl, objective/rlhf_reward, policy/ratio, tokens/eos_rate,
/// tokens/response_length.
Metrics rloo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const RlooSettings& settings, const Pulse& pulse);

}  // namespace plumbline
