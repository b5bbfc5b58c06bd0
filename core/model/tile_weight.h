#pragma once
// A frozen weight in tiles for AMX (tile_kernels.h): one copy for the product and for the gradient through it.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder_config.h"
#include "core/model/linear_input.h"
#include "core/model/tile_kernels.h"

namespace plumbline {

class TileWeight {
  public:
    /// weight (out, in), f32 on the CPU. nullptr where the processor has no AMX, or the weight is so small that a library
    /// is as quick.
    static std::unique_ptr<const TileWeight> of(const at::Tensor& weight, Precision precision);

    std::int64_t in() const { return shape_.columns; }
    std::int64_t out() const { return shape_.rows; }

    /// x: (N, in) -> x weight^T, (N, out), in the precision's type. Outside autograd, as all here.
    at::Tensor product(const LinearInput& x) const;
    /// grad: (N, out), f32 or bf16 -> grad weight, (N, in), in the precision's type.
    at::Tensor product_through(const at::Tensor& grad) const;
    /// The weight as plain f32, (out, in), as the products see it.
    at::Tensor dense() const;

    /// A factor in the making: lays its rows [row, row + n), one panel, at `to`. Called on several threads.
    using Rows = std::function<void(std::int64_t row, std::int64_t n, std::uint16_t* to)>;
    /// low b^T beside the product, for outputs [column, column + columns), a multiple of 32 each.
    struct Term {
        std::int64_t column = 0, columns = 0, steps = 0;
        const std::uint16_t *b = nullptr, *low = nullptr;   // as TileTerm, of these outputs and of all rows
    };
    /// x (rows, in) -> y (rows, out), f32, with all terms; none, or for all outputs.
    void multiply(std::int64_t rows, const Rows& x, const std::vector<Term>& terms, float* y) const;
    /// Rows that multiply() takes at once: the terms are ready after so many of x.
    std::int64_t rows_at_once() const;

    /// A gradient in the making: rows [row, row + n) of the outputs of panel pairs [first, first + pairs), one panel.
    using GradientRows = std::function<void(std::int64_t row, std::int64_t n, std::int64_t first, std::int64_t pairs,
                                            std::uint16_t* to)>;
    /// A product beside the one through the weight: `grad` is ready after the rows of all outputs.
    struct Beside {
        loops::TiledWeight weight;
        loops::TiledGradient grad;
    };
    /// What has been added up of rows [row, row + n). Called on several threads.
    using Finish = std::function<void(std::int64_t row, std::int64_t n, const float* sums)>;
    void multiply_through(std::int64_t rows, const GradientRows& grad, const Beside* beside, const Finish& finish) const;

    const loops::PanelShape& shape() const { return shape_; }

  private:
    TileWeight(const at::Tensor& weight, Precision precision);
    loops::TiledWeight tiled() const;
    template <typename Number>
    void multiply_into(std::int64_t rows, const Rows& x, const std::vector<Term>& terms, Number* y) const;

    at::Tensor panels_;
    loops::PanelShape shape_;
};

/// Work on each panel of 16 rows, on several threads.
void for_panels(std::int64_t rows, const std::function<void(std::int64_t row, std::int64_t n)>& work);

}  // namespace plumbline
