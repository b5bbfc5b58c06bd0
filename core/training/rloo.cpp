#include "core/training/rloo.h"

#include <ATen/ATen.h>

#include "core/losses/policy_gradient.h"
#include "core/training/finite.h"

namespace plumbline {

using at::Tensor;

Metrics rloo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const PolicyGradientSettings& settings, const Pulse& pulse) {
    validate(settings, 2);
    if (rollouts.empty()) {
        return {};
    }
    const Tensor rewards = grouped_rewards(rollouts, settings);                                 // (P, G)
    const Tensor advantages = clipped_advantages(leave_one_out_advantages(rewards), settings);  // (B)
    Metrics total = rollout_metrics(rollouts, settings);

    const auto n = static_cast<double>(rollouts.size());
    const auto group = static_cast<std::size_t>(settings.group_size);
    for (std::size_t begin = 0; begin < rollouts.size(); begin += group) {
        pulse.check();
        const RolloutBatch batch = batch_of(rollouts.subspan(begin, group), adapter);
        if (batch.packed.targets.numel() == 0) {
            total["policy/ratio"] +=
                static_cast<double>(group) / n;  // replies of no tokens are as likely as ever
            continue;
        }
        const Tensor per_token = batch_logprobs(decoder, adapter, batch, settings, pulse);  // (M)
        const Tensor a = advantages.narrow(0, static_cast<std::int64_t>(begin), settings.group_size)
                             .to(per_token.device());                                  // (G)
        const Tensor logprobs = sum_replies(batch.packed, per_token);                  // (G)
        const Tensor old = sum_replies(batch.packed, old_logprobs(batch, per_token));  // (G)
        Tensor loss = clipped_sequence_loss(logprobs, old, a, settings.clip_range).sum() / n;
        if (const Tensor kl = loss_kl(per_token, batch, settings); kl.defined()) {
            loss = loss + kl.sum() / n;
        }
        total["loss/policy"] += finite(loss.item<double>(), "the RLOO loss");
        loss.backward();

        const RatioMetrics seen = ratio_metrics(logprobs, old, a, settings.clip_range, settings.clip_range);
        total["policy/ratio"] += seen.ratio.sum().item<double>() / n;
        total["policy/approxkl"] += seen.approx_kl.sum().item<double>() / n;
        total["policy/clipfrac"] += seen.clipped.sum().item<double>() / n;
    }
    return total;
}

}  // namespace plumbline
