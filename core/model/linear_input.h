#pragma once
// What a linear layer of a block reads: a tensor, or what is computed from one on the way in. That is cheap enough to
// be computed again for the gradient instead of kept, which halves the memory of a training step.

#include <ATen/core/Tensor.h>

namespace plumbline {

struct LinearInput {
    enum class Kind { plain, rms_norm, swiglu };

    at::Tensor x;                // (N, in); (N, 2 in) for swiglu
    Kind kind = Kind::plain;
    at::Tensor norm_weight{};    // (in), for rms_norm
    double norm_eps = 0;

    /// (N, in), differentiable in x and norm_weight when they ask for it.
    at::Tensor value() const;
    /// The same outside autograd, in one pass, in f32 or bf16.
    at::Tensor plain_value(at::ScalarType type = at::kFloat) const;
    /// The gradient of plain_value(), (N, in) -> that of x.
    at::Tensor backward(const at::Tensor& grad) const;
};

}  // namespace plumbline
