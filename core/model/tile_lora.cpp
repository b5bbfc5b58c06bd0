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
Rows<float> rows_to(const Tensor& t, Int row, Int column) {
    return {t.data_ptr<float>() + row * t.stride(0) + column, t.stride(0)};
}
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

const float* data(const Tensor& t) { return t.const_data_ptr<float>(); }

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

namespace {

/// scale A x of each part, and what the unit adds of it.
class Forward {
  public:
    Forward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale)
        : weight_(weight), values_(input), parts_(parts), scale_(static_cast<float>(scale)), rows_(input.x.size(0)),
          rank_(parts.front().b.size(1)), room_(room_of(rank_)),
          low_(at::zeros({rows_, static_cast<Int>(parts.size()) * room_}, at::kFloat)) {
        for (const Part& part : parts) {
            const PanelShape b{part.b.size(0), rank_, exact};
            terms_.push_back({b, part.b.contiguous(), tiles_for(rounded_up(b.panels(), 2), b.panel()),
                              tiles_for(panels_in(rows_), b.panel())});
        }
    }

    Product run() const {
        std::vector<TileWeight::Term> beside;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const Term& term = terms_[i];
            beside.push_back({parts_[i].column, rounded_up(term.shape.rows, pair_rows), term.shape.steps(),
                              numbers_of(term.b_tiles), numbers_of(term.low_tiles)});
        }
        Tensor y = at::empty({rows_, weight_.out()}, at::kFloat);
        weight_.multiply(rows_, [&](Int row, Int n, std::uint16_t* to) { lay(row, n, to); }, beside, y.data_ptr<float>());
        return {y, low_};
    }

  private:
    struct Term {
        PanelShape shape;   // of B
        Tensor b, b_tiles, low_tiles;
    };

    void lay(Int row, Int n, std::uint16_t* to) const {
        const Int in = weight_.in();
        const float* x = values_.floats(row, n);
        loops::to_turned_panels(x, in, {n, in, weight_.shape().pieces}, 0, 1, to);
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const Term& term = terms_[i];
            const Rows<float> low = rows_to(low_, row, static_cast<Int>(i) * room_);
            loops::low_rank({x, in}, rows_of(parts_[i].a), rank_, n, in, scale_, low);
            loops::to_turned_panels(low.data, low.stride, {n, rank_, exact}, 0, 1,
                                    numbers_of(term.low_tiles) + row / loops::tile_rows * term.shape.panel());
            const Share share = share_of(term.shape.panels(), row, std::min(rows_, weight_.rows_at_once()));
            loops::to_panels(data(term.b), rank_, term.shape, share.begin, share.end, numbers_of(term.b_tiles));
        }
    }

    const TileWeight& weight_;
    LinearRows values_;
    const std::vector<Part>& parts_;
    float scale_;
    Int rows_, rank_, room_;
    Tensor low_;
    std::vector<Term> terms_;
};

class Backward {
  public:
    Backward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale,
             const Tensor& low, const Tensor& grad)
        : weight_(weight), values_(input), parts_(parts), scale_(static_cast<float>(scale)), low_(low), grad_(grad),
          rows_(grad.size(0)), in_(weight.in()), out_(weight.out()), rank_(parts.front().b.size(1)), room_(room_of(rank_)),
          computed_(input.kind != LinearInput::Kind::plain),
          x_(computed_ ? at::empty({rows_, in_}, at::kFloat) : input.x.contiguous()),
          grad_low_(at::empty({rows_, count() * room_}, at::kFloat)) {
        for (const Part& part : parts) {
            b_.push_back(padded(part.b));
        }
    }

    /// Fills grad_low and x, for weights(), and the gradient of x, (N, …).
    void input(Tensor& grad_x) const {
        // A, all parts one below the other, is a weight beside the frozen one; grad_low is the gradient of its outputs.
        const PanelShape a{count() * room_, in_, exact}, low{rows_, count() * room_, exact};
        const Tensor a_tiles = tiles_for(rounded_up(a.panels(), 2), a.panel());
        const Tensor low_tiles = tiles_for(panels_in(rows_), low.panel());
        a_tiles.narrow(0, (rounded_up(a.panels(), 2) - 1) * a.panel(), a.panel()).zero_();   // may be beyond A
        const TileWeight::GradientRows lay = [&](Int row, Int n, Int first, Int pairs, std::uint16_t* to) {
            const Int column = first * pair_rows, columns = std::min(pairs * pair_rows, out_ - column);
            loops::to_panels(rows_at(grad_, row, column).data, out_, {n, columns, weight_.shape().pieces}, 0, 1, to);
            if (first == 0) {
                narrow(row, n);
                loops::to_panels(rows_at(grad_low_, row, 0).data, grad_low_.stride(0), {n, low.columns, exact}, 0, 1,
                                 numbers_of(low_tiles) + row / loops::tile_rows * low.panel());
                lay_a(share_of(a.panels(), row, rows_), a, numbers_of(a_tiles));
            }
        };
        const TileWeight::Beside beside{{numbers_of(a_tiles), a},
                                        {numbers_of(low_tiles), low.panel(), rows_, 0, low.steps()}};
        weight_.multiply_through(rows_, lay, &beside, [&](Int row, Int n, const float* sums) {
            thread_local std::vector<float> through;
            through.resize(static_cast<std::size_t>(n * in_));
            loops::added_up(sums, rows_, in_, row, row + n, through.data());
            values_.backward(row, n, through.data(), rows_to(grad_x, row, 0).data,
                             computed_ ? rows_to(x_, row, 0).data : nullptr);
        });
    }
    /// The same without the gradient of x.
    void no_input() const {
        for_panels(rows_, [&](Int row, Int n) {
            narrow(row, n);
            if (computed_) {
                const float* x = values_.floats(row, n);
                std::copy(x, x + n * in_, rows_to(x_, row, 0).data);
            }
        });
    }

    /// B's gradients are sums over rows of grad and low, A's of x and grad_low; all columns go among the threads.
    void weights(Gradients& of) const {
        const Tensor grad_a = at::empty({count() * room_, in_}, at::kFloat);
        const Tensor of_grad_low = sum_tiles_of(grad_low_, 0, count() * room_);
        std::vector<Tensor> of_low, grads_b;
        for (Int i = 0; i < count(); ++i) {
            of_low.push_back(sum_tiles_of(low_, i * room_, room_));
            grads_b.push_back(at::empty({part(i).b.size(0), room_}, at::kFloat));
        }
        constexpr Int shares = 16;
        at::parallel_for(0, shares, 1, [&](Int begin, Int end) {
            const auto sum = [&](const Tensor& tiles, Int r, const float* x, Int columns, Int stride,
                                 const loops::SumsOut& to) {
                const Int lines = panels_in(columns);
                loops::sum_over_rows(numbers_of(tiles), r, x, stride, rows_, lines * begin / shares * loops::tile_rows,
                                     std::min(columns, lines * end / shares * loops::tile_rows), to);
            };
            for (Int i = 0; i < count(); ++i) {
                const auto at = static_cast<std::size_t>(i);
                sum(of_low[at], room_, rows_at(grad_, 0, part(i).column).data, part(i).b.size(0), out_,
                    {grads_b[at].data_ptr<float>(), room_, true});
            }
            sum(of_grad_low, count() * room_, data(x_), in_, in_, {grad_a.data_ptr<float>(), in_, false});
        });
        for (Int i = 0; i < count(); ++i) {
            of.a.push_back(grad_a.narrow(0, i * room_, rank_));
            of.b.push_back(grads_b[static_cast<std::size_t>(i)].narrow(1, 0, rank_).contiguous());
        }
    }

  private:
    Int count() const { return static_cast<Int>(parts_.size()); }
    const Part& part(Int i) const { return parts_[static_cast<std::size_t>(i)]; }

    /// grad_low of rows [row, row + n).
    void narrow(Int row, Int n) const {
        for (Int i = 0; i < count(); ++i) {
            loops::to_low_rank(rows_at(grad_, row, part(i).column), rows_of(b_[static_cast<std::size_t>(i)]), room_, n,
                               part(i).b.size(0), scale_, rows_to(grad_low_, row, i * room_));
        }
    }

    void lay_a(const Share& share, const PanelShape& shape, std::uint16_t* to) const {
        const Int of_a_part = room_ / loops::tile_rows;   // panels
        for (Int panel = share.begin; panel < share.end; ++panel) {
            const Int row = panel % of_a_part * loops::tile_rows;
            const Tensor& a = part(panel / of_a_part).a;
            loops::to_panels(rows_at(a, row, 0).data, a.stride(0), {std::min(rank_ - row, loops::tile_rows), in_, exact}, 0, 1,
                             to + panel * shape.panel());
        }
    }

    const TileWeight& weight_;
    LinearRows values_;
    const std::vector<Part>& parts_;
    float scale_;
    const Tensor &low_, &grad_;
    Int rows_, in_, out_, rank_, room_;
    bool computed_;
    Tensor x_, grad_low_;
    std::vector<Tensor> b_;   // (columns, room)
};

}  // namespace

Product forward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale) {
    return Forward(weight, input, parts, scale).run();
}

Gradients backward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale,
                   const Tensor& low, const Tensor& grad, bool of_x) {
    const Backward work(weight, input, parts, scale, low, grad);
    Gradients of;
    if (of_x) {
        of.x = at::empty_like(input.x, at::MemoryFormat::Contiguous);
        work.input(of.x);
    } else {
        work.no_input();
    }
    work.weights(of);
    return of;
}

}  // namespace plumbline::tile_lora
