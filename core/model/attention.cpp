#include "core/model/attention.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>
#include <vector>

namespace plumbline {

using at::Tensor;

namespace {

// Neighbours of one shape and one prompt, which attend in one call.
struct Group {
    CausalRun run;         // the first of them
    std::int64_t n = 0;
};

std::vector<Group> group(std::span<const CausalRun> runs) {
    std::vector<Group> out;
    for (const CausalRun& run : runs) {
        if (run.rows == 0) {
            continue;   // replies of no token
        }
        if (!out.empty() && out.back().run.rows == run.rows && out.back().run.prompt_rows == run.prompt_rows &&
            (run.prompt_rows == 0 || out.back().run.prompt_begin == run.prompt_begin) &&
            out.back().run.begin + out.back().n * run.rows == run.begin) {
            ++out.back().n;
        } else {
            out.push_back({run, 1});
        }
    }
    return out;
}

// A view of rows [begin, begin + n * rows) of t (N, heads * d): (n, H', rows, d), H' heads from `first` on.
Tensor heads_of(const Tensor& t, std::int64_t begin, std::int64_t n, std::int64_t rows, std::int64_t d,
                std::int64_t first, std::int64_t heads) {
    return t.narrow(0, begin, n * rows).view({n, rows, t.size(1) / d, d}).narrow(2, first, heads).transpose(1, 2);
}

// Row t of a reply sees the prompt and itself up to t, as far as the window reaches: 0 there, -inf elsewhere. (T, P + T).
Tensor seen_after(const CausalRun& run, std::int64_t window, const Tensor& like) {
    const auto hidden = [&] {
        return at::full({run.rows, run.prompt_rows + run.rows}, -std::numeric_limits<float>::infinity(), like.options());
    };
    const Tensor later = hidden().triu_(run.prompt_rows + 1);
    return window > 0 ? later.add_(hidden().tril_(run.prompt_rows - window)) : later;
}

struct Operands {
    Tensor q;              // (n, H, T, d)
    Tensor k, v;           // (n, KV, P + T, d)
    std::optional<Tensor> mask;
    bool causal = false;
};

Operands operands_of(const Tensor& rotated, const Group& g, const HeadShape& s) {
    const CausalRun& run = g.run;
    const Tensor q = heads_of(rotated, run.begin, g.n, run.rows, s.head_dim, 0, s.heads);
    Tensor kv = heads_of(rotated, run.begin, g.n, run.rows, s.head_dim, s.heads, 2 * s.kv_heads);
    std::optional<Tensor> mask;
    const bool windowed = s.window > 0 && run.prompt_rows + run.rows > s.window;
    if (run.prompt_rows > 0 || windowed) {
        mask = seen_after(run, windowed ? s.window : 0, rotated);
    }
    if (run.prompt_rows > 0) {
        const Tensor prompt =
            heads_of(rotated, run.prompt_begin, 1, run.prompt_rows, s.head_dim, s.heads, 2 * s.kv_heads);
        kv = at::cat({prompt.expand({g.n, -1, -1, -1}), kv}, 2);
    }
    return {q, kv.narrow(1, 0, s.kv_heads), kv.narrow(1, s.kv_heads, s.kv_heads), mask, !mask};
}

// -> (N, H d); `normalizers` (n, H, T) of each group are what the gradient needs besides.
Tensor attend_groups(const Tensor& rotated, const std::vector<Group>& groups, const HeadShape& s,
                     std::vector<Tensor>* normalizers) {
    Tensor out = at::empty({rotated.size(0), s.heads * s.head_dim}, rotated.options());
    for (const Group& g : groups) {
        const Operands o = operands_of(rotated, g, s);
        const auto [attended, normalizer] =
            at::_scaled_dot_product_flash_attention_for_cpu(o.q, o.k, o.v, 0.0, o.causal, o.mask);
        heads_of(out, g.run.begin, g.n, g.run.rows, s.head_dim, 0, s.heads).copy_(attended);
        if (normalizers) {
            normalizers->push_back(normalizer);
        }
    }
    return out;
}

// Gradients of the rotated rows, (N, (H + 2 KV) d).
Tensor attend_groups_backward(const Tensor& rotated, const Tensor& out, const Tensor& grad,
                              const std::vector<Group>& groups, const HeadShape& s,
                              std::span<const Tensor> normalizers) {
    Tensor into = at::empty_like(rotated);   // a prompt's own run comes before those that add to its rows
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const CausalRun& run = groups[i].run;
        const std::int64_t n = groups[i].n, d = s.head_dim;
        const Operands o = operands_of(rotated, groups[i], s);
        const auto of_queries = [&](const Tensor& t) { return heads_of(t, run.begin, n, run.rows, d, 0, s.heads); };
        const auto [grad_q, grad_k, grad_v] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
            of_queries(grad), o.q, o.k, o.v, of_queries(out), normalizers[i], 0.0, o.causal, o.mask);
        of_queries(into).copy_(grad_q);
        const auto to_rows = [&](const Tensor& of_part, std::int64_t first) {
            heads_of(into, run.begin, n, run.rows, d, first, s.kv_heads)
                .copy_(of_part.narrow(2, run.prompt_rows, run.rows));
            if (run.prompt_rows > 0) {
                heads_of(into, run.prompt_begin, 1, run.prompt_rows, d, first, s.kv_heads)
                    .add_(of_part.narrow(2, 0, run.prompt_rows).sum(0, true));
            }
        };
        to_rows(grad_k, s.heads);
        to_rows(grad_v, s.heads + s.kv_heads);
    }
    return into;
}

struct Call {
    const Rotation* rotation;
    std::span<const CausalRun> runs;
    const HeadShape* shape;
};

struct AttentionFunction : torch::autograd::Function<AttentionFunction> {
    static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& qkv, const Call& call) {
        const HeadShape& s = *call.shape;
        const Tensor rotated = rotate(qkv, *call.rotation, s.heads + s.kv_heads);
        std::vector<Tensor> saved{rotated, {}, call.rotation->cos, call.rotation->sin};
        const Tensor out = attend_groups(rotated, group(call.runs), s, &saved);
        saved[1] = out;
        context->save_for_backward(std::move(saved));
        context->saved_data["shape"] = std::vector<std::int64_t>{s.heads, s.kv_heads, s.head_dim, s.window, call.rotation->head_dim};
        std::vector<std::int64_t> runs;
        for (const CausalRun& run : call.runs) {
            runs.insert(runs.end(), {run.begin, run.rows, run.prompt_begin, run.prompt_rows});
        }
        context->saved_data["runs"] = runs;
        return out;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list grads) {
        const auto saved = context->get_saved_variables();
        const auto shape = context->saved_data["shape"].toIntVector(), flat = context->saved_data["runs"].toIntVector();
        const HeadShape s{shape[0], shape[1], shape[2], shape[3]};
        std::vector<CausalRun> runs;
        for (std::size_t i = 0; i < flat.size(); i += 4) {
            runs.push_back({flat[i], flat[i + 1], flat[i + 2], flat[i + 3]});
        }
        const Tensor grad = attend_groups_backward(saved[0], saved[1], grads[0].contiguous(), group(runs), s,
                                                   std::span(saved).subspan(4));
        return {rotate(grad, {saved[2], saved[3], shape[4]}, s.heads + s.kv_heads, /*back=*/true), Tensor()};
    }
};

// (n, H, T, d) of queries, (n, H, P + T, d) of keys and values.
Tensor capped_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double cap) {
    const Tensor scores = at::matmul(q, k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
    return at::matmul(at::softmax(cap * at::tanh(scores / cap) + mask, 3), v);
}

}  // namespace

Tensor attention(const Tensor& qkv, const Rotation& rotation, std::span<const CausalRun> runs, const HeadShape& shape) {
    if (!qkv.is_cpu() || shape.cap > 0) {
        return plain_attention(qkv, rotation, runs, shape);
    }
    if (!qkv.requires_grad() || !at::GradMode::is_enabled()) {
        return attend(rotate(qkv, rotation, shape.heads + shape.kv_heads), runs, shape);
    }
    return AttentionFunction::apply(qkv, Call{&rotation, runs, &shape});
}

Tensor attend(const Tensor& rotated, std::span<const CausalRun> runs, const HeadShape& shape) {
    return rotated.is_cpu() && shape.cap == 0 ? attend_groups(rotated, group(runs), shape, nullptr)
                                              : plain_attention(rotated, {}, runs, shape);
}

Tensor plain_attention(const Tensor& qkv, const Rotation& rotation, std::span<const CausalRun> runs,
                       const HeadShape& s) {
    const std::int64_t d = s.head_dim, n = qkv.size(0), per_kv = s.heads / s.kv_heads;
    const Tensor rotated = rotation.cos.defined() ? plain_rotate(qkv, rotation, s.heads + s.kv_heads) : qkv;
    const auto for_each_query = [&](std::int64_t first) {   // key or value heads, (N, H d)
        return rotated.narrow(1, first * d, s.kv_heads * d).reshape({n, s.kv_heads, d}).repeat_interleave(per_kv, 1).flatten(1);
    };
    const Tensor q = rotated.narrow(1, 0, s.heads * d).contiguous(), k = for_each_query(s.heads),
                 v = for_each_query(s.heads + s.kv_heads);
    std::vector<Tensor> out;
    for (const Group& g : group(runs)) {
        const CausalRun& run = g.run;
        const std::int64_t count = g.n;
        const auto own = [&](const Tensor& t) { return heads_of(t, run.begin, count, run.rows, d, 0, s.heads); };
        const auto seen = [&](const Tensor& t) {   // (n, H, P + T, d)
            const Tensor prompt = heads_of(t, run.prompt_begin, 1, run.prompt_rows, d, 0, s.heads);
            return at::cat({prompt.expand({count, -1, -1, -1}), own(t)}, 2);
        };
        const Tensor mask = seen_after(run, s.window, q.detach());
        const Tensor attended = s.cap > 0 ? capped_attention(own(q), seen(k), seen(v), mask, s.cap)
                                          : at::scaled_dot_product_attention(own(q), seen(k), seen(v), mask);
        out.push_back(attended.transpose(1, 2).reshape({count * run.rows, s.heads * d}));
    }
    return at::cat(out, 0);
}

}  // namespace plumbline
