#pragma once
// What a block computes between its products, each in one pass over memory and outside autograd. On the CPU by the
// loops of row_loops.h, elsewhere by ATen; both give the same up to rounding, and tests hold them together.

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace plumbline {

/// h (N, D) f32, weight (D) -> h / sqrt(mean(h^2) + eps) * weight, in f32 or bf16.
at::Tensor rms_norm(const at::Tensor& h, const at::Tensor& weight, double eps, at::ScalarType type = at::kFloat);
/// grad (N, D) -> the gradient of h; the weight's is not computed.
at::Tensor rms_norm_backward(const at::Tensor& h, const at::Tensor& weight, const at::Tensor& grad, double eps);

/// gate_up (N, 2 M) in f32 or bf16, the gate's half first -> silu(gate) * up, (N, M), in f32 or bf16 (not f32 from bf16).
at::Tensor swiglu(const at::Tensor& gate_up, at::ScalarType type = at::kFloat);
at::Tensor swiglu_backward(const at::Tensor& gate_up, const at::Tensor& grad);   // (N, 2 M)

/// h f32 + x in f32 or bf16, of one shape -> f32.
at::Tensor sum(const at::Tensor& h, const at::Tensor& x);

/// The first `heads` heads of each row of x (N, W) turned by their position, cos and sin (N, r / 2), r <= d: rotary
/// positions of the first r entries of a head, halves against each other (the transformers library's pairing, not
/// GGUF's). `back` is the inverse.
struct Rotation {
    at::Tensor cos, sin;         // undefined: nothing turns
    std::int64_t head_dim = 0;   // d; 0: r
};
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation, std::int64_t heads, bool back = false);
/// The same in plain tensors, differentiable in x.
at::Tensor plain_rotate(const at::Tensor& x, const Rotation& rotation, std::int64_t heads, bool back = false);

/// logits (M, V) in f32 or bf16 -> log sum exp(logits / T) of each row, (M) f32.
at::Tensor log_sum_exp(const at::Tensor& logits, double inverse_temperature);
/// Overwrites logits (M, V) with upstream (M) times the gradient of the log-probability of targets (M) at that
/// temperature; normalizers (M) of log_sum_exp.
void chosen_gradient_(at::Tensor& logits, const at::Tensor& targets, const at::Tensor& normalizers,
                      const at::Tensor& upstream, double inverse_temperature);

}  // namespace plumbline
