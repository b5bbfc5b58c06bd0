#pragma once
// Policy-gradient pieces: leave-one-out advantages, the clipped sequence objective, KL estimators.

#include <ATen/core/Tensor.h>

namespace plumbline {

/// rewards (P, G): G samples of each of P prompts -> (P, G): each minus the mean of the prompt's others
/// (RLOO, 2402.14740 eq. 7). G >= 2.
at::Tensor leave_one_out_advantages(const at::Tensor& rewards);

/// -min(rho A, clip(rho, 1 - range, 1 + range) A), rho = exp(logprob - old_logprob) of whole replies, the log-ratio
/// clamped to +-20 (1707.06347 eq. 7, per sequence). All (B).
at::Tensor clipped_sequence_loss(const at::Tensor& logprobs, const at::Tensor& old_logprobs,
                                 const at::Tensor& advantages, double range);

/// log pi - log pi_ref of sampled tokens: unbiased, of either sign (k1 of Schulman, "Approximating KL divergence").
at::Tensor kl_k1(const at::Tensor& policy, const at::Tensor& reference);
/// exp(-k1) - 1 + k1: unbiased, never negative, of lower variance (k3).
at::Tensor kl_k3(const at::Tensor& policy, const at::Tensor& reference);

}  // namespace plumbline
