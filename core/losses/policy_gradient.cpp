#include "core/losses/policy_gradient.h"

#include <ATen/ATen.h>

#include <vector>

namespace plumbline {

using at::Tensor;

namespace {

Tensor ratio_of(const Tensor& logprobs, const Tensor& old_logprobs) {
    return (logprobs - old_logprobs).clamp(-20, 20).exp();
}

Tensor reply_lengths(std::span<const std::int64_t> reply_starts) {
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 1; i < reply_starts.size(); ++i) {
        lengths.push_back(reply_starts[i] - reply_starts[i - 1]);
    }
    return at::tensor(lengths, at::kLong);  // (B)
}

}  // namespace

Tensor leave_one_out_advantages(const Tensor& rewards) {
    const double others = static_cast<double>(rewards.size(1) - 1);
    const Tensor baseline = (rewards.sum(1, /*keepdim=*/true) - rewards) / others;  // (P, G)
    return rewards - baseline;
}

Tensor group_centred_advantages(const Tensor& rewards) {
    return rewards - rewards.mean(1, /*keepdim=*/true);
}

Tensor group_normalised_advantages(const Tensor& rewards) {
    const Tensor deviation = rewards.std(1, /*unbiased=*/true, /*keepdim=*/true);  // (P, 1)
    return group_centred_advantages(rewards) / (deviation + 1e-4);
}

double share_of_equal_groups(const Tensor& rewards) {
    return rewards.amax(1).eq(rewards.amin(1)).to(at::kDouble).mean().item<double>();
}

Tensor clipped_sequence_loss(const Tensor& logprobs, const Tensor& old_logprobs, const Tensor& advantages,
                             double range) {
    const Tensor ratio = ratio_of(logprobs, old_logprobs);  // (B)
    return -at::minimum(ratio * advantages, ratio.clamp(1 - range, 1 + range) * advantages);
}

Tensor clipped_token_loss(const Tensor& logprobs, const Tensor& old_logprobs, const Tensor& advantages,
                          double clip_low, double clip_high) {
    const Tensor ratio = ratio_of(logprobs, old_logprobs);  // (M)
    return at::maximum(-advantages * ratio, -advantages * ratio.clamp(1 - clip_low, 1 + clip_high));
}

RatioMetrics ratio_metrics(const Tensor& logprobs, const Tensor& old_logprobs, const Tensor& advantages,
                           double clip_low, double clip_high) {
    const Tensor difference = (logprobs - old_logprobs).detach().clamp(-20, 20);  // (M)
    const Tensor ratio = difference.exp();
    const Tensor clipped = (-advantages * ratio.clamp(1 - clip_low, 1 + clip_high)).gt(-advantages * ratio);
    return {ratio, 0.5 * difference.square(), clipped.to(ratio.scalar_type())};
}

Tensor average_tokens(const Tensor& per_token, std::span<const std::int64_t> reply_starts,
                      Averaging averaging, double constant) {
    const auto replies = static_cast<double>(reply_starts.size() - 1);
    switch (averaging) {
        case Averaging::grpo: {
            const Tensor lengths = reply_lengths(reply_starts).to(per_token.options());  // (B)
            return (per_token / spread_to_tokens(lengths, reply_starts)).sum() / replies;
        }
        case Averaging::dr_grpo:
            return per_token.sum() / (replies * constant);
        case Averaging::dapo:
            return per_token.sum() / std::max<double>(1, static_cast<double>(per_token.size(0)));
    }
    return {};
}

Tensor spread_to_tokens(const Tensor& values, std::span<const std::int64_t> reply_starts) {
    return values.index_select(
        0, at::repeat_interleave(reply_lengths(reply_starts)).to(values.device()));  // (M)
}

Tensor kl_k1(const Tensor& policy, const Tensor& reference) {
    return policy - reference;
}

Tensor kl_k3(const Tensor& policy, const Tensor& reference) {
    const Tensor k1 = (policy - reference).clamp(-20, 20);
    return (-k1).exp() - 1 + k1;
}

Tensor token_entropy(const Tensor& logits, double temperature) {
    const Tensor logprobs = at::log_softmax(logits / temperature, -1);  // (M, V)
    return -(logprobs.exp() * logprobs).sum(-1);
}

Tensor sampled_negative_entropy(const Tensor& logprobs) {
    return 0.5 * logprobs.square();
}

}  // namespace plumbline
