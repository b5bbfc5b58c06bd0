#include "core/training/token_logprobs.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <functional>

#include "core/model/row_ops.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::int64_t most_rows = 144;   // 144 x 49,152 floats: 28 MB

// [begin, begin + rows) of `all` in the fewest parts of equal size.
void in_chunks(std::int64_t all, const std::function<void(std::int64_t begin, std::int64_t rows)>& work) {
    const std::int64_t parts = (all + most_rows - 1) / most_rows;
    for (std::int64_t i = 0; i < parts; ++i) {
        const std::int64_t begin = i * all / parts;
        work(begin, (i + 1) * all / parts - begin);
    }
}

struct Arguments {
    const FrozenLinear* head;
    double cap;                 // of logits; 0: none
    double inverse_temperature;
    const Pulse* pulse;
};

// logits (m, V) of one chunk -> (m).
Tensor chosen_logprobs(const Tensor& logits, const Tensor& targets, const Tensor& normalizer,
                       double inverse_temperature) {
    return logits.gather(1, targets.unsqueeze(1)).squeeze(1).to(at::kFloat) * inverse_temperature - normalizer;
}

// Logits (m, V) of rows x (m, D) after the final norm, in memory of their own.
Tensor capped_logits(const FrozenLinear& head, const Tensor& x, double cap) {
    Tensor logits = head.raw_product(x);
    return cap > 0 ? logits.div_(cap).tanh_().mul_(cap) : logits;
}

// x (M, D) after the final norm.
struct TokenLogprobs : torch::autograd::Function<TokenLogprobs> {
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const Tensor& targets,
                          const Arguments& arguments) {
        const std::int64_t all = x.size(0);
        Tensor out = at::empty({all}, x.options()), normalizers = at::empty({all}, x.options()), kept;
        in_chunks(all, [&](std::int64_t begin, std::int64_t rows) {
            const Tensor logits = capped_logits(*arguments.head, x.narrow(0, begin, rows), arguments.cap);   // (m, V)
            const Tensor normalizer = log_sum_exp(logits, arguments.inverse_temperature);   // (m)
            out.narrow(0, begin, rows)
                .copy_(chosen_logprobs(logits, targets.narrow(0, begin, rows), normalizer,
                                       arguments.inverse_temperature));
            normalizers.narrow(0, begin, rows).copy_(normalizer);
            if (rows == all && x.requires_grad()) {
                kept = logits;   // one chunk is small enough to keep for the gradient, which overwrites it
            }
            (*arguments.pulse)();
        });
        context->save_for_backward({x, targets, normalizers, kept});
        context->saved_data["head"] = reinterpret_cast<std::int64_t>(arguments.head);
        context->saved_data["cap"] = arguments.cap;
        context->saved_data["pulse"] = reinterpret_cast<std::int64_t>(arguments.pulse);
        context->saved_data["inverse_temperature"] = arguments.inverse_temperature;
        return out;
    }

    // d logp / d logits = (onehot(target) - softmax) / T.
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list grads) {
        const auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &targets = saved[1], &normalizers = saved[2], &kept = saved[3];
        const auto* head = reinterpret_cast<const FrozenLinear*>(context->saved_data["head"].toInt());
        const auto* pulse = reinterpret_cast<const Pulse*>(context->saved_data["pulse"].toInt());
        const double cap = context->saved_data["cap"].toDouble();
        const double inverse_temperature = context->saved_data["inverse_temperature"].toDouble();
        const Tensor upstream = grads[0].contiguous();   // (M)
        Tensor grad_x = at::empty_like(x);
        in_chunks(x.size(0), [&](std::int64_t begin, std::int64_t rows) {
            const auto part = [&](const Tensor& t) { return t.narrow(0, begin, rows); };
            Tensor logits = kept.defined() ? kept : capped_logits(*head, part(x), cap);   // (m, V)
            const Tensor slope = cap > 0 ? 1 - (logits / cap).square() : Tensor();       // of cap * tanh(x / cap)
            chosen_gradient_(logits, part(targets), part(normalizers), part(upstream), inverse_temperature);
            part(grad_x).copy_(head->backward(cap > 0 ? logits.mul_(slope) : logits));
            (*pulse)();
        });
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
    return TokenLogprobs::apply(x, chosen, Arguments{&decoder.head(), decoder.config().logit_cap, 1.0 / temperature, &pulse});
}

Tensor reference_logprobs(const Decoder& decoder, const Tensor& h, const Tensor& targets,
                          const std::vector<double>& temperatures, const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    const Tensor x = decoder.final_norm(h, nullptr).contiguous(), chosen = targets.to(h.device());
    Tensor out = at::empty({static_cast<std::int64_t>(temperatures.size()), x.size(0)}, x.options());
    in_chunks(x.size(0), [&](std::int64_t begin, std::int64_t rows) {
        const Tensor logits = capped_logits(decoder.head(), x.narrow(0, begin, rows), decoder.config().logit_cap);   // (m, V)
        for (std::size_t k = 0; k < temperatures.size(); ++k) {
            Tensor part = out[static_cast<std::int64_t>(k)].narrow(0, begin, rows);
            if (k > 0 && temperatures[k] == temperatures[k - 1]) {
                part.copy_(out[static_cast<std::int64_t>(k) - 1].narrow(0, begin, rows));
                continue;
            }
            const double inverse = 1.0 / temperatures[k];
            part.copy_(chosen_logprobs(logits, chosen.narrow(0, begin, rows), log_sum_exp(logits, inverse), inverse));
        }
        pulse();
    });
    return out;
}

}  // namespace plumbline
