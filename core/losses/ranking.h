#pragma once
// Reward-model losses on more than plain pairs: rankings and ties. (Bradley-Terry: preference.h.)

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace plumbline {

/// Plackett-Luce: -log prod_{i < ranked} exp(r_i) / sum_{j >= i} exp(r_j) (Plackett, Applied Statistics 24,
/// 1975). rewards (..., N), N >= 2: best first in the last dimension, the first `ranked` places given and the
/// rest unordered; ranked = 1 is a best-of-N choice, N - 1 and N say the same. -> (...). Throws Error unless
/// 1 <= ranked <= N.
at::Tensor plackett_luce_loss(const at::Tensor& rewards, std::int64_t ranked);

/// Rao-Kupper ties (JASA 62, 1967): P(a > b) = e^a / (e^a + theta e^b), P(tie) = the rest
/// = (theta^2 - 1) P(a > b) P(b > a). r_a, r_b (B); outcomes (B) int64: 1 a is better, -1 b is, 0 a tie;
/// theta scalar, >= 1, may have a gradient -> (B), -log P(outcome). Throws Error for theta < 1, and for a tie
/// at theta = 1, which is impossible.
at::Tensor rao_kupper_loss(const at::Tensor& r_a, const at::Tensor& r_b, const at::Tensor& outcomes,
                           const at::Tensor& theta);
at::Tensor rao_kupper_loss(const at::Tensor& r_a, const at::Tensor& r_b, const at::Tensor& outcomes,
                           double theta);

}  // namespace plumbline
