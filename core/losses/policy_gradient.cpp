#include "core/losses/policy_gradient.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

Tensor leave_one_out_advantages(const Tensor& rewards) {
    const double others = static_cast<double>(rewards.size(1) - 1);
    const Tensor baseline = (rewards.sum(1, /*keepdim=*/true) - rewards) / others;   // (P, G)
    return rewards - baseline;
}

Tensor clipped_sequence_loss(const Tensor& logprobs, const Tensor& old_logprobs, const Tensor& advantages,
                             double range) {
    const Tensor ratio = (logprobs - old_logprobs).clamp(-20, 20).exp();   // (B)
    return -at::minimum(ratio * advantages, ratio.clamp(1 - range, 1 + range) * advantages);
}

Tensor kl_k1(const Tensor& policy, const Tensor& reference) { return policy - reference; }

Tensor kl_k3(const Tensor& policy, const Tensor& reference) {
    const Tensor k1 = (policy - reference).clamp(-20, 20);
    return (-k1).exp() - 1 + k1;
}

}  // namespace plumbline
