#pragma once
// The losses on pairs by name. A new loss is its function and one line of the table in pair_losses.cpp.

#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>

#include "core/losses/preference.h"

namespace plumbline {

/// What a loss on pairs reads; all (B). Log-probabilities are sums over reply tokens, nats; a loss that needs
/// means divides by the tokens itself. The reference may be undefined where `needs_reference` is false.
struct PairLogprobs {
    at::Tensor policy_chosen, policy_rejected;
    at::Tensor reference_chosen, reference_rejected;
    at::Tensor chosen_tokens, rejected_tokens;  // counts >= 1, in the log-probabilities' type
};

/// Each loss reads what it names.
struct PairLossSettings {
    double beta = 0.1;           // weight of the KL; for simpo the scale of the margin, 2 in its paper
    double label_smoothing = 0;  // cdpo, robust-dpo: share of wrong labels, 0 to below 0.5
    double simpo_gamma = 1.0;    // simpo: margin that the chosen reply must win by
    double orpo_lambda = 0.1;    // orpo: weight of the odds ratio beside the likelihood of the chosen reply
};

/// One row of the catalogue. Immutable.
struct PairLoss {
    std::string_view name;
    bool needs_reference;   // reads the reference's log-probabilities
    bool uses_token_means;  // compares log-probabilities per token, not per reply
    PreferenceLoss (*loss)(const PairLogprobs& pairs, const PairLossSettings& settings);
};

/// All of them: dpo, cdpo, robust-dpo, ipo (per token), hinge, orpo, simpo.
std::span<const PairLoss> pair_losses();
/// Throws ConfigError that lists the names when there is none called `name`.
const PairLoss& pair_loss(std::string_view name);

}  // namespace plumbline
