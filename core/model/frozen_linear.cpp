#include "core/model/frozen_linear.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/model/linear_input.h"
#include "core/model/onednn.h"
#include "core/model/stored_weight.h"
#include "core/model/tile_weight.h"

namespace plumbline {

using at::Tensor;

struct FrozenLinear::State {
    std::unique_ptr<const TileWeight> tiles;   // for this processor's matrix unit, in place of the two below; nullptr: none
    Tensor weight;                      // packed (CPU) or plain (elsewhere), (out, in)
    mutable Tensor transposed;          // the same of (in, out); made at the first backward
    std::shared_ptr<const StoredWeight> stored;   // nullptr: none
    RowReader read_rows;                // only for an embedding
    std::int64_t in = 0, out = 0;
    at::ScalarType dtype = at::kFloat;
    bool packed = false;

    Tensor multiply(const Tensor& x, const Tensor& w) const { return onednn::product(x.to(dtype).contiguous(), w); }
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
    state_->tiles = TileWeight::of(weight, precision);
    if (state_->tiles) {
        return;
    }
    const Tensor w = weight.to(state_->dtype);
    state_->weight = state_->packed ? onednn::pack(w) : w;
}

Tensor FrozenLinear::operator()(const Tensor& x) const {
    if (!x.requires_grad() || !at::GradMode::is_enabled()) {
        return product(x);
    }
    return FrozenLinearFunction::apply(x, reinterpret_cast<std::int64_t>(this));
}

Tensor FrozenLinear::operator()(const LinearInput& input) const {
    const bool trains = input.x.requires_grad() || (input.norm_weight.defined() && input.norm_weight.requires_grad());
    return trains && at::GradMode::is_enabled() ? (*this)(input.value()) : raw_product(input).to(at::kFloat);
}

Tensor FrozenLinear::product(const Tensor& x) const { return raw_product(x).to(at::kFloat); }

Tensor FrozenLinear::raw_product(const Tensor& x) const {
    if (multiplies_stored(x.size(0))) {
        return state_->stored->product(x.to(state_->dtype).contiguous());
    }
    return state_->tiles ? state_->tiles->product({x}) : state_->multiply(x, state_->weight);
}

Tensor FrozenLinear::raw_product(const LinearInput& input) const {
    return tiles(input.x.size(0)) ? state_->tiles->product(input) : raw_product(input.plain_value(state_->dtype));
}

const TileWeight* FrozenLinear::tiles(std::int64_t rows) const { return multiplies_stored(rows) ? nullptr : state_->tiles.get(); }

bool FrozenLinear::multiplies_stored(std::int64_t rows) const { return state_->stored && rows <= StoredWeight::most_rows(); }

void FrozenLinear::prepare_backward() const {
    if (!state_->tiles && !state_->transposed.defined()) {
        state_->transposed =
            state_->packed ? onednn::pack(state_->weight.to_dense().t()) : state_->weight.t().contiguous();
    }
}

Tensor FrozenLinear::raw_backward(const Tensor& grad) const {
    if (state_->tiles) {
        return state_->tiles->product_through(grad);
    }
    prepare_backward();
    return state_->multiply(grad, state_->transposed);
}

Tensor FrozenLinear::backward(const Tensor& grad) const { return raw_backward(grad).to(at::kFloat); }

Tensor FrozenLinear::dense() const {
    if (state_->tiles) {
        return state_->tiles->dense();
    }
    const Tensor plain = state_->packed ? state_->weight.to_dense() : state_->weight;
    return plain.to(at::kFloat).contiguous().clone();
}

Precision FrozenLinear::precision() const {
    return state_->dtype == at::kBFloat16 ? Precision::bf16 : Precision::f32;
}
std::int64_t FrozenLinear::in() const { return state_->in; }
std::int64_t FrozenLinear::out() const { return state_->out; }

void FrozenLinear::multiply_few_by(std::shared_ptr<const StoredWeight> stored) { state_->stored = std::move(stored); }

void FrozenLinear::read_rows_by(RowReader reader) { state_->read_rows = std::move(reader); }

void FrozenLinear::keep_plain(const Tensor& weight) {
    read_rows_by([plain = weight.to(state_->dtype)](const Tensor& ids) { return at::embedding(plain, ids); });
}

Tensor FrozenLinear::rows(const Tensor& ids) const {
    if (!state_->packed) {
        return at::embedding(state_->weight, ids).to(at::kFloat);
    }
    return state_->read_rows(ids).to(state_->dtype).to(at::kFloat);
}

}  // namespace plumbline
