#include "core/model/frozen_linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace plumbline {

using at::Tensor;

namespace {

// LibTorch's own packed path, reached through the dispatcher. It differs from at::linear by rounding only.
Tensor pack(const Tensor& weight) {
    static const auto op = c10::Dispatcher::singleton()
                               .findSchemaOrThrow("mkldnn::_reorder_linear_weight", "")
                               .typed<Tensor(const Tensor&, std::optional<c10::SymInt>)>();
    static const std::optional<c10::SymInt> any_rows;
    return op.call(weight.contiguous(), any_rows);
}

Tensor packed_product(const Tensor& x, const Tensor& packed) {
    using Scalars = c10::List<std::optional<at::Scalar>>;
    static const auto op =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("mkldnn::_linear_pointwise", "")
            .typed<Tensor(const Tensor&, const Tensor&, const std::optional<Tensor>&, c10::string_view, Scalars,
                          std::optional<c10::string_view>)>();
    static const Scalars no_scalars;
    return op.call(x, packed, std::nullopt, "none", no_scalars, "");
}

}  // namespace

struct FrozenLinear::State {
    Tensor weight;                      // packed (CPU) or plain (elsewhere), (out, in)
    mutable Tensor transposed;          // the same of (in, out); made at the first backward
    Tensor plain;                       // only for an embedding
    std::int64_t in = 0, out = 0;
    at::ScalarType dtype = at::kFloat;
    bool packed = false;

    Tensor multiply(const Tensor& x, const Tensor& w) const {
        const Tensor input = x.to(dtype).contiguous();
        return (packed ? packed_product(input, w) : at::linear(input, w)).to(at::kFloat);
    }
};

namespace {

struct FrozenLinearFunction : torch::autograd::Function<FrozenLinearFunction> {
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, std::int64_t layer) {
        context->saved_data["layer"] = layer;
        return reinterpret_cast<const FrozenLinear*>(layer)->product(x);
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list grads) {
        const auto* layer = reinterpret_cast<const FrozenLinear*>(context->saved_data["layer"].toInt());
        return {layer->backward(grads[0]), Tensor()};
    }
};

}  // namespace

FrozenLinear::FrozenLinear() = default;
FrozenLinear::~FrozenLinear() = default;
FrozenLinear::FrozenLinear(FrozenLinear&&) noexcept = default;
FrozenLinear& FrozenLinear::operator=(FrozenLinear&&) noexcept = default;

FrozenLinear::FrozenLinear(const Tensor& weight, Precision precision) : state_(std::make_unique<State>()) {
    state_->out = weight.size(0);
    state_->in = weight.size(1);
    state_->dtype = precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
    state_->packed = weight.device().is_cpu();
    const Tensor w = weight.to(state_->dtype);
    state_->weight = state_->packed ? pack(w) : w;
}

Tensor FrozenLinear::operator()(const Tensor& x) const {
    if (!x.requires_grad() || !at::GradMode::is_enabled()) {
        return product(x);
    }
    return FrozenLinearFunction::apply(x, reinterpret_cast<std::int64_t>(this));
}

Tensor FrozenLinear::product(const Tensor& x) const { return state_->multiply(x, state_->weight); }

Tensor FrozenLinear::backward(const Tensor& grad) const {
    if (!state_->transposed.defined()) {
        const Tensor plain = state_->packed ? state_->weight.to_dense() : state_->weight;
        const Tensor t = plain.t().contiguous();
        state_->transposed = state_->packed ? pack(t) : t;
    }
    return state_->multiply(grad, state_->transposed);
}

Tensor FrozenLinear::dense() const {
    const Tensor plain = state_->packed ? state_->weight.to_dense() : state_->weight;
    return plain.to(at::kFloat).contiguous().clone();
}

Precision FrozenLinear::precision() const {
    return state_->dtype == at::kBFloat16 ? Precision::bf16 : Precision::f32;
}
std::int64_t FrozenLinear::in() const { return state_->in; }
std::int64_t FrozenLinear::out() const { return state_->out; }

void FrozenLinear::keep_plain(const Tensor& weight) { state_->plain = weight.to(state_->dtype); }

Tensor FrozenLinear::rows(const Tensor& ids) const {
    return at::embedding(state_->plain, ids).to(at::kFloat);
}

}  // namespace plumbline
