#include "core/losses/pair_losses.h"

#include <ATen/ATen.h>

#include <array>
#include <string>

#include "core/api/errors.h"

namespace plumbline {

namespace {

using P = PairLogprobs;
using S = PairLossSettings;

PreferenceLoss dpo(const P& p, const S& s) {
    return dpo_loss(p.policy_chosen, p.policy_rejected, p.reference_chosen, p.reference_rejected, s.beta);
}

PreferenceLoss cdpo(const P& p, const S& s) {
    return cdpo_loss(p.policy_chosen, p.policy_rejected, p.reference_chosen, p.reference_rejected, s.beta,
                     s.label_smoothing);
}

PreferenceLoss robust_dpo(const P& p, const S& s) {
    return robust_dpo_loss(p.policy_chosen, p.policy_rejected, p.reference_chosen, p.reference_rejected,
                           s.beta, s.label_smoothing);
}

PreferenceLoss ipo(const P& p, const S& s) {
    return ipo_loss(p.policy_chosen, p.policy_rejected, p.reference_chosen, p.reference_rejected,
                    p.chosen_tokens, p.rejected_tokens, s.beta, IpoDelta::token_mean);
}

PreferenceLoss hinge(const P& p, const S& s) {
    return hinge_loss(p.policy_chosen, p.policy_rejected, p.reference_chosen, p.reference_rejected, s.beta);
}

PreferenceLoss orpo(const P& p, const S& s) {
    const at::Tensor chosen = p.policy_chosen / p.chosen_tokens;  // (B)
    return orpo_loss(chosen, p.policy_rejected / p.rejected_tokens, -chosen, s.orpo_lambda);
}

PreferenceLoss simpo(const P& p, const S& s) {
    return simpo_loss(p.policy_chosen / p.chosen_tokens, p.policy_rejected / p.rejected_tokens, s.beta,
                      s.simpo_gamma);
}

//                        name, needs the reference, per token, function
constexpr std::array table{
    PairLoss{"dpo", true, false, dpo},
    PairLoss{"cdpo", true, false, cdpo},
    PairLoss{"robust-dpo", true, false, robust_dpo},
    PairLoss{"ipo", true, true, ipo},
    PairLoss{"hinge", true, false, hinge},
    PairLoss{"orpo", false, true, orpo},
    PairLoss{"simpo", false, true, simpo},
};

}  // namespace

std::span<const PairLoss> pair_losses() {
    return table;
}

const PairLoss& pair_loss(std::string_view name) {
    std::string names;
    for (const PairLoss& row : table) {
        if (row.name == name) {
            return row;
        }
        names += (names.empty() ? "" : ", ") + std::string(row.name);
    }
    throw ConfigError("pair loss", "there is none called \"" + std::string(name) + "\"; use one of " + names);
}

}  // namespace plumbline
