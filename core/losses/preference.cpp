#include "core/losses/preference.h"

#include <ATen/ATen.h>

#include <string>

#include "core/api/errors.h"

namespace plumbline {

using at::Tensor;

namespace {

struct Logratios {
    Tensor chosen, rejected;  // (B)
    Tensor delta() const { return chosen - rejected; }
    PreferenceLoss with(Tensor losses, double beta) const {
        return {std::move(losses), (beta * chosen).detach(), (beta * rejected).detach()};
    }
};

// log(p / (1 - p)) of p = exp(mean).
Tensor log_odds(const Tensor& mean) {
    const Tensor bounded = mean.clamp_max(-1e-6);
    return bounded - (-at::expm1(bounded)).log();
}

}  // namespace

PreferenceLoss dpo_loss(const Tensor& policy_chosen, const Tensor& policy_rejected,
                        const Tensor& reference_chosen, const Tensor& reference_rejected, double beta) {
    const Logratios h{policy_chosen - reference_chosen, policy_rejected - reference_rejected};
    return h.with(-at::log_sigmoid(beta * h.delta()), beta);  // eq. 7
}

PreferenceLoss cdpo_loss(const Tensor& policy_chosen, const Tensor& policy_rejected,
                         const Tensor& reference_chosen, const Tensor& reference_rejected, double beta,
                         double label_smoothing) {
    const Logratios h{policy_chosen - reference_chosen, policy_rejected - reference_rejected};
    const Tensor logit = beta * h.delta();  // (B)
    const Tensor right = -at::log_sigmoid(logit), wrong = -at::log_sigmoid(-logit);
    return h.with((1 - label_smoothing) * right + label_smoothing * wrong, beta);
}

PreferenceLoss robust_dpo_loss(const Tensor& policy_chosen, const Tensor& policy_rejected,
                               const Tensor& reference_chosen, const Tensor& reference_rejected, double beta,
                               double label_smoothing) {
    if (!(label_smoothing >= 0 && label_smoothing < 0.5)) {
        throw ConfigError("robust DPO",
                          "label_smoothing is " + std::to_string(label_smoothing) +
                              "; use 0 or more and less than 0.5: at a half, labels say nothing");
    }
    const Logratios h{policy_chosen - reference_chosen, policy_rejected - reference_rejected};
    const Tensor logit = beta * h.delta();  // (B)
    const Tensor right = -at::log_sigmoid(logit), wrong = -at::log_sigmoid(-logit);
    return h.with(((1 - label_smoothing) * right - label_smoothing * wrong) / (1 - 2 * label_smoothing),
                  beta);
}

PreferenceLoss ipo_loss(const Tensor& policy_chosen, const Tensor& policy_rejected,
                        const Tensor& reference_chosen, const Tensor& reference_rejected,
                        const Tensor& chosen_tokens, const Tensor& rejected_tokens, double beta,
                        IpoDelta delta) {
    const Logratios h{policy_chosen - reference_chosen, policy_rejected - reference_rejected};
    const Tensor difference =
        delta == IpoDelta::sum ? h.delta() : h.chosen / chosen_tokens - h.rejected / rejected_tokens;  // (B)
    return h.with((difference - 1 / (2 * beta)).square(), beta);  // eq. 17
}

PreferenceLoss hinge_loss(const Tensor& policy_chosen, const Tensor& policy_rejected,
                          const Tensor& reference_chosen, const Tensor& reference_rejected, double beta) {
    const Logratios h{policy_chosen - reference_chosen, policy_rejected - reference_rejected};
    return h.with((1 - beta * h.delta()).clamp_min(0), beta);
}

PreferenceLoss simpo_loss(const Tensor& chosen_mean, const Tensor& rejected_mean, double beta, double gamma) {
    const Tensor losses = -at::log_sigmoid(beta * (chosen_mean - rejected_mean) - gamma);  // eq. 6
    return {losses, (beta * chosen_mean).detach(), (beta * rejected_mean).detach()};
}

PreferenceLoss orpo_loss(const Tensor& chosen_mean, const Tensor& rejected_mean, const Tensor& nll,
                         double lambda) {
    const Tensor ratio = log_odds(chosen_mean) - log_odds(rejected_mean);  // (B)
    const Tensor losses = nll - lambda * at::log_sigmoid(ratio);           // eq. 6-7
    return {losses, (lambda * chosen_mean).detach(), (lambda * rejected_mean).detach()};
}

Tensor bradley_terry_loss(const Tensor& chosen, const Tensor& rejected, double margin, double center) {
    return -at::log_sigmoid(chosen - rejected - margin) + center * (chosen + rejected).square();
}

}  // namespace plumbline
