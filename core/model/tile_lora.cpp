#include "core/model/tile_lora.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "core/model/linear_rows.h"
#include "core/model/low_rank_loops.h"

namespace plumbline::tile_lora {

using at::Tensor;
using loops::PanelShape;
using loops::Rows;

namespace {

using Int = std::int64_t;

constexpr Int pair_rows = 2 * loops::tile_rows;
constexpr int exact = 2;   // pieces of what LoRA multiplies, in bf16 as well

Int rounded_up(Int n, Int to) { return (n + to - 1) / to * to; }
Int panels_in(Int rows) { return rounded_up(rows, loops::tile_rows) / loops::tile_rows; }

std::uint16_t* numbers_of(const Tensor& t) { return static_cast<std::uint16_t*>(t.data_ptr()); }
Rows<const float> rows_of(const Tensor& t) { return {t.const_data_ptr<float>(), t.stride(0)}; }
Rows<float> rows_to(const Tensor& t, Int row, Int column) { return {t.data_ptr<float>() + row * t.stride(0) + column, t.stride(0)}; }
Rows<const float> rows_at(const Tensor& t, Int row, Int column) {
    return {t.const_data_ptr<float>() + row * t.stride(0) + column, t.stride(0)};
}

Tensor tiles_for(Int panels, Int panel) {
    return at::empty({panels * panel}, at::TensorOptions().dtype(at::kBFloat16));
}

/// The share of `count` things that falls to the panel at `row` of `rows`: [begin, end).
struct Share {
    Int begin, end;
};
Share share_of(Int count, Int row, Int rows) {
    const Int panel = row / loops::tile_rows, panels = panels_in(rows);
    return panel < panels ? Share{count * panel / panels, count * (panel + 1) / panels} : Share{0, 0};
}

/// (rows, r) -> (rows, room_of(r)), zeros behind.
Tensor padded(const Tensor& t) {
    const Int more = room_of(t.size(1)) - t.size(1);
    return more == 0 ? t.contiguous() : at::constant_pad_nd(t, {0, more});
}

/// Columns [column, column + r) of low (rows, …) for sums over rows.
Tensor sum_tiles_of(const Tensor& low, Int column, Int r) {
    const Int steps = rounded_up(low.size(0), loops::sum_rows) / loops::sum_rows;
    Tensor out = tiles_for(steps * r / loops::tile_rows, 2 * loops::tile_numbers);
    loops::to_sum_tiles(rows_at(low, 0, column).data, low.stride(0), low.size(0), r, numbers_of(out));
    return out;
}

/// B of a part in panels, and scale A x of all rows in turned ones, for the unit to add.
struct Term {
    PanelShape b;
    Tensor b_tiles, low_tiles;
    Int panel() const { return b.panel(); }
};

}  // namespace

Int room_of(Int rank) { return rounded_up(rank, loops::rank_lanes); }

bool takes(const TileWeight& weight, const LoraStack& lora) {
    Int covered = 0;
    for (const LoraStack::Part& part : lora.parts) {
        if (part.column != covered || part.column % pair_rows != 0) {
            return false;
        }
        covered += part.b.size(0);
    }
    return covered == weight.out();
}

Product forward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale) {
    const LinearRows values(input);
    const Int rows = input.x.size(0), in = weight.in(), rank = parts.front().b.size(1), room = room_of(rank);
    const Int first_rows = std::min(rows, weight.rows_at_once());
    const Tensor low = room == rank ? at::empty({rows, static_cast<Int>(parts.size()) * room}, at::kFloat)
                                    : at::zeros({rows, static_cast<Int>(parts.size()) * room}, at::kFloat);
    std::vector<Term> terms;
    std::vector<TileWeight::Term> beside;
    std::vector<Tensor> b;
    for (const Part& part : parts) {
        const PanelShape shape{part.b.size(0), rank, exact};
        terms.push_back({shape, tiles_for(rounded_up(shape.panels(), 2), shape.panel()), tiles_for(panels_in(rows), shape.panel())});
        beside.push_back({part.column, rounded_up(shape.rows, pair_rows), shape.steps(), numbers_of(terms.back().b_tiles),
                          numbers_of(terms.back().low_tiles)});
        b.push_back(part.b.contiguous());
    }
    const TileWeight::Rows lay = [&](Int row, Int n, std::uint16_t* to) {
        const float* x = values.floats(row, n);
        loops::to_turned_panels(x, in, {n, in, weight.shape().pieces}, 0, 1, to);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const Term& term = terms[i];
            const Rows<float> out = rows_to(low, row, static_cast<Int>(i) * room);
            loops::low_rank({x, in}, rows_of(parts[i].a), rank, n, in, static_cast<float>(scale), out);
            loops::to_turned_panels(out.data, out.stride, {n, rank, exact}, 0, 1,
                                    numbers_of(term.low_tiles) + row / loops::tile_rows * term.panel());
            const Share share = share_of(term.b.panels(), row, first_rows);
            loops::to_panels(b[i].const_data_ptr<float>(), rank, term.b, share.begin, share.end, numbers_of(term.b_tiles));
        }
    };
    Tensor y = at::empty({rows, weight.out()}, at::kFloat);
    weight.multiply(rows, lay, beside, y.data_ptr<float>());
    return {y, low};
}

Gradients backward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale,
                   const Tensor& low, const Tensor& grad, bool of_x) {
    const LinearRows values(input);
    const Int rows = grad.size(0), in = weight.in(), out = weight.out(), count = static_cast<Int>(parts.size());
    const Int rank = parts.front().b.size(1), room = room_of(rank);
    const Tensor grad_low = at::empty({rows, count * room}, at::kFloat);
    const bool computed = input.kind != LinearInput::Kind::plain;
    const Tensor x = computed ? at::empty({rows, in}, at::kFloat) : input.x.contiguous();
    // A, all parts one below the other, as a weight beside the frozen one, whose outputs' gradient is grad_low.
    const PanelShape a_shape{count * room, in, exact}, low_shape{rows, count * room, exact};
    const Tensor a_tiles = tiles_for(rounded_up(a_shape.panels(), 2), a_shape.panel());
    const Tensor low_tiles = tiles_for(panels_in(rows), low_shape.panel());
    std::vector<Tensor> b;
    for (const Part& part : parts) {
        b.push_back(padded(part.b));
    }
    if (a_shape.panels() % 2 != 0) {
        a_tiles.narrow(0, a_shape.panels() * a_shape.panel(), a_shape.panel()).zero_();
    }
    const auto low_rows = [&](Int row, Int n) {
        if (computed) {
            const float* from = values.floats(row, n);
            std::copy(from, from + n * in, x.data_ptr<float>() + row * in);
        }
        for (Int i = 0; i < count; ++i) {
            const Part& part = parts[static_cast<std::size_t>(i)];
            loops::to_low_rank(rows_at(grad, row, part.column), rows_of(b[static_cast<std::size_t>(i)]), room, n, part.b.size(0),
                               static_cast<float>(scale), rows_to(grad_low, row, i * room));
        }
    };
    Gradients of{of_x ? at::empty_like(input.x) : Tensor(), {}, {}};
    if (of_x) {
        const TileWeight::GradientRows lay = [&](Int row, Int n, Int first, Int pairs, std::uint16_t* to) {
            const Int column = first * pair_rows;
            loops::to_panels(rows_at(grad, row, column).data, out, {n, std::min(pairs * pair_rows, out - column), weight.shape().pieces},
                             0, 1, to);
            if (first > 0) {
                return;
            }
            low_rows(row, n);
            const Rows<float> mine = rows_to(grad_low, row, 0);
            loops::to_panels(mine.data, mine.stride, {n, count * room, exact}, 0, 1,
                             numbers_of(low_tiles) + row / loops::tile_rows * low_shape.panel());
            const Int panels = room / loops::tile_rows;   // of a part
            const Share share = share_of(count * panels, row, rows);
            for (Int panel = share.begin; panel < share.end; ++panel) {
                const Int part = panel / panels, row_of_a = panel % panels * loops::tile_rows;
                const Tensor& a = parts[static_cast<std::size_t>(part)].a;
                loops::to_panels(rows_at(a, row_of_a, 0).data, a.stride(0), {std::min(rank - row_of_a, loops::tile_rows), in, exact},
                                 0, 1, numbers_of(a_tiles) + panel * a_shape.panel());
            }
        };
        const TileWeight::Beside beside{{numbers_of(a_tiles), a_shape},
                                        {numbers_of(low_tiles), low_shape.panel(), rows, 0, low_shape.steps()}};
        weight.multiply_through(rows, lay, &beside, [&](Int row, Int n, const float* sums) {
            thread_local std::vector<float> through;
            through.resize(static_cast<std::size_t>(n * in));
            loops::added_up(sums, rows, in, row, row + n, through.data());
            values.backward(row, n, through.data(), rows_to(of.x, row, 0).data);
        });
    } else {
        for_panels(rows, low_rows);
    }
    // The weights' gradients, all columns among the threads: B's of grad and low, A's of x and grad_low.
    const Tensor grad_a = at::empty({count * room, in}, at::kFloat);
    const Tensor grad_low_sums = sum_tiles_of(grad_low, 0, count * room);
    std::vector<Tensor> low_sums;
    for (Int i = 0; i < count; ++i) {
        low_sums.push_back(sum_tiles_of(low, i * room, room));
        of.b.push_back(at::empty({parts[static_cast<std::size_t>(i)].b.size(0), room}, at::kFloat));
    }
    constexpr Int shares = 16;
    at::parallel_for(0, shares, 1, [&](Int begin, Int end) {
        const auto columns = [&](Int all, const auto& work) {
            const Int lines = panels_in(all);
            work(lines * begin / shares * loops::tile_rows, std::min(all, lines * end / shares * loops::tile_rows));
        };
        for (Int i = 0; i < count; ++i) {
            Tensor& to = of.b[static_cast<std::size_t>(i)];
            columns(to.size(0), [&](Int first, Int last) {
                loops::sum_over_rows(numbers_of(low_sums[static_cast<std::size_t>(i)]), room, rows_at(grad, 0, parts[static_cast<std::size_t>(i)].column).data, out,
                                     rows, first, last, {to.data_ptr<float>(), room, true});
            });
        }
        columns(in, [&](Int first, Int last) {
            loops::sum_over_rows(numbers_of(grad_low_sums), count * room, x.const_data_ptr<float>(), in, rows, first, last,
                                 {grad_a.data_ptr<float>(), in, false});
        });
    });
    for (Int i = 0; i < count; ++i) {
        of.a.push_back(grad_a.narrow(0, i * room, rank));
        Tensor& of_b = of.b[static_cast<std::size_t>(i)];
        of_b = room == rank ? of_b : of_b.narrow(1, 0, rank).contiguous();
    }
    return of;
}

}  // namespace plumbline::tile_lora
