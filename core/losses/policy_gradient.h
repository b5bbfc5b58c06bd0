#pragma once
// Policy-gradient pieces: advantages of groups, clipped objectives of replies and of tokens, their averages,
// KL and entropy. Token tensors are packed: the M reply tokens of B replies end to end, no padding;
// reply_starts (B+1) are the offsets into M.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "core/api/configs.h"

namespace plumbline {

/// rewards (P, G): G samples of each of P prompts -> (P, G): each minus the mean of the prompt's others
/// (RLOO, 2402.14740 eq. 7). G >= 2.
at::Tensor leave_one_out_advantages(const at::Tensor& rewards);

/// GRPO, 2402.03300 eq. 3 ff.: (r - mean) / (deviation + 1e-4) in each prompt's group, the deviation with G
/// - 1. (P, G) -> (P, G), G >= 2; zeros in a group of equal rewards.
at::Tensor group_normalised_advantages(const at::Tensor& rewards);

/// The same without the division, which weighs easy and hard prompts alike (Dr. GRPO, 2503.20783).
at::Tensor group_centred_advantages(const at::Tensor& rewards);

/// Share of prompts whose rewards are all equal, 0..1: their advantages are zero and teach nothing. (P, G), P
/// >= 1.
double share_of_equal_groups(const at::Tensor& rewards);

/// -min(rho A, clip(rho, 1 - range, 1 + range) A), rho = exp(logprob - old_logprob) of whole replies, the
/// log-ratio clamped to +-20 (1707.06347 eq. 7, per sequence). All (B).
at::Tensor clipped_sequence_loss(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                                 const at::Tensor& advantages, double range);

/// The same per token, with a range for each side: max(-A rho, -A clip(rho, 1 - clip_low, 1 + clip_high))
/// (1707.06347 eq. 7; the higher upper side 2503.14476). advantages: each token's, detached. All (M) -> (M).
at::Tensor clipped_token_loss(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                              const at::Tensor& advantages, double clip_low, double clip_high);

/// What the clipped loss saw, detached, per token (M): the ratio; its contribution to policy/approxkl, half
/// the square of the log-ratio; and 1 where the clipped side was the larger loss (policy/clipfrac).
struct RatioMetrics {
    at::Tensor ratio, approx_kl, clipped;
};
RatioMetrics ratio_metrics(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                           const at::Tensor& advantages, double clip_low, double clip_high);

/// One number of token losses (M): grpo, each reply's mean, then their mean (2402.03300); dr_grpo, the sum
/// divided by B * constant, `constant` being the largest reply's length (2503.20783); dapo, the mean of all
/// tokens (2503.14476). A reply of no tokens counts as 0 in the first two. Only dr_grpo reads `constant`,
/// which is above 0. B >= 1.
at::Tensor average_tokens(const at::Tensor& per_token, std::span<const std::int64_t> reply_starts,
                          Averaging averaging, double constant);

/// values (B), one a reply -> (M), the reply's value at each of its tokens.
at::Tensor spread_to_tokens(const at::Tensor& values, std::span<const std::int64_t> reply_starts);

/// log pi - log pi_ref of sampled tokens: unbiased, of either sign (k1 of Schulman, "Approximating KL
/// divergence").
at::Tensor kl_k1(const at::Tensor& policy, const at::Tensor& reference);
/// exp(-k1) - 1 + k1: unbiased, never negative, of lower variance (k3).
at::Tensor kl_k3(const at::Tensor& policy, const at::Tensor& reference);

/// Exact entropy of softmax(logits / temperature), nats: (M, V) -> (M).
at::Tensor token_entropy(const at::Tensor& logits, double temperature);

/// (log pi)^2 / 2, elementwise: averaged over samples of pi it has the gradient of -H(pi), since
/// grad H = -E[log pi grad log pi]; added to a loss, an entropy bonus that needs no logits. Its value is not
/// -H.
at::Tensor sampled_negative_entropy(const at::Tensor& logprobs);

}  // namespace plumbline
