#include "core/model/linear_input.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/model/row_ops.h"

namespace plumbline {

using at::Tensor;

Tensor LinearInput::value() const {
    const bool trains = x.requires_grad() || (norm_weight.defined() && norm_weight.requires_grad());
    if (!trains || !at::GradMode::is_enabled()) {
        return plain_value();
    }
    switch (kind) {
        case Kind::rms_norm: return at::rms_norm(x, {x.size(1)}, norm_weight, norm_eps);
        case Kind::swiglu: {
            const std::int64_t n = x.size(1) / 2;
            return at::silu(x.narrow(1, 0, n)) * x.narrow(1, n, n);
        }
        default: return x;
    }
}

Tensor LinearInput::plain_value(at::ScalarType type) const {
    switch (kind) {
        case Kind::rms_norm: return plumbline::rms_norm(x, norm_weight, norm_eps, type);
        case Kind::swiglu: return swiglu(x, type);
        default: return x.to(type);
    }
}

Tensor LinearInput::backward(const Tensor& grad) const {
    switch (kind) {
        case Kind::rms_norm: return rms_norm_backward(x, norm_weight, grad, norm_eps);
        case Kind::swiglu: return swiglu_backward(x, grad);
        default: return grad;
    }
}

}  // namespace plumbline
