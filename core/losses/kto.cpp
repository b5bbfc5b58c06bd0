#include "core/losses/kto.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

KtoLoss kto_loss(const Tensor& policy, const Tensor& reference, const Tensor& desirable, const Tensor& z,
                 double beta, double desirable_weight, double undesirable_weight) {
    const Tensor logratio = policy - reference;           // (B)
    const Tensor above = beta * (logratio - z.detach());  // (B)
    const Tensor losses = at::where(desirable, desirable_weight * (1 - above.sigmoid()),
                                    undesirable_weight * (1 - (-above).sigmoid()));  // eq. 7
    return {losses, (beta * logratio).detach()};
}

Tensor kto_kl(const Tensor& mismatched_policy, const Tensor& mismatched_reference) {
    const Tensor logratio = (mismatched_policy - mismatched_reference).detach();  // (B')
    return logratio.numel() == 0 ? at::zeros({}, logratio.options()) : logratio.mean().clamp_min(0);
}

}  // namespace plumbline
