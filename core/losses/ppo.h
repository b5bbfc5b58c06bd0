#pragma once
// Pieces of PPO with a value head: rewards per token, generalised advantages, whitening, the clipped value
// loss. Token tensors are packed as in policy_gradient.h.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

namespace plumbline {

/// -beta k1_t at each token, plus the reply's score at its last (2009.01325). k1 (M), scores (B) ->
/// (M). The score of a reply of no tokens is lost.
at::Tensor token_rewards(const at::Tensor& k1, const at::Tensor& scores,
                         std::span<const std::int64_t> reply_starts, double beta);

/// (M) each: advantages, and what the value head should learn, advantages + values.
struct Advantages {
    at::Tensor advantages, returns;
};

/// One reply of T tokens: delta_t = r_t + gamma V_{t+1} - V_t, A_t = delta_t + gamma lambda A_{t+1}, V and A
/// 0 after the last token (1506.02438 eq. 16). rewards, values (T) -> (T), detached, in their type.
Advantages generalised_advantages(const at::Tensor& rewards, const at::Tensor& values, double gamma,
                                  double lambda);
/// The same for each of B packed replies. (M) -> (M).
Advantages generalised_advantages(const at::Tensor& rewards, const at::Tensor& values,
                                  std::span<const std::int64_t> reply_starts, double gamma, double lambda);

/// Whether whitening also shifts to mean 0: advantages do, rewards keep their mean.
enum class Whitening { shift_to_zero, keep_mean };

/// (x - mean) / sqrt(variance + 1e-8), plus the mean again for keep_mean; the variance with M - 1 over all M
/// values, 0 for a single one. (M) -> (M).
at::Tensor whiten(const at::Tensor& values, Whitening whitening);

/// 1/2 max((V - R)^2, (clip(V, V_old +- range) - R)^2), as PPO's first implementations have it. All (M) ->
/// (M).
at::Tensor clipped_value_loss(const at::Tensor& values, const at::Tensor& old_values,
                              const at::Tensor& returns, double range);

/// 1 - var(R - V) / var(R): 1 predicts perfectly, 0 no better than a constant, negative worse. 0 where R does
/// not vary.
double explained_variance(const at::Tensor& values, const at::Tensor& returns);

}  // namespace plumbline
