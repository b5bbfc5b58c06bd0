#pragma once
// Losses on pairs, from summed log-probabilities of whole replies. Pure functions; the caller averages.

#include <ATen/core/Tensor.h>

namespace plumbline {

/// Per-pair values (B). rewards: the implicit rewards beta (log pi - log pi_ref), detached.
struct PreferenceLoss {
    at::Tensor losses, chosen_rewards, rejected_rewards;
};

/// Direct preference optimisation, 2305.18290 eq. 7: -log sigmoid(beta Delta), Delta = (log pi - log pi_ref)(chosen)
/// minus the same of rejected. All arguments (B), nats; beta > 0 weighs the KL.
PreferenceLoss dpo_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                        const at::Tensor& reference_chosen, const at::Tensor& reference_rejected, double beta);

/// Bradley-Terry with margin and centring: -log sigmoid(r_c - r_r - margin) + center (r_c + r_r)^2 (2307.09288 eq. 2;
/// centring 2312.09244). All (B).
at::Tensor bradley_terry_loss(const at::Tensor& chosen, const at::Tensor& rejected, double margin, double center);

}  // namespace plumbline
