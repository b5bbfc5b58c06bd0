#pragma once
// A frozen weight in tiles for AMX (tile_kernels.h): one copy for the product and for the gradient through it.

#include <cstdint>
#include <memory>

#include <ATen/core/Tensor.h>

#include "core/model/decoder_config.h"
#include "core/model/tile_kernels.h"

namespace plumbline {

class TileWeight {
  public:
    /// weight (out, in), f32 on the CPU. nullptr where the processor has no AMX, or the weight is so small that a library
    /// is as quick.
    static std::unique_ptr<const TileWeight> of(const at::Tensor& weight, Precision precision);

    /// x: (N, in), f32 or bf16 -> x weight^T, (N, out), in the precision's type. Outside autograd.
    at::Tensor product(const at::Tensor& x) const;
    /// grad: (N, out), f32 or bf16 -> grad weight, (N, in), in the precision's type.
    at::Tensor product_through(const at::Tensor& grad) const;
    /// The weight as plain f32, (out, in), as the products see it.
    at::Tensor dense() const;

  private:
    TileWeight(const at::Tensor& weight, Precision precision);
    loops::TiledWeight tiled() const;

    at::Tensor panels_;
    loops::PanelShape shape_;
};

}  // namespace plumbline
