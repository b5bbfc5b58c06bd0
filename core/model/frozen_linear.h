#pragma once
// A linear layer whose weight never changes: packed once for the CPU's matrix unit (tile_weight.h) or for oneDNN, with a
// gradient for its input and none for its weight.

#include <cstdint>
#include <functional>
#include <memory>

#include "core/model/decoder_config.h"

namespace at {
class Tensor;
}

namespace plumbline {

struct LinearInput;
class StoredWeight;
class TileWeight;

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
    /// The same of what the input computes; outside autograd that is computed in the weight's own type.
    at::Tensor operator()(const LinearInput& input) const;
    /// grad: (N, out), f32 or as raw_product gives it -> (N, in) f32: the product with the
    /// transposed weight, which oneDNN has packed at its first use.
    at::Tensor backward(const at::Tensor& grad) const;
    /// The same as it was computed, in f32 or bf16.
    at::Tensor raw_backward(const at::Tensor& grad) const;
    /// The product alone, outside autograd.
    at::Tensor product(const at::Tensor& x) const;
    /// The same as it was computed, in f32 or bf16.
    at::Tensor raw_product(const at::Tensor& x) const;
    at::Tensor raw_product(const LinearInput& input) const;
    /// What multiplies so many rows, where that is this processor's matrix unit; else nullptr.
    const TileWeight* tiles(std::int64_t rows) const;

    /// The weight as plain f32, (out, in), in memory of its own.
    at::Tensor dense() const;

    Precision precision() const;
    std::int64_t in() const;
    std::int64_t out() const;
    /// Makes now what backward() would make at its first use, when activations fill the memory.
    void prepare_backward() const;

    /// From then on up to StoredWeight::most_rows() rows are multiplied by the weight as its file has it, in place of the
    /// packed one. nullptr: never.
    void multiply_few_by(std::shared_ptr<const StoredWeight> stored);

    /// Rows `ids` (N) of the weight as (N, in) f32, rounded as the weight is: the embedding of a tied model.
    at::Tensor rows(const at::Tensor& ids) const;
    /// Where rows() reads, ids (N) -> (N, in) f32; call once after construction for an embedding; needed on the CPU
    /// only, where the weight is packed.
    using RowReader = std::function<at::Tensor(const at::Tensor& ids)>;
    void read_rows_by(RowReader reader);
    /// A plain copy of the weight for it.
    void keep_plain(const at::Tensor& weight);

  private:
    bool multiplies_stored(std::int64_t rows) const;

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace plumbline
