#include "core/model/tile_weight.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>

#include "core/model/linear_rows.h"
#include "core/model/processor.h"

namespace plumbline {

using at::Tensor;
using loops::PanelShape;

namespace {

constexpr std::int64_t smallest = 1 << 17;                // numbers of a weight
constexpr std::int64_t products_a_thread = 1 << 22;       // fewer cost more to hand over than to compute
constexpr std::int64_t half_of_second_cache = 5 << 18;    // bytes of x, which is read again for each pair of panels
constexpr std::int64_t pieces_in_cache = 16;              // of panel pairs of a gradient, read again for each step
constexpr std::int64_t outputs_at_once = 256;             // laid before they are multiplied: what that takes of memory
constexpr std::int64_t pair_rows = 2 * loops::tile_rows;

std::int64_t rounded_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

std::uint16_t* bf16_of(const Tensor& t) { return static_cast<std::uint16_t*>(t.data_ptr()); }

Tensor room(std::int64_t n, at::ScalarType type) { return at::empty({n}, at::TensorOptions().dtype(type)); }

void in_parts(std::int64_t count, std::int64_t products_each, const auto& work) {
    at::parallel_for(0, count, std::max<std::int64_t>(1, products_a_thread / std::max<std::int64_t>(1, products_each)), work);
}

at::ScalarType type_of(const PanelShape& shape) { return shape.pieces == 1 ? at::kBFloat16 : at::kFloat; }

/// work(the matrix's numbers).
template <typename Work>
void with_numbers(const Tensor& t, const Work& work) {
    if (t.scalar_type() == at::kBFloat16) {
        work(static_cast<const std::uint16_t*>(t.const_data_ptr()));
    } else {
        work(t.const_data_ptr<float>());
    }
}

}  // namespace

void for_panels(std::int64_t rows, const std::function<void(std::int64_t row, std::int64_t n)>& work) {
    constexpr std::int64_t panels_a_thread = 2;
    const std::int64_t panels = rounded_up(rows, loops::tile_rows) / loops::tile_rows;
    at::parallel_for(0, panels, panels_a_thread, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel) {
            const std::int64_t row = panel * loops::tile_rows;
            work(row, std::min(loops::tile_rows, rows - row));
        }
    });
}

std::unique_ptr<const TileWeight> TileWeight::of(const Tensor& weight, Precision precision) {
    const bool runs = weight.device().is_cpu() && weight.numel() >= smallest && loops::tiles_built() && has_tiles();
    return std::unique_ptr<const TileWeight>(runs ? new TileWeight(weight, precision) : nullptr);
}

TileWeight::TileWeight(const Tensor& weight, Precision precision)
    : shape_{weight.size(0), weight.size(1), precision == Precision::bf16 ? 1 : 2} {
    const Tensor plain = weight.contiguous();
    const std::int64_t numbers = shape_.panels() * shape_.panel();
    panels_ = room(rounded_up(shape_.panels(), 2) * shape_.panel(), at::kBFloat16);
    for_panels(out(), [&](std::int64_t row, std::int64_t) {
        const std::int64_t panel = row / loops::tile_rows;
        loops::to_panels(plain.const_data_ptr<float>(), in(), shape_, panel, panel + 1, bf16_of(panels_));
    });
    panels_.narrow(0, numbers, panels_.numel() - numbers).zero_();
}

loops::TiledWeight TileWeight::tiled() const { return {bf16_of(panels_), shape_}; }

std::int64_t TileWeight::rows_at_once() const {
    const std::int64_t panel_bytes = shape_.panel() * static_cast<std::int64_t>(sizeof(std::uint16_t));
    return std::max(pair_rows, half_of_second_cache / panel_bytes * loops::tile_rows / pair_rows * pair_rows);
}

template <typename Number>
void TileWeight::multiply_into(std::int64_t rows, const Rows& x, const std::vector<Term>& terms, Number* y) const {
    const std::int64_t at_once = std::min(rows_at_once(), rounded_up(rows, loops::tile_rows));
    const Tensor turned = room(at_once / loops::tile_rows * shape_.panel(), at::kBFloat16);
    const auto panel_of = [](std::int64_t row, std::int64_t panel) { return row / loops::tile_rows * panel; };
    for (std::int64_t first = 0; first < rows; first += at_once) {
        const std::int64_t some = std::min(at_once, rows - first);
        for_panels(some, [&](std::int64_t row, std::int64_t n) {
            x(first + row, n, bf16_of(turned) + panel_of(row, shape_.panel()));
        });
        in_parts(rounded_up(out(), pair_rows) / pair_rows, pair_rows * in() * some, [&](std::int64_t begin, std::int64_t end) {
            const Tensor sums = room(rounded_up(some, pair_rows) * pair_rows, at::kFloat);
            float* room_for_sums = sums.data_ptr<float>();
            Number* to = y + first * out();
            if constexpr (std::is_same_v<Number, float>) {
                if (terms.empty()) {
                    loops::multiply_tiles(tiled(), bf16_of(turned), {}, some, begin, end, room_for_sums, to, out());
                }
                for (const Term& term : terms) {
                    const std::int64_t pair = term.column / pair_rows, panel = 2 * term.steps * loops::tile_numbers;
                    const loops::TileTerm beside{term.b, term.low + panel_of(first, panel), pair, term.steps};
                    loops::multiply_tiles(tiled(), bf16_of(turned), beside, some, std::max(begin, pair),
                                          std::min(end, pair + term.columns / pair_rows), room_for_sums, to, out());
                }
            } else {
                loops::multiply_tiles(tiled(), bf16_of(turned), some, begin, end, room_for_sums, to, out());
            }
        });
    }
}

void TileWeight::multiply(std::int64_t rows, const Rows& x, const std::vector<Term>& terms, float* y) const {
    multiply_into(rows, x, terms, y);
}

Tensor TileWeight::product(const LinearInput& x) const {
    const std::int64_t rows = x.x.size(0);
    const LinearRows values(x);
    const Rows lay = [&](std::int64_t row, std::int64_t n, std::uint16_t* panel) {
        values.with(row, n, shape_.pieces == 1, [&](const auto* numbers) {
            loops::to_turned_panels(numbers, in(), {n, in(), shape_.pieces}, 0, 1, panel);
        });
    };
    Tensor y = at::empty({rows, out()}, x.x.options().dtype(type_of(shape_)));
    shape_.pieces == 1 ? multiply_into(rows, lay, {}, bf16_of(y)) : multiply_into(rows, lay, {}, y.data_ptr<float>());
    return y;
}

void TileWeight::multiply_through(std::int64_t rows, const GradientRows& grad, const Beside* beside,
                                  const Finish& finish) const {
    const Tensor sums = room(shape_.steps() * rounded_up(rows, pair_rows) * pair_rows, at::kFloat);
    const std::int64_t all = rounded_up(out(), pair_rows) / pair_rows, most = std::min(all, outputs_at_once);
    const std::int64_t in_cache = pieces_in_cache / shape_.pieces;
    const std::int64_t pair_numbers = loops::tile_numbers * shape_.pieces;
    const Tensor panels = room(rounded_up(rows, loops::tile_rows) / loops::tile_rows * most * pair_numbers, at::kBFloat16);
    for (std::int64_t first = 0; first < all; first += most) {
        const std::int64_t some = std::min(most, all - first), panel = some * pair_numbers;
        for_panels(rows, [&](std::int64_t row, std::int64_t n) {
            grad(row, n, first, some, bf16_of(panels) + row / loops::tile_rows * panel);
        });
        in_parts(shape_.steps(), loops::tile_depth * rows * some * pair_rows, [&](std::int64_t begin, std::int64_t end) {
            constexpr std::int64_t most_numbers = 2 * 2 * loops::tile_numbers;   // of a pair: two tiles, two pieces
            const std::int64_t most_pairs = std::max(in_cache, beside ? beside->grad.pairs : 0);
            const Tensor turned = room(most_pairs * most_numbers, at::kBFloat16);
            const auto multiply = [&](const loops::TiledWeight& weight, const loops::TiledGradient& of, bool new_sums) {
                loops::multiply_through_tiles(weight, of, new_sums, begin, end, bf16_of(turned), sums.data_ptr<float>());
            };
            for (std::int64_t pair = 0; pair < some; pair += in_cache) {
                multiply(tiled(), {bf16_of(panels) + pair * pair_numbers, panel, rows, first + pair,
                                   std::min(in_cache, some - pair)}, first + pair == 0);
            }
            if (beside && first + some == all) {
                multiply(beside->weight, beside->grad, false);
            }
        });
    }
    for_panels(rows, [&](std::int64_t row, std::int64_t n) { finish(row, n, sums.const_data_ptr<float>()); });
}

Tensor TileWeight::product_through(const Tensor& grad) const {
    const std::int64_t rows = grad.size(0);
    const Tensor numbers = grad.contiguous();
    Tensor through = at::empty({rows, in()}, grad.options().dtype(type_of(shape_)));
    multiply_through(
        rows,
        [&](std::int64_t row, std::int64_t n, std::int64_t first, std::int64_t pairs, std::uint16_t* to) {
            const std::int64_t column = first * pair_rows;
            with_numbers(numbers, [&](const auto* from) {
                loops::to_panels(from + row * out() + column, out(),
                                 {n, std::min(pairs * pair_rows, out() - column), shape_.pieces}, 0, 1, to);
            });
        },
        nullptr,
        [&](std::int64_t row, std::int64_t n, const float* sums) {
            const auto add_up = [&](auto* to) { loops::added_up(sums, rows, in(), row, row + n, to + row * in()); };
            shape_.pieces == 1 ? add_up(bf16_of(through)) : add_up(through.data_ptr<float>());
        });
    return through;
}

Tensor TileWeight::dense() const {
    Tensor plain = at::empty({out(), in()}, at::kFloat);
    for_panels(out(), [&](std::int64_t row, std::int64_t) {
        const std::int64_t panel = row / loops::tile_rows;
        loops::from_panels(bf16_of(panels_), shape_, panel, panel + 1, plain.data_ptr<float>());
    });
    return plain;
}

}  // namespace plumbline
