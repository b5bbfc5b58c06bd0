#pragma once
// Losses on pairs, from log-probabilities of whole replies. Pure functions; the caller averages.
//
// "Sums" are the summed log-probabilities of a reply's tokens, "means" the same divided by their number; all
// (B), nats, reply tokens only. Delta = (log pi - log pi_ref)(chosen) - (log pi - log pi_ref)(rejected). beta
// > 0 weighs the KL.

#include <ATen/core/Tensor.h>

namespace plumbline {

/// Per-pair values (B). rewards: the implicit rewards that the loss compares, detached: beta (log pi - log
/// pi_ref), or beta times the mean log-probability where there is no reference.
struct PreferenceLoss {
    at::Tensor losses, chosen_rewards, rejected_rewards;
};

/// Direct preference optimisation, 2305.18290 eq. 7: -log sigmoid(beta Delta). Sums.
PreferenceLoss dpo_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                        const at::Tensor& reference_chosen, const at::Tensor& reference_rejected,
                        double beta);

/// Conservative DPO, 2305.18290 with labels smoothed by e = `label_smoothing` in [0, 1]: a label is wrong
/// with that probability: -(1 - e) log sigmoid(beta Delta) - e log sigmoid(-beta Delta). Sums. Its best beta
/// Delta is finite, log((1 - e) / e).
PreferenceLoss cdpo_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                         const at::Tensor& reference_chosen, const at::Tensor& reference_rejected,
                         double beta, double label_smoothing);

/// Robust DPO, 2403.00409: ((1 - e) l(Delta) - e l(-Delta)) / (1 - 2e), l = -log sigmoid(beta .): its
/// mean over labels of which a share e is flipped is DPO's loss on true labels. Sums; may be negative. Throws
/// ConfigError unless 0 <= e < 0.5.
PreferenceLoss robust_dpo_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                               const at::Tensor& reference_chosen, const at::Tensor& reference_rejected,
                               double beta, double label_smoothing);

/// What IPO's Delta is made of: sums as the paper writes it, or each reply's log-ratio divided by its tokens,
/// which keeps 1 / (2 beta) within reach of replies of any length (TRL's choice, confirmed by the paper's
/// authors).
enum class IpoDelta { sum, token_mean };

/// Identity preference optimisation, 2310.12036 eq. 17: (Delta - 1 / (2 beta))^2. Sums, and the replies'
/// tokens (B), each >= 1, read only for token_mean. rewards: beta times the summed log-ratios, as for DPO.
PreferenceLoss ipo_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                        const at::Tensor& reference_chosen, const at::Tensor& reference_rejected,
                        const at::Tensor& chosen_tokens, const at::Tensor& rejected_tokens, double beta,
                        IpoDelta delta);

/// Hinge on DPO's margin (SLiC, 2305.10425 eq. 2, normalised as in 2309.06657): max(0, 1 - beta Delta). Sums.
PreferenceLoss hinge_loss(const at::Tensor& policy_chosen, const at::Tensor& policy_rejected,
                          const at::Tensor& reference_chosen, const at::Tensor& reference_rejected,
                          double beta);

/// SimPO, 2405.14734 eq. 6: -log sigmoid(beta (mean_c - mean_r) - gamma), no reference. Means.
PreferenceLoss simpo_loss(const at::Tensor& chosen_mean, const at::Tensor& rejected_mean, double beta,
                          double gamma);

/// ORPO, 2403.07691 eq. 6-7: nll - lambda log sigmoid(log odds_c - log odds_r), odds = p / (1 - p), p =
/// exp(mean); no reference. Means, and `nll` (B): what supervised training would minimise on the chosen
/// reply, -mean_c as a rule. Means above -1e-6 count as -1e-6: the odds of certainty are infinite. rewards:
/// lambda times the means.
PreferenceLoss orpo_loss(const at::Tensor& chosen_mean, const at::Tensor& rejected_mean,
                         const at::Tensor& nll, double lambda);

/// Bradley-Terry with margin and centring: -log sigmoid(r_c - r_r - margin) + center (r_c + r_r)^2
/// (2307.09288 eq. 2; centring 2312.09244). All (B).
at::Tensor bradley_terry_loss(const at::Tensor& chosen, const at::Tensor& rejected, double margin,
                              double center);

}  // namespace plumbline
