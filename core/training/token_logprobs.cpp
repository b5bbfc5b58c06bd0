#include "core/training/token_logprobs.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::int64_t chunk_rows = 64;   // 64 x 49,152 floats: 12 MB

struct Arguments {
    const FrozenLinear* head;
    double inverse_temperature;
    const Pulse* pulse;
};

// x (M, D) after the final norm.
struct TokenLogprobs : torch::autograd::Function<TokenLogprobs> {
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& targets,
                          const Arguments& arguments) {
        Tensor out = at::empty({x.size(0)}, at::kFloat), normalizers = at::empty({x.size(0)}, at::kFloat);
        for (std::int64_t begin = 0; begin < x.size(0); begin += chunk_rows) {
            const std::int64_t rows = std::min(chunk_rows, x.size(0) - begin);
            const Tensor logits =
                arguments.head->product(x.narrow(0, begin, rows)).mul_(arguments.inverse_temperature);   // (m, V)
            const Tensor normalizer = at::logsumexp(logits, 1);                                          // (m)
            const Tensor chosen = logits.gather(1, targets.narrow(0, begin, rows).unsqueeze(1)).squeeze(1);
            out.narrow(0, begin, rows).copy_(chosen - normalizer);
            normalizers.narrow(0, begin, rows).copy_(normalizer);
            (*arguments.pulse)();
        }
        context->save_for_backward({x, targets, normalizers});
        context->saved_data["head"] = reinterpret_cast<std::int64_t>(arguments.head);
        context->saved_data["pulse"] = reinterpret_cast<std::int64_t>(arguments.pulse);
        context->saved_data["inverse_temperature"] = arguments.inverse_temperature;
        return out;
    }

    // d logp / d logits = (onehot(target) - softmax) / T.
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list grads) {
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &targets = saved[1], &normalizers = saved[2];
        const auto* head = reinterpret_cast<const FrozenLinear*>(context->saved_data["head"].toInt());
        const auto* pulse = reinterpret_cast<const Pulse*>(context->saved_data["pulse"].toInt());
        const double inverse_temperature = context->saved_data["inverse_temperature"].toDouble();
        const Tensor upstream = grads[0] * inverse_temperature;   // (M)
        Tensor grad_x = at::empty_like(x);
        for (std::int64_t begin = 0; begin < x.size(0); begin += chunk_rows) {
            const std::int64_t rows = std::min(chunk_rows, x.size(0) - begin);
            Tensor grad = head->product(x.narrow(0, begin, rows)).mul_(inverse_temperature);   // (m, V)
            grad.sub_(normalizers.narrow(0, begin, rows).unsqueeze(1)).exp_().neg_();
            const Tensor index = targets.narrow(0, begin, rows).unsqueeze(1);
            grad.scatter_add_(1, index, at::ones(index.sizes(), at::kFloat));
            grad.mul_(upstream.narrow(0, begin, rows).unsqueeze(1));
            grad_x.narrow(0, begin, rows).copy_(head->backward(grad));
            (*pulse)();
        }
        return {grad_x, Tensor(), Tensor()};
    }
};

}  // namespace

Tensor token_logprobs(const Decoder& decoder, const Adapter* adapter, const Tensor& h, const Tensor& targets,
                      double temperature, const Pulse& pulse) {
    if (adapter && adapter->owns_embedding()) {   // a small vocabulary: the plain product, which trains the layer too
        const Tensor logits = decoder.logits(h, adapter) / temperature;   // (M, V)
        pulse();
        return at::log_softmax(logits, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
    }
    const Tensor x = decoder.final_norm(h, adapter).contiguous();
    return TokenLogprobs::apply(x, targets, Arguments{&decoder.head(), 1.0 / temperature, &pulse});
}

}  // namespace plumbline
