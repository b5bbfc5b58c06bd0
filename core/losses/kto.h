#pragma once
// KTO: learning from thumbs up and down, one reply at a time.

#include <ATen/core/Tensor.h>

namespace plumbline {

/// Per-reply values (B). rewards: beta (log pi - log pi_ref), detached.
struct KtoLoss {
    at::Tensor losses, rewards;
};

/// 2402.01306 eq. 7: w_d (1 - sigmoid(beta (h - z))) for desirable replies, w_u (1 - sigmoid(beta (z - h)))
/// for the others, h = log pi - log pi_ref of the reply. policy, reference (B) sums over reply tokens, nats;
/// desirable (B) bool; z: scalar, from kto_kl, no gradient flows through it.
KtoLoss kto_loss(const at::Tensor& policy, const at::Tensor& reference, const at::Tensor& desirable,
                 const at::Tensor& z, double beta, double desirable_weight, double undesirable_weight);

/// The batch's estimate of KL(pi || pi_ref) that KTO compares with: the mean log-ratio of replies paired with
/// prompts that they do not answer, at least 0, detached; 0 for an empty batch. Arguments (B'), nats ->
/// scalar.
at::Tensor kto_kl(const at::Tensor& mismatched_policy, const at::Tensor& mismatched_reference);

}  // namespace plumbline
