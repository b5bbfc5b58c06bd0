#include "core/training/reinforce.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/training/finite.h"

namespace plumbline {

using at::Tensor;

void RunningBaseline::add(double batch_mean) {
    mean = batches == 0 ? batch_mean : decay * mean + (1 - decay) * batch_mean;
    ++batches;
}

Metrics reinforce_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                            const PolicyGradientSettings& settings, RunningBaseline& baseline,
                            const Pulse& pulse) {
    validate(settings, 1);
    if (rollouts.empty()) {
        return {};
    }
    const Tensor rewards = grouped_rewards(rollouts, settings).view({-1});  // (B)
    const double batch_mean = rewards.mean().item<double>();
    const double expected = baseline.batches == 0 ? batch_mean : baseline.mean;
    const Tensor advantages = clipped_advantages(rewards - expected, settings);  // (B)
    Metrics total = rollout_metrics(rollouts, settings);
    total["objective/baseline"] = expected;

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
        const Tensor of_group = advantages.narrow(0, static_cast<std::int64_t>(begin), settings.group_size);
        const Tensor per_token = batch_logprobs(decoder, adapter, batch, settings, pulse);  // (M)
        const Tensor logprobs = sum_replies(batch.packed, per_token);                       // (G)
        const Tensor a = of_group.to(logprobs.device());
        Tensor loss = -(a * logprobs).sum() / n;  // Williams 1992: grad E[R] = E[(R - b) grad log pi]
        if (const Tensor kl = loss_kl(per_token, batch, settings); kl.defined()) {
            loss = loss + kl.sum() / n;
        }
        total["loss/policy"] += finite(loss.item<double>(), "the REINFORCE loss");
        loss.backward();
        const Tensor difference =
            logprobs.detach() - sum_replies(batch.packed, old_logprobs(batch, per_token));
        total["policy/ratio"] += difference.clamp(-20, 20).exp().sum().item<double>() / n;
    }
    baseline.add(batch_mean);
    return total;
}

}  // namespace plumbline
