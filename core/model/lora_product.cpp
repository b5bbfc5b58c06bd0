#include "core/model/lora_product.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/model/onednn.h"

namespace plumbline {

using at::Tensor;

namespace {

struct Call {
    const FrozenLinear* frozen;
    const LinearInput* input;
    const LoraStack* lora;
    double scale;
};

std::int64_t rank_of(const LoraStack& lora) { return lora.parts.front().b.size(1); }

// y += (scale A x) B^T, each part in its columns; returns scale A x, (N, parts * r).
Tensor add_low_rank(Tensor& y, const Tensor& x, const Call& call) {
    const Tensor low = onednn::product(x, call.lora->a).mul_(call.scale);
    const std::int64_t rank = rank_of(*call.lora);
    for (std::size_t i = 0; i < call.lora->parts.size(); ++i) {
        const LoraStack::Part& part = call.lora->parts[i];
        const Tensor mine = low.narrow(1, static_cast<std::int64_t>(i) * rank, rank);
        y.narrow(1, part.column, part.b.size(0)).add_(onednn::product(mine, part.b));
    }
    return low;
}

struct LoraProductFunction : torch::autograd::Function<LoraProductFunction> {
    // The list, a and b of each part, is an input for the graph's sake; they are read from the stack.
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, at::TensorList,
                          const Call& call) {
        const Tensor in = call.input->plain_value();
        Tensor y = call.frozen->product(in);
        const Tensor low = add_low_rank(y, in, call);
        std::vector<Tensor> saved{x, low, call.lora->a, call.input->norm_weight};
        std::vector<std::int64_t> columns;
        for (const LoraStack::Part& part : call.lora->parts) {
            saved.push_back(part.b);
            columns.push_back(part.column);
        }
        context->save_for_backward(std::move(saved));
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
        std::vector<Tensor> grads_low;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const Tensor& b = saved[4 + i];
            // oneDNN is slow where a row goes on beside the view.
            const Tensor mine = grad.narrow(1, columns[i], b.size(0)).contiguous();              // (N, columns)
            const Tensor my_low = low.narrow(1, static_cast<std::int64_t>(i) * rank, rank);
            grads_low.push_back(onednn::product(mine, b.t()));                           // (N, r)
            out[2 + 2 * i] = onednn::product(my_low.t(), mine.t()).t().contiguous();     // (columns, r)
        }
        const Tensor grad_low = at::cat(grads_low, 1).mul_(context->saved_data["scale"].toDouble());   // (N, parts * r)
        const Tensor grad_a = onednn::product(grad_low.t(), input.plain_value().t());                  // (parts * r, in)
        for (std::size_t i = 0; i < columns.size(); ++i) {
            out[1 + 2 * i] = grad_a.narrow(0, static_cast<std::int64_t>(i) * rank, rank);
        }
        if (context->needs_input_grad(0)) {
            out[0] = input.backward(onednn::product_plus(grad_low, a.t(), frozen->backward(grad)));
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

Tensor lora_product(const FrozenLinear& frozen, const LinearInput& input, const LoraStack& lora, double scale) {
    const Call call{&frozen, &input, &lora, scale};
    const bool trains = input.x.requires_grad() || lora.parts.front().b.requires_grad();
    if (!trains || !at::GradMode::is_enabled()) {
        const Tensor x = input.plain_value();
        Tensor y = frozen.product(x);
        add_low_rank(y, x, call);
        return y;
    }
    std::vector<Tensor> weights;
    for (const LoraStack::Part& part : lora.parts) {
        weights.push_back(part.a);
        weights.push_back(part.b);
    }
    return LoraProductFunction::apply(input.x, at::TensorList(weights), call);
}

}  // namespace plumbline
