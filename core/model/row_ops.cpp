#include "core/model/row_ops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "core/model/row_loops.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::int64_t entries_a_thread = 16384;   // fewer cost more to hand over than to compute
constexpr std::int64_t exponential_entries = 4;      // that one exponential is worth

template <typename Work>
void over_rows(std::int64_t rows, std::int64_t width, const Work& work) {
    at::parallel_for(0, rows, std::max<std::int64_t>(1, entries_a_thread / width), [&](std::int64_t begin, std::int64_t end) {
        work(begin, end - begin);
    });
}

const float* data(const Tensor& t) { return t.const_data_ptr<float>(); }
float* data_of(Tensor& t) { return t.data_ptr<float>(); }
std::int64_t head_dim_of(const Rotation& rotation) {
    return rotation.head_dim > 0 ? rotation.head_dim : 2 * rotation.cos.size(1);
}
const std::uint16_t* bits(const Tensor& t) { return static_cast<const std::uint16_t*>(t.const_data_ptr()); }
std::uint16_t* bits_of(Tensor& t) { return static_cast<std::uint16_t*>(t.data_ptr()); }
bool rounded(const Tensor& t) { return t.scalar_type() == at::kBFloat16; }

}  // namespace

Tensor rms_norm(const Tensor& h, const Tensor& weight, double eps, at::ScalarType type) {
    if (!h.is_cpu()) {
        return at::rms_norm(h, {h.size(1)}, weight, eps).to(type);
    }
    const Tensor in = h.contiguous();
    const std::int64_t n = in.size(1);
    Tensor out = at::empty(in.sizes(), in.options().dtype(type));
    over_rows(in.size(0), n, [&](std::int64_t row, std::int64_t rows) {
        const float *from = data(in) + row * n, e = static_cast<float>(eps);
        rounded(out) ? loops::rms_norm(from, data(weight), e, rows, n, bits_of(out) + row * n)
                     : loops::rms_norm(from, data(weight), e, rows, n, data_of(out) + row * n);
    });
    return out;
}

Tensor rms_norm_backward(const Tensor& h, const Tensor& weight, const Tensor& grad, double eps) {
    if (!h.is_cpu()) {
        const Tensor scale = (h.square().mean(1, true) + eps).rsqrt(), weighted = grad * weight;
        return weighted * scale - h * scale.pow(3) * (weighted * h).mean(1, true);
    }
    const Tensor in = h.contiguous(), upstream = grad.contiguous();
    const std::int64_t n = in.size(1);
    Tensor out = at::empty_like(in);
    over_rows(in.size(0), n, [&](std::int64_t row, std::int64_t rows) {
        loops::rms_norm_backward(data(in) + row * n, data(weight), data(upstream) + row * n, static_cast<float>(eps),
                                 rows, n, data_of(out) + row * n);
    });
    return out;
}

Tensor swiglu(const Tensor& gate_up, at::ScalarType type) {
    const std::int64_t n = gate_up.size(1) / 2;
    if (!gate_up.is_cpu()) {
        const Tensor in = gate_up.to(at::kFloat);
        return (at::silu(in.narrow(1, 0, n)) * in.narrow(1, n, n)).to(type);
    }
    const Tensor in = gate_up.contiguous();
    Tensor out = at::empty({in.size(0), n}, in.options().dtype(type));
    over_rows(in.size(0), n * exponential_entries, [&](std::int64_t row, std::int64_t rows) {
        if (rounded(in)) {
            loops::swiglu(bits(in) + row * 2 * n, rows, n, bits_of(out) + row * n);
        } else if (rounded(out)) {
            loops::swiglu(data(in) + row * 2 * n, rows, n, bits_of(out) + row * n);
        } else {
            loops::swiglu(data(in) + row * 2 * n, rows, n, data_of(out) + row * n);
        }
    });
    return out;
}

Tensor swiglu_backward(const Tensor& gate_up, const Tensor& grad) {
    const std::int64_t n = gate_up.size(1) / 2;
    if (!gate_up.is_cpu()) {
        const Tensor gate = gate_up.narrow(1, 0, n);
        return at::cat({at::silu_backward(grad * gate_up.narrow(1, n, n), gate), grad * at::silu(gate)}, 1);
    }
    const Tensor in = gate_up.contiguous(), upstream = grad.contiguous();
    Tensor out = at::empty_like(in);
    over_rows(in.size(0), n, [&](std::int64_t row, std::int64_t rows) {
        std::vector<float> value(static_cast<std::size_t>(rows * n));   // not asked for
        loops::swiglu_backward(data(in) + row * 2 * n, data(upstream) + row * n, rows, n, data_of(out) + row * 2 * n,
                               value.data());
    });
    return out;
}

Tensor sum(const Tensor& h, const Tensor& x) {
    if (!h.is_cpu() || !rounded(x)) {
        return h + x;
    }
    const Tensor from = h.contiguous(), to_add = x.contiguous();
    Tensor out = at::empty_like(from);
    over_rows(from.size(0), from.size(1), [&](std::int64_t row, std::int64_t rows) {
        const std::int64_t first = row * from.size(1);
        loops::add(data(from) + first, bits(to_add) + first, rows * from.size(1), data_of(out) + first);
    });
    return out;
}

Tensor plain_rotate(const Tensor& x, const Rotation& rotation, std::int64_t heads, bool back) {
    const std::int64_t n = x.size(0), half = rotation.cos.size(1), d = head_dim_of(rotation);
    const Tensor turned = x.narrow(1, 0, heads * d).reshape({n, heads, d});
    const Tensor a = turned.narrow(2, 0, half), b = turned.narrow(2, half, half);
    const Tensor rest = turned.narrow(2, 2 * half, d - 2 * half);
    const Tensor cos = rotation.cos.unsqueeze(1), sin = (back ? -rotation.sin : rotation.sin).unsqueeze(1);
    return at::cat({at::cat({a * cos - b * sin, b * cos + a * sin, rest}, 2).flatten(1),
                    x.narrow(1, heads * d, x.size(1) - heads * d)},
                   1);
}

Tensor rotate(const Tensor& x, const Rotation& rotation, std::int64_t heads, bool back) {
    if (!rotation.cos.defined()) {
        return x;
    }
    const std::int64_t n = x.size(0), half = rotation.cos.size(1), d = head_dim_of(rotation), width = x.size(1);
    if (!x.is_cpu()) {
        return plain_rotate(x, rotation, heads, back);
    }
    const Tensor in = x.contiguous();
    Tensor out = at::empty_like(in);
    over_rows(n, width, [&](std::int64_t begin, std::int64_t rows) {
        for (std::int64_t row = begin; row < begin + rows; ++row) {
            loops::rotate(data(in) + row * width, data(rotation.cos) + row * half, data(rotation.sin) + row * half,
                          back ? -1.0f : 1.0f, {heads, d, 2 * half}, width, data_of(out) + row * width);
        }
    });
    return out;
}

Tensor log_sum_exp(const Tensor& logits, double inverse_temperature) {
    if (!logits.is_cpu()) {
        return at::logsumexp(logits.to(at::kFloat) * inverse_temperature, 1);
    }
    const std::int64_t width = logits.size(1);
    const auto factor = static_cast<float>(inverse_temperature);
    Tensor out = at::empty({logits.size(0)}, at::kFloat);
    over_rows(logits.size(0), width, [&](std::int64_t begin, std::int64_t rows) {
        for (std::int64_t row = begin; row < begin + rows; ++row) {
            data_of(out)[row] = logits.scalar_type() == at::kBFloat16
                                    ? loops::log_sum_exp(bits(logits) + row * width, width, factor)
                                    : loops::log_sum_exp(data(logits) + row * width, width, factor);
        }
    });
    return out;
}

void chosen_gradient_(Tensor& logits, const Tensor& targets, const Tensor& normalizers, const Tensor& upstream,
                      double inverse_temperature) {
    if (!logits.is_cpu()) {
        const Tensor softmax = (logits.to(at::kFloat) * inverse_temperature - normalizers.unsqueeze(1)).exp();
        const Tensor index = targets.unsqueeze(1);
        const Tensor scale = (upstream * inverse_temperature).unsqueeze(1);   // (M, 1)
        logits.copy_(softmax.neg().scatter_add_(1, index, at::ones(index.sizes(), softmax.options())).mul_(scale));
        return;
    }
    const std::int64_t width = logits.size(1);
    over_rows(logits.size(0), width, [&](std::int64_t begin, std::int64_t rows) {
        for (std::int64_t row = begin; row < begin + rows; ++row) {
            const loops::ChosenEntry chosen{targets.const_data_ptr<std::int64_t>()[row], data(normalizers)[row],
                                            data(upstream)[row], static_cast<float>(inverse_temperature)};
            if (logits.scalar_type() == at::kBFloat16) {
                loops::chosen_gradient(static_cast<std::uint16_t*>(logits.data_ptr()) + row * width, width, chosen);
            } else {
                loops::chosen_gradient(data_of(logits) + row * width, width, chosen);
            }
        }
    });
}

}  // namespace plumbline
