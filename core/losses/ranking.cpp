#include "core/losses/ranking.h"

#include <ATen/ATen.h>

#include <string>

#include "core/api/errors.h"

namespace plumbline {

using at::Tensor;

Tensor plackett_luce_loss(const Tensor& rewards, std::int64_t ranked) {
    const std::int64_t n = rewards.size(-1);
    if (ranked < 1 || ranked > n) {
        throw Error("ranking loss", std::to_string(ranked) + " places are ranked of " + std::to_string(n) +
                                        " replies; rank at least one and no more than there are");
    }
    const Tensor rest =
        at::logcumsumexp(rewards.flip(-1), -1).flip(-1);    // (..., N) log of the sum over j >= i
    return (rest - rewards).narrow(-1, 0, ranked).sum(-1);  // (...)
}

Tensor rao_kupper_loss(const Tensor& r_a, const Tensor& r_b, const Tensor& outcomes, const Tensor& theta) {
    const double value = theta.item<double>();
    const bool ties = outcomes.eq(0).any().item<bool>();
    if (!(value >= 1) || (ties && value <= 1)) {
        throw Error("tie loss", "theta is " + std::to_string(value) +
                                    "; use 1 or more, and more than 1 where there are ties");
    }
    const Tensor difference = r_a - r_b;                          // (B)
    const Tensor a = at::log_sigmoid(difference - theta.log());   // (B) log P(a > b)
    const Tensor b = at::log_sigmoid(-difference - theta.log());  // (B) log P(b > a)
    const Tensor decided = at::where(outcomes.gt(0), a, b);       // (B)
    return ties ? -at::where(outcomes.eq(0), (theta.square() - 1).log() + a + b, decided) : -decided;
}

Tensor rao_kupper_loss(const Tensor& r_a, const Tensor& r_b, const Tensor& outcomes, double theta) {
    return rao_kupper_loss(r_a, r_b, outcomes, at::full({}, theta, r_a.options().requires_grad(false)));
}

}  // namespace plumbline
