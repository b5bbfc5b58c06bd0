#include "core/losses/preference.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

PreferenceLoss dpo_loss(const Tensor& policy_chosen, const Tensor& policy_rejected, const Tensor& reference_chosen,
                        const Tensor& reference_rejected, double beta) {
    const Tensor chosen = policy_chosen - reference_chosen;         // (B) log-ratios
    const Tensor rejected = policy_rejected - reference_rejected;   // (B)
    const Tensor losses = -at::log_sigmoid(beta * (chosen - rejected));   // eq. 7
    return {losses, (beta * chosen).detach(), (beta * rejected).detach()};
}

Tensor bradley_terry_loss(const Tensor& chosen, const Tensor& rejected, double margin, double center) {
    return -at::log_sigmoid(chosen - rejected - margin) + center * (chosen + rejected).square();
}

}  // namespace plumbline
