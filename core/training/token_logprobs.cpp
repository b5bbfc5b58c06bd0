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

// logits (m, V) of one chunk, divided by the temperature already -> (m).
Tensor chosen_logprobs(const Tensor& logits, const Tensor& targets, const Tensor& normalizer) {
    return logits.gather(1, targets.unsqueeze(1)).squeeze(1) - normalizer;
}

// x (M, D) after the final norm.
struct TokenLogprobs : torch::autograd::Function<TokenLogprobs> {
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& targets,
                          const Arguments& arguments) {
        Tensor out = at::empty({x.size(0)}, x.options()), normalizers = at::empty({x.size(0)}, x.options());
        for (std::int64_t begin = 0; begin < x.size(0); begin += chunk_rows) {
            const std::int64_t rows = std::min(chunk_rows, x.size(0) - begin);
            const Tensor logits =
                arguments.head->product(x.narrow(0, begin, rows)).mul_(arguments.inverse_temperature);   // (m, V)
            const Tensor normalizer = at::logsumexp(logits, 1);                                          // (m)
            out.narrow(0, begin, rows).copy_(chosen_logprobs(logits, targets.narrow(0, begin, rows), normalizer));
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
            grad.scatter_add_(1, index, at::ones(index.sizes(), grad.options()));
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
    const Tensor chosen = targets.to(h.device(), /*non_blocking=*/true);
    if (adapter && adapter->owns_embedding()) {   // a small vocabulary: the plain product, which trains the layer too
        const Tensor logits = decoder.logits(h, adapter) / temperature;   // (M, V)
        pulse();
        return at::log_softmax(logits, 1).gather(1, chosen.unsqueeze(1)).squeeze(1);
    }
    const Tensor x = decoder.final_norm(h, adapter).contiguous();
    return TokenLogprobs::apply(x, chosen, Arguments{&decoder.head(), 1.0 / temperature, &pulse});
}

Tensor reference_logprobs(const Decoder& decoder, const Tensor& h, const Tensor& targets,
                          const std::vector<double>& temperatures, const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    const Tensor x = decoder.final_norm(h, nullptr).contiguous();
    Tensor out = at::empty({static_cast<std::int64_t>(temperatures.size()), x.size(0)}, x.options());
    for (std::int64_t begin = 0; begin < x.size(0); begin += chunk_rows) {
        const std::int64_t rows = std::min(chunk_rows, x.size(0) - begin);
        const Tensor logits = decoder.head().product(x.narrow(0, begin, rows));   // (m, V)
        for (std::size_t k = 0; k < temperatures.size(); ++k) {
            Tensor part = out[static_cast<std::int64_t>(k)].narrow(0, begin, rows);
            if (k > 0 && temperatures[k] == temperatures[k - 1]) {
                part.copy_(out[static_cast<std::int64_t>(k) - 1].narrow(0, begin, rows));
                continue;
            }
            const Tensor tempered = temperatures[k] == 1 ? logits : logits * (1.0 / temperatures[k]);
            part.copy_(chosen_logprobs(tempered, targets.narrow(0, begin, rows), at::logsumexp(tempered, 1)));
        }
        pulse();
    }
    return out;
}

}  // namespace plumbline
