#include "core/model/tile_weight.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "core/model/processor.h"

namespace plumbline {

using at::Tensor;
using loops::PanelShape;

namespace {

constexpr std::int64_t smallest = 1 << 17;                // numbers of a weight
constexpr std::int64_t products_a_thread = 1 << 22;       // fewer cost more to hand over than to compute
constexpr std::int64_t panels_a_thread = 2;
constexpr std::int64_t half_of_second_cache = 5 << 18;    // bytes of x that are read again for each pair of panels
constexpr std::int64_t outputs_at_once = 32;              // panel pairs of a gradient
constexpr std::int64_t pair_rows = 2 * loops::tile_rows;

std::int64_t rounded_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

std::uint16_t* bf16_of(const Tensor& t) { return static_cast<std::uint16_t*>(t.data_ptr()); }

template <typename Work>
auto with_numbers(const Tensor& t, const Work& work) {
    return t.scalar_type() == at::kBFloat16 ? work(static_cast<const std::uint16_t*>(bf16_of(t)))
                                            : work(t.const_data_ptr<float>());
}

Tensor room(std::int64_t n, at::ScalarType type) { return at::empty({n}, at::TensorOptions().dtype(type)); }

void in_parts(std::int64_t count, std::int64_t products_each, const auto& work) {
    at::parallel_for(0, count, std::max<std::int64_t>(1, products_a_thread / std::max<std::int64_t>(1, products_each)), work);
}

at::ScalarType type_of(const PanelShape& shape) { return shape.pieces == 1 ? at::kBFloat16 : at::kFloat; }

}  // namespace

std::unique_ptr<const TileWeight> TileWeight::of(const Tensor& weight, Precision precision) {
    const bool runs = weight.device().is_cpu() && weight.numel() >= smallest && loops::tiles_built() && has_tiles();
    return std::unique_ptr<const TileWeight>(runs ? new TileWeight(weight, precision) : nullptr);
}

TileWeight::TileWeight(const Tensor& weight, Precision precision)
    : shape_{weight.size(0), weight.size(1), precision == Precision::bf16 ? 1 : 2} {
    const Tensor plain = weight.contiguous();
    panels_ = room(rounded_up(shape_.panels(), 2) * shape_.panel(), at::kBFloat16);
    at::parallel_for(0, shape_.panels(), panels_a_thread, [&](std::int64_t begin, std::int64_t end) {
        loops::to_panels(plain.const_data_ptr<float>(), shape_.columns, shape_, begin, end, bf16_of(panels_));
    });
    panels_.narrow(0, shape_.panels() * shape_.panel(), panels_.numel() - shape_.panels() * shape_.panel()).zero_();
}

loops::TiledWeight TileWeight::tiled() const { return {bf16_of(panels_), shape_}; }

Tensor TileWeight::product(const Tensor& x) const {
    const std::int64_t rows = x.size(0), in = shape_.columns, out = shape_.rows;
    const Tensor numbers = x.contiguous();
    Tensor y = at::empty({rows, out}, x.options().dtype(type_of(shape_)));
    const std::int64_t at_once = std::max(pair_rows, half_of_second_cache / (shape_.panel() * 2) * loops::tile_rows / pair_rows * pair_rows);
    const Tensor turned = room(rounded_up(std::min(rows, at_once), loops::tile_rows) / loops::tile_rows * shape_.panel(), at::kBFloat16);
    for (std::int64_t row = 0; row < rows; row += at_once) {
        const std::int64_t n = std::min(at_once, rows - row);
        const PanelShape shape{n, in, shape_.pieces};
        with_numbers(numbers, [&](const auto* from) {
            at::parallel_for(0, shape.panels(), panels_a_thread, [&](std::int64_t begin, std::int64_t end) {
                loops::to_turned_panels(from + row * in, in, shape, begin, end, bf16_of(turned));
            });
        });
        in_parts((shape_.panels() + 1) / 2, pair_rows * in * n, [&](std::int64_t begin, std::int64_t end) {
            const Tensor sums = room(rounded_up(n, pair_rows) * pair_rows, at::kFloat);
            const auto multiply = [&](auto* to) {
                loops::multiply_tiles(tiled(), bf16_of(turned), n, begin, end, sums.data_ptr<float>(), to + row * out, out);
            };
            shape_.pieces == 1 ? multiply(bf16_of(y)) : multiply(y.data_ptr<float>());
        });
    }
    return y;
}

Tensor TileWeight::product_through(const Tensor& grad) const {
    const std::int64_t rows = grad.size(0), in = shape_.columns, out = shape_.rows;
    const Tensor numbers = grad.contiguous();
    const Tensor sums = room(shape_.steps() * rounded_up(rows, pair_rows) * pair_rows, at::kFloat);
    const std::int64_t pairs = (shape_.panels() + 1) / 2, most = std::min(pairs, outputs_at_once);
    const Tensor panels = room(rounded_up(rows, loops::tile_rows) * most * pair_rows * shape_.pieces, at::kBFloat16);
    for (std::int64_t pair = 0; pair < pairs; pair += most) {
        const loops::Outputs outputs{pair, std::min(most, pairs - pair)};
        const std::int64_t first = pair * pair_rows;
        const PanelShape shape{rows, std::min(outputs.pairs * pair_rows, out - first), shape_.pieces};
        with_numbers(numbers, [&](const auto* from) {
            at::parallel_for(0, shape.panels(), panels_a_thread, [&](std::int64_t begin, std::int64_t end) {
                loops::to_panels(from + first, out, shape, begin, end, bf16_of(panels));
            });
        });
        in_parts(shape_.steps(), loops::tile_depth * rows * shape.columns, [&](std::int64_t begin, std::int64_t end) {
            const Tensor turned = room(outputs.pairs * pair_rows * loops::tile_depth * shape_.pieces, at::kBFloat16);
            loops::multiply_through_tiles(tiled(), bf16_of(panels), rows, outputs, begin, end, bf16_of(turned),
                                          sums.data_ptr<float>());
        });
    }
    Tensor through = at::empty({rows, in}, grad.options().dtype(type_of(shape_)));
    in_parts(shape_.steps(), loops::tile_depth * rows * outputs_at_once, [&](std::int64_t begin, std::int64_t end) {
        const auto add_up = [&](auto* to) { loops::added_up(sums.const_data_ptr<float>(), rows, in, begin, end, to); };
        shape_.pieces == 1 ? add_up(bf16_of(through)) : add_up(through.data_ptr<float>());
    });
    return through;
}

Tensor TileWeight::dense() const {
    Tensor out = at::empty({shape_.rows, shape_.columns}, at::kFloat);
    at::parallel_for(0, shape_.panels(), panels_a_thread, [&](std::int64_t begin, std::int64_t end) {
        loops::from_panels(bf16_of(panels_), shape_, begin, end, out.data_ptr<float>());
    });
    return out;
}

}  // namespace plumbline
