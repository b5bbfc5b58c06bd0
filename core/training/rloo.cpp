#include "core/training/rloo.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/losses/policy_gradient.h"
#include "core/training/adamw.h"

namespace plumbline {

using at::Tensor;

namespace {

// R = r - beta * KL, with k1 summed over the reply as KL; a reply without EOS gets the fixed score instead of r.
Tensor penalised_rewards(std::span<const Rollout> rollouts, const RlooSettings& settings) {
    std::vector<double> out;
    for (const Rollout& r : rollouts) {
        const double score = r.ended ? r.score : settings.missing_eos_reward;
        out.push_back(score - settings.beta * (r.logprob - r.reference_logprob));
    }
    return at::tensor(out, at::kDouble).view({-1, settings.group_size});   // (P, G)
}

}  // namespace

Metrics rloo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const RlooSettings& settings, const Pulse& pulse) {
    const auto n = static_cast<double>(rollouts.size());
    const Tensor rewards = penalised_rewards(rollouts, settings);
    const Tensor advantages = leave_one_out_advantages(rewards).to(at::kFloat).view({-1});   // (B)

    Metrics total;
    for (std::size_t begin = 0; begin < rollouts.size(); begin += settings.group_size) {
        pulse.check();
        std::vector<Sequence> sequences;
        std::vector<Tensor> lowers;
        std::vector<float> old;
        bool have_lower = true;
        for (const Rollout& r : rollouts.subspan(begin, settings.group_size)) {
            sequences.push_back(r.sequence);
            lowers.push_back(r.lower);
            have_lower = have_lower && r.lower.defined();
            old.push_back(static_cast<float>(r.logprob));
        }
        const PackedBatch batch = pack(sequences);
        const Tensor per_token = policy_logprobs(decoder, &adapter, batch, have_lower ? at::cat(lowers) : Tensor(),
                                                 settings.temperature, pulse);
        const Tensor sums = sum_replies(batch, per_token);   // (G)
        const Tensor losses = clipped_sequence_loss(
            sums, at::tensor(old), advantages.narrow(0, static_cast<std::int64_t>(begin), settings.group_size),
            settings.clip_range);
        const double value = losses.sum().item<double>();
        if (!std::isfinite(value)) {
            throw NonFinite("the RLOO loss is not finite");
        }
        (losses.sum() / n).backward();
        total["loss/policy"] += value / n;
        total["policy/ratio"] += (sums.detach() - at::tensor(old)).exp().sum().item<double>() / n;
    }
    for (const Rollout& r : rollouts) {
        total["objective/score"] += (r.ended ? r.score : settings.missing_eos_reward) / n;
        total["objective/kl"] += (r.logprob - r.reference_logprob) / n;
        total["tokens/eos_rate"] += r.ended / n;
        total["tokens/response_length"] += r.sequence.reply_length() / n;
    }
    total["objective/rlhf_reward"] = rewards.mean().item<double>();
    return total;
}

}  // namespace plumbline
