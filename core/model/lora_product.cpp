#include "core/model/lora_product.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/model/low_rank_loops.h"
#include "core/model/onednn.h"
#include "core/model/tile_lora.h"

namespace plumbline {

using at::Tensor;

namespace {

using loops::Rows;

struct Call {
    const FrozenLinear* frozen;
    const LinearInput* input;
    const LoraStack* lora;
    double scale;
};

constexpr std::int64_t products_a_thread = 1 << 16;   // fewer cost more to hand over than to compute

Rows<const float> rows_of(const Tensor& t) { return {t.const_data_ptr<float>(), t.stride(0)}; }
Rows<float> rows_to(Tensor& t) { return {t.data_ptr<float>(), t.stride(0)}; }

template <typename T>
Rows<T> from(Rows<T> rows, std::int64_t row, std::int64_t column) {
    return {rows.data + row * rows.stride + column, rows.stride};
}

template <typename Work>
void in_parts(std::int64_t count, std::int64_t products_each, const Work& work) {
    at::parallel_for(0, count, std::max<std::int64_t>(1, products_a_thread / std::max<std::int64_t>(1, products_each)), work);
}

// The loops take ranks of whole registers: (rows, rank) with zeros behind.
Tensor padded(const Tensor& t) {
    const std::int64_t over = t.size(1) % loops::rank_lanes;
    return over == 0 && t.stride(1) == 1 ? t : at::constant_pad_nd(t, {0, over == 0 ? 0 : loops::rank_lanes - over});
}

// y's columns from `column` on = those of the frozen product, f32 (perhaps y itself) or bf16, plus low b_t: (N, r) (r, columns).
void add_low_rank(const Tensor& product, const Tensor& low, const Tensor& b_t, std::int64_t column, Tensor& y) {
    const std::int64_t width = y.size(1), rank = b_t.size(0), columns = b_t.size(1);
    const auto add = [&]<typename T>(const T* values) {
        in_parts(y.size(0), rank * columns, [&](std::int64_t begin, std::int64_t end) {
            loops::plus_low_rank(from(Rows<const T>{values, width}, begin, column), from(rows_of(low), begin, 0),
                                 rows_of(b_t), rank, end - begin, columns, from(rows_to(y), begin, column));
        });
    };
    if (product.scalar_type() == at::kBFloat16) {
        add(static_cast<const std::uint16_t*>(product.const_data_ptr()));
    } else {
        add(product.const_data_ptr<float>());
    }
}

/// Where a product plus f32 goes: into itself, where it is f32.
Tensor room_for_sum(const Tensor& product) {
    return product.scalar_type() == at::kFloat ? product : at::empty(product.sizes(), product.options().dtype(at::kFloat));
}

Tensor low_of(const Tensor& low, std::size_t part, std::int64_t rank) {
    return low.narrow(1, static_cast<std::int64_t>(part) * rank, rank);
}

/// Wx as the kernels gave it, f32 or bf16 -> Wx + low b^T of all parts, f32. On the CPU one pass over Wx.
Tensor plus_low_rank(const Tensor& product, const Tensor& low, const LoraStack& lora) {
    const std::int64_t rank = lora.parts.front().b.size(1);
    std::int64_t covered = 0;
    for (const LoraStack::Part& part : lora.parts) {
        covered += part.b.size(0);
    }
    if (!product.is_cpu() || covered != product.size(1)) {   // what no part covers is converted with the rest
        Tensor y = product.to(at::kFloat);
        for (std::size_t i = 0; i < lora.parts.size(); ++i) {
            const LoraStack::Part& part = lora.parts[i];
            y.narrow(1, part.column, part.b.size(0)).add_(onednn::product(low_of(low, i, rank), part.b));
        }
        return y;
    }
    Tensor y = room_for_sum(product);
    for (std::size_t i = 0; i < lora.parts.size(); ++i) {
        const LoraStack::Part& part = lora.parts[i];
        const Tensor b_t = part.b_t.defined() ? part.b_t : part.b.t().contiguous();   // (r, columns)
        add_low_rank(product, low_of(low, i, rank), b_t, part.column, y);
    }
    return y;
}

/// The gradient through the frozen product as the kernels gave it, plus grad_low a: (N, in), f32.
Tensor plus_through_a(const Tensor& product, const Tensor& grad_low, const Tensor& a) {
    if (!product.is_cpu()) {
        return at::linear(grad_low, a.t()).add_(product);
    }
    Tensor out = room_for_sum(product);
    add_low_rank(product, grad_low, a, 0, out);
    return out;
}

struct PartGradients {
    Tensor low;   // (N, r), of scale A x
    Tensor b;     // (columns, r)
};

PartGradients part_backward(const Tensor& grad, const Tensor& low, const Tensor& b, std::int64_t column, double scale) {
    const std::int64_t rows = grad.size(0), columns = b.size(0), rank = b.size(1);
    if (!grad.is_cpu()) {
        const Tensor mine = grad.narrow(1, column, columns);
        return {at::matmul(mine, b).mul_(scale), at::matmul(mine.t(), low)};
    }
    const Tensor b_wide = padded(b), low_wide = padded(low);
    Tensor grad_low = at::empty({rows, b_wide.size(1)}, grad.options()), grad_b = at::empty(b_wide.sizes(), grad.options());
    const Rows<const float> mine = from(rows_of(grad), 0, column);
    in_parts(rows, rank * columns, [&](std::int64_t begin, std::int64_t end) {
        loops::to_low_rank(from(mine, begin, 0), rows_of(b_wide), b_wide.size(1), end - begin, columns,
                           static_cast<float>(scale), from(rows_to(grad_low), begin, 0));
    });
    in_parts(columns, rank * rows, [&](std::int64_t begin, std::int64_t end) {
        loops::low_rank_gradient(mine, rows_of(low_wide), low_wide.size(1), rows, begin, end, rows_to(grad_b));
    });
    return {grad_low.narrow(1, 0, rank), grad_b.narrow(1, 0, rank).contiguous()};
}

/// x (N, in) -> scale A x of all parts, (N, parts * r).
Tensor low_rank(const Tensor& x, const LoraStack& lora, double scale) {
    if (!x.is_cpu()) {
        return at::linear(x, lora.a).mul_(scale);
    }
    const std::int64_t rows = x.size(0), in = x.size(1), rank = lora.a.size(0);
    Tensor low = at::empty({rows, rank}, x.options());
    in_parts(rows, rank * in, [&](std::int64_t begin, std::int64_t end) {
        loops::low_rank(from(rows_of(x), begin, 0), rows_of(lora.a), rank, end - begin, in, static_cast<float>(scale),
                        from(rows_to(low), begin, 0));
    });
    return low;
}

// Few rows, as in sampling, are less work than laying B for the unit.
const TileWeight* tiles_for(const FrozenLinear& frozen, const Tensor& x, const LoraStack& lora) {
    constexpr std::int64_t few_rows = 32;
    const TileWeight* tiles = x.size(0) > few_rows ? frozen.tiles(x.size(0)) : nullptr;
    return tiles && tile_lora::takes(*tiles, lora) ? tiles : nullptr;
}

std::vector<tile_lora::Part> parts_of(const LoraStack& lora) {
    std::vector<tile_lora::Part> out;
    for (const LoraStack::Part& part : lora.parts) {
        out.push_back({part.column, part.a, part.b});
    }
    return out;
}

/// W x + B scale A x, and scale A x as the gradient will want it.
tile_lora::Product product_of(const Call& call) {
    const Tensor& x = call.input->x;
    if (const TileWeight* tiles = tiles_for(*call.frozen, x, *call.lora)) {
        return tile_lora::forward(*tiles, *call.input, parts_of(*call.lora), call.scale);
    }
    const Tensor in = call.input->plain_value();
    const Tensor low = low_rank(in, *call.lora, call.scale);
    return {plus_low_rank(call.frozen->raw_product(in), low, *call.lora), low};
}

struct LoraProductFunction : torch::autograd::Function<LoraProductFunction> {
    // The list, a and b of each part, is an input for the graph's sake; they are read from the stack.
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, at::TensorList,
                          const Call& call) {
        const auto [y, low] = product_of(call);
        std::vector<Tensor> saved{x, low, call.lora->a, call.input->norm_weight};
        std::vector<std::int64_t> columns;
        for (const LoraStack::Part& part : call.lora->parts) {
            saved.push_back(part.b);
            columns.push_back(part.column);
        }
        context->save_for_backward(std::move(saved));
        context->saved_data["tiles"] = tiles_for(*call.frozen, x, *call.lora) != nullptr;
        context->saved_data["frozen"] = reinterpret_cast<std::int64_t>(call.frozen);
        context->saved_data["kind"] = static_cast<std::int64_t>(call.input->kind);
        context->saved_data["eps"] = call.input->norm_eps;
        context->saved_data["scale"] = call.scale;
        context->saved_data["columns"] = columns;
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list grads) {
        const auto saved = context->get_saved_variables();
        const auto* frozen = reinterpret_cast<const FrozenLinear*>(context->saved_data["frozen"].toInt());
        const std::vector<std::int64_t> columns = context->saved_data["columns"].toIntVector();
        const LinearInput input{saved[0], static_cast<LinearInput::Kind>(context->saved_data["kind"].toInt()), saved[3],
                                context->saved_data["eps"].toDouble()};
        const Tensor &low = saved[1], &a = saved[2], grad = grads[0].contiguous();   // (N, parts * r), …, (N, out)
        const std::int64_t rank = a.size(0) / static_cast<std::int64_t>(columns.size());

        torch::autograd::variable_list out(1 + 2 * columns.size() + 1);
        const double scale = context->saved_data["scale"].toDouble();
        if (context->saved_data["tiles"].toBool()) {
            std::vector<tile_lora::Part> parts;
            for (std::size_t i = 0; i < columns.size(); ++i) {
                parts.push_back({columns[i], a.narrow(0, static_cast<std::int64_t>(i) * rank, rank), saved[4 + i]});
            }
            tile_lora::Gradients of = tile_lora::backward(*frozen->tiles(grad.size(0)), input, parts, scale, low, grad,
                                                          context->needs_input_grad(0));
            for (std::size_t i = 0; i < columns.size(); ++i) {
                out[1 + 2 * i] = std::move(of.a[i]);
                out[2 + 2 * i] = std::move(of.b[i]);
            }
            out[0] = std::move(of.x);
            return out;
        }
        std::vector<Tensor> grads_low;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            PartGradients of_part = part_backward(grad, low_of(low, i, rank), saved[4 + i], columns[i], scale);
            grads_low.push_back(std::move(of_part.low));
            out[2 + 2 * i] = std::move(of_part.b);
        }
        const Tensor grad_low = at::cat(grads_low, 1);                                                 // (N, parts * r)
        const Tensor grad_a = onednn::product(grad_low.t(), input.plain_value().t());                  // (parts * r, in)
        for (std::size_t i = 0; i < columns.size(); ++i) {
            out[1 + 2 * i] = grad_a.narrow(0, static_cast<std::int64_t>(i) * rank, rank);
        }
        if (context->needs_input_grad(0)) {
            out[0] = input.backward(plus_through_a(frozen->raw_backward(grad), grad_low, a));
        }
        return out;
    }
};

}  // namespace

void LoraStack::join() {
    if (parts.empty()) {
        return;
    }
    const at::NoGradGuard no_grad;
    std::vector<Tensor> all;
    for (const Part& part : parts) {
        all.push_back(part.a);
    }
    a = at::cat(all, 0);
    const std::int64_t rank = a.size(0) / static_cast<std::int64_t>(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i].a = a.narrow(0, static_cast<std::int64_t>(i) * rank, rank);
    }
}

void LoraStack::turn() {
    const at::NoGradGuard no_grad;
    for (Part& part : parts) {
        part.b_t = part.b.t().contiguous();
    }
}

Tensor lora_product(const FrozenLinear& frozen, const LinearInput& input, const LoraStack& lora, double scale) {
    const Call call{&frozen, &input, &lora, scale};
    const bool trains = input.x.requires_grad() || lora.parts.front().b.requires_grad();
    if (!trains || !at::GradMode::is_enabled()) {
        return product_of(call).y;
    }
    std::vector<Tensor> weights;
    for (const LoraStack::Part& part : lora.parts) {
        weights.push_back(part.a);
        weights.push_back(part.b);
    }
    return LoraProductFunction::apply(input.x, at::TensorList(weights), call);
}

}  // namespace plumbline
