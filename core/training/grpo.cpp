#include "core/training/grpo.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/losses/policy_gradient.h"
#include "core/training/finite.h"

namespace plumbline {

using at::Tensor;

namespace {

// Dr. GRPO leaves out the deviation: it would weigh easy and hard prompts more than others.
Tensor advantages_of(const Tensor& rewards, Averaging averaging) {
    return averaging == Averaging::dr_grpo ? group_centred_advantages(rewards)
                                           : group_normalised_advantages(rewards);
}

double reply_tokens(std::span<const Rollout> rollouts) {
    double tokens = 0;
    for (const Rollout& r : rollouts) {
        tokens += r.sequence.reply_length();
    }
    return tokens;
}

}  // namespace

Metrics grpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Rollout> rollouts,
                       const PolicyGradientSettings& settings, const Pulse& pulse) {
    validate(settings, 2);
    if (rollouts.empty()) {
        return {};
    }
    const Tensor rewards = grouped_rewards(rollouts, settings);  // (P, G)
    const Tensor advantages =
        clipped_advantages(advantages_of(rewards, settings.averaging), settings);  // (B)
    Metrics total = rollout_metrics(rollouts, settings);

    const double all_tokens = reply_tokens(rollouts), range = settings.clip_range;
    const auto group = static_cast<std::size_t>(settings.group_size);
    for (std::size_t begin = 0; begin < rollouts.size(); begin += group) {
        pulse.check();
        const RolloutBatch batch = batch_of(rollouts.subspan(begin, group), adapter);
        const std::vector<std::int64_t>& starts = batch.packed.reply_starts;
        const auto tokens = static_cast<double>(batch.packed.targets.numel());
        if (tokens == 0) {
            continue;
        }
        const Tensor logprobs = batch_logprobs(decoder, adapter, batch, settings, pulse);  // (M)
        const Tensor old = old_logprobs(batch, logprobs);                                  // (M)
        const Tensor of_group = advantages.narrow(0, static_cast<std::int64_t>(begin), settings.group_size);
        const Tensor a = spread_to_tokens(of_group.to(logprobs.device()), starts);  // (M)
        Tensor losses = clipped_token_loss(logprobs, old, a, range, range);         // (M)
        if (const Tensor kl = loss_kl(logprobs, batch, settings); kl.defined()) {
            losses = losses + kl;
        }
        // This group's part of the average over all of them.
        const double share = settings.averaging == Averaging::dapo
                                 ? tokens / all_tokens
                                 : static_cast<double>(group) / static_cast<double>(rollouts.size());
        const Tensor loss =
            share * average_tokens(losses, starts, settings.averaging, settings.max_new_tokens);
        total["loss/policy"] += finite(loss.item<double>(), "the GRPO loss");
        loss.backward();

        const RatioMetrics seen = ratio_metrics(logprobs, old, a, range, range);
        total["policy/ratio"] += seen.ratio.sum().item<double>() / all_tokens;
        total["policy/approxkl"] += seen.approx_kl.sum().item<double>() / all_tokens;
        total["policy/clipfrac"] += seen.clipped.sum().item<double>() / all_tokens;
    }
    return total;
}

}  // namespace plumbline
