#pragma once
// A linear layer whose weight never changes: packed once for the CPU's matrix kernels (oneDNN), with a gradient
// for its input and none for its weight.

#include <cstdint>
#include <memory>

#include "core/model/decoder_config.h"

namespace at {
class Tensor;
}

namespace plumbline {

/// Owned by a model; outlives every autograd graph that it took part in. Used on one thread at a time.
class FrozenLinear {
  public:
    FrozenLinear();
    /// weight: (out, in) f32 on the CPU or another device; packed on the CPU, kept plain elsewhere.
    FrozenLinear(const at::Tensor& weight, Precision precision);
    ~FrozenLinear();
    FrozenLinear(FrozenLinear&&) noexcept;
    FrozenLinear& operator=(FrozenLinear&&) noexcept;

    /// x: (N, in) f32 -> (N, out) f32; differentiable in x.
    at::Tensor operator()(const at::Tensor& x) const;
    /// grad: (N, out) -> (N, in): the product with the transposed weight, packed at its first use.
    at::Tensor backward(const at::Tensor& grad) const;
    /// The product alone, outside autograd.
    at::Tensor product(const at::Tensor& x) const;

    /// The weight as plain f32, (out, in), in memory of its own.
    at::Tensor dense() const;

    Precision precision() const;
    std::int64_t in() const;
    std::int64_t out() const;
    /// Rows `ids` (N) of the weight as (N, in) f32: the embedding of a tied model.
    at::Tensor rows(const at::Tensor& ids) const;
    /// Keeps a plain copy for rows(); call once after construction for an embedding.
    void keep_plain(const at::Tensor& weight);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace plumbline
