#include "core/training/ppo.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>

#include "core/api/errors.h"
#include "core/losses/policy_gradient.h"
#include "core/losses/ppo.h"
#include "core/sampling/counter_random.h"
#include "core/training/finite.h"
#include "core/training/token_logprobs.h"

namespace plumbline {

using at::Tensor;

namespace {

void check(const PolicyGradientSettings& settings) {
    validate(settings, 1);
    if (settings.kl_in != KlPlace::reward) {
        throw ConfigError("settings", "kl_in is loss; ppo has the KL penalty in the reward of each token");
    }
}

Tensor as_tensor(std::span<const std::vector<float>> parts) {
    std::vector<float> flat;
    for (const std::vector<float>& part : parts) {
        flat.insert(flat.end(), part.begin(), part.end());
    }
    return at::tensor(flat, at::kFloat);  // (M)
}

std::vector<std::vector<float>> split_replies(const Tensor& flat, std::span<const std::int64_t> starts) {
    const Tensor plain = flat.to(at::kCPU, at::kFloat).contiguous();
    const float* data = plain.const_data_ptr<float>();
    std::vector<std::vector<float>> out;
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        out.emplace_back(data + starts[i], data + starts[i + 1]);
    }
    return out;
}

// Where each reply's tokens begin when all are laid end to end.
std::vector<std::int64_t> starts_of(std::span<const Rollout> rollouts) {
    std::vector<std::int64_t> starts{0};
    for (const Rollout& r : rollouts) {
        starts.push_back(starts.back() + r.sequence.reply_length());
    }
    return starts;
}

// The penalties of each token, and the score at the last: (M) float.
Tensor rewards_of(std::span<const Rollout> rollouts, std::span<const std::int64_t> starts,
                  const PolicyGradientSettings& settings) {
    std::vector<double> penalties, scores;
    for (const Rollout& r : rollouts) {
        finite(reward_of(r, settings), "the reward of a sampled reply");
        const std::vector<double> of_tokens = token_penalties(r, settings);
        penalties.insert(penalties.end(), of_tokens.begin(), of_tokens.end());
        scores.push_back(effective_score(r, settings));
    }
    // token_rewards subtracts beta * k1; the penalties have their sign and weight already.
    return token_rewards(-at::tensor(penalties, at::kDouble), at::tensor(scores, at::kDouble), starts, 1)
        .to(at::kFloat);
}

struct Outputs {
    Tensor logprobs;  // (M), differentiable in the adapter
    Tensor values;    // (M), differentiable in the head
};

Outputs outputs_of(const Decoder& decoder, const Adapter& adapter, const ValueHead& head,
                   const RolloutBatch& batch, double temperature, const Pulse& pulse) {
    const Tensor states = policy_states(decoder, &adapter, batch.packed, batch.lower, pulse);  // (M, D)
    Tensor seen;
    {
        const at::NoGradGuard no_grad;
        seen = decoder.final_norm(states, &adapter);  // (M, D)
    }
    return {token_logprobs(decoder, &adapter, states, batch.packed.targets, temperature, pulse), head(seen)};
}

// Sums over real tokens, divided at the end.
struct Sums {
    double tokens = 0, policy = 0, value = 0, ratio = 0, approx_kl = 0, clipped = 0, value_clipped = 0;

    void add(const Sums& other) {
        tokens += other.tokens, policy += other.policy, value += other.value, ratio += other.ratio;
        approx_kl += other.approx_kl, clipped += other.clipped, value_clipped += other.value_clipped;
    }
    void tell(Metrics& metrics) const {
        if (tokens > 0) {
            metrics["loss/policy"] = policy / tokens;
            metrics["loss/value"] = value / tokens;
            metrics["policy/ratio"] = ratio / tokens;
            metrics["policy/approxkl"] = approx_kl / tokens;
            metrics["policy/clipfrac"] = clipped / tokens;
            metrics["value/clipfrac"] = value_clipped / tokens;
        }
    }
};

/// The rollouts and targets of some indices.
struct Part {
    std::vector<Rollout> rollouts;
    Tensor values, advantages, returns;  // (M)
};

Part part_of(std::span<const Rollout> rollouts, const PpoTargets& targets,
             std::span<const std::size_t> chosen, const at::Device& device) {
    Part part;
    std::vector<std::vector<float>> values, advantages, returns;
    for (const std::size_t i : chosen) {
        part.rollouts.push_back(rollouts[i]);
        values.push_back(targets.values[i]);
        advantages.push_back(targets.advantages[i]);
        returns.push_back(targets.returns[i]);
    }
    part.values = as_tensor(values).to(device);
    part.advantages = as_tensor(advantages).to(device);
    part.returns = as_tensor(returns).to(device);
    return part;
}

// Adds the gradients of one part of a minibatch of `all_tokens` tokens.
Sums add_gradients(const Decoder& decoder, const Adapter& adapter, const ValueHead& head, const Part& part,
                   double all_tokens, const PolicyGradientSettings& settings, const Pulse& pulse) {
    const double range = settings.clip_range;
    const RolloutBatch batch = batch_of(part.rollouts, adapter);
    const Outputs now = outputs_of(decoder, adapter, head, batch, settings.temperature, pulse);
    const Tensor policy =
        clipped_token_loss(now.logprobs, batch.sampled_logprobs, part.advantages, range, range).sum();
    const Tensor value =
        clipped_value_loss(now.values, part.values, part.returns, settings.value_clip_range).sum();
    const RatioMetrics seen =
        ratio_metrics(now.logprobs, batch.sampled_logprobs, part.advantages, range, range);
    Sums sums;
    sums.tokens = static_cast<double>(batch.packed.targets.numel());
    sums.policy = finite(policy.item<double>(), "the PPO loss");
    sums.value = finite(value.item<double>(), "the loss of the value head");
    sums.ratio = seen.ratio.sum().item<double>();
    sums.approx_kl = seen.approx_kl.sum().item<double>();
    sums.clipped = seen.clipped.sum().item<double>();
    sums.value_clipped =
        (now.values.detach() - part.values).abs().gt(settings.value_clip_range).sum().item<double>();
    ((policy + settings.value_weight * value) / all_tokens).backward();
    return sums;
}

void clear_gradients(const std::vector<Tensor>& tensors) {
    for (const Tensor& t : tensors) {
        t.mutable_grad() = Tensor();
    }
}

}  // namespace

PpoTargets ppo_targets(const Decoder& decoder, const Adapter& adapter, const ValueHead& head,
                       std::span<const Rollout> rollouts, const PolicyGradientSettings& settings,
                       const Pulse& pulse) {
    check(settings);
    const std::vector<std::int64_t> starts = starts_of(rollouts);
    PpoTargets targets;
    if (starts.back() == 0) {
        targets.values = targets.advantages = targets.returns =
            std::vector<std::vector<float>>(rollouts.size());
        return targets;
    }
    Tensor rewards = rewards_of(rollouts, starts, settings);  // (M)
    if (settings.whiten_rewards) {
        rewards = whiten(rewards, Whitening::keep_mean);
    }
    std::vector<Tensor> parts;
    {
        const at::NoGradGuard no_grad;
        const auto group = static_cast<std::size_t>(settings.group_size);
        for (std::size_t begin = 0; begin < rollouts.size(); begin += group) {
            pulse.check();
            const RolloutBatch batch =
                batch_of(rollouts.subspan(begin, std::min(group, rollouts.size() - begin)), adapter);
            const Tensor states = policy_states(decoder, &adapter, batch.packed, batch.lower, pulse);
            parts.push_back(head(decoder.final_norm(states, &adapter)));
        }
    }
    const Tensor values = at::cat(parts).to(at::kCPU);  // (M)
    const Advantages gae =
        generalised_advantages(rewards, values, starts, settings.gae_gamma, settings.gae_lambda);
    targets.values = split_replies(values, starts);
    targets.returns = split_replies(gae.returns, starts);
    targets.advantages =
        split_replies(clipped_advantages(whiten(gae.advantages, Whitening::shift_to_zero), settings), starts);
    targets.explained_variance = explained_variance(values, gae.returns);
    return targets;
}

std::vector<std::vector<std::size_t>> ppo_minibatches(std::size_t rollouts, int minibatches,
                                                      std::uint64_t seed, std::uint64_t pass) {
    std::vector<std::size_t> order(rollouts);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = rollouts; i > 1; --i) {
        const double u = uniform(seed, Use::shuffle, pass, static_cast<std::uint32_t>(i));
        std::swap(order[i - 1], order[static_cast<std::size_t>(u * static_cast<double>(i))]);
    }
    const std::size_t parts = std::min(rollouts, static_cast<std::size_t>(std::max(1, minibatches)));
    std::vector<std::vector<std::size_t>> out;
    for (std::size_t part = 0; part < parts; ++part) {
        out.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(part * rollouts / parts),
                         order.begin() + static_cast<std::ptrdiff_t>((part + 1) * rollouts / parts));
    }
    return out;
}

PpoPass ppo_pass(const Decoder& decoder, const Adapter& adapter, const ValueHead& head,
                 std::span<const Rollout> rollouts, const PpoTargets& targets,
                 std::span<const std::vector<std::size_t>> minibatches,
                 const PolicyGradientSettings& settings, const std::function<void()>& take_step,
                 const Pulse& pulse) {
    check(settings);
    PpoPass pass;
    if (rollouts.empty()) {
        return pass;
    }
    pass.metrics = rollout_metrics(rollouts, settings);
    pass.metrics["value/explained_variance"] = targets.explained_variance;
    Sums of_pass;
    for (const std::vector<std::size_t>& minibatch : minibatches) {
        const auto tokens_of = [&](std::size_t count, std::size_t i) {
            return count + static_cast<std::size_t>(rollouts[i].sequence.reply_length());
        };
        const auto tokens = static_cast<double>(
            std::accumulate(minibatch.begin(), minibatch.end(), std::size_t{0}, tokens_of));
        if (tokens == 0) {
            continue;
        }
        Sums sums;
        const auto group = static_cast<std::size_t>(settings.group_size);
        for (std::size_t begin = 0; begin < minibatch.size(); begin += group) {
            pulse.check();
            const auto chosen =
                std::span(minibatch).subspan(begin, std::min(group, minibatch.size() - begin));
            const Part part = part_of(rollouts, targets, chosen, decoder.device());
            if (part.values.numel() > 0) {
                sums.add(add_gradients(decoder, adapter, head, part, tokens, settings, pulse));
            }
        }
        of_pass.add(sums);
        if (settings.target_kl > 0 && sums.approx_kl / tokens > 1.5 * settings.target_kl) {
            clear_gradients(adapter.tensors());
            clear_gradients(head.tensors());
            pass.stopped_early = true;
            break;
        }
        take_step();
    }
    of_pass.tell(pass.metrics);
    return pass;
}

}  // namespace plumbline
