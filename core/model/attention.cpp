#include "core/model/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "core/model/head_run.h"

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

/// What one thread does at a time.
struct Task {
    std::size_t run;
    std::int64_t head, begin, end;   // tokens of the run
};

/// All key heads of all runs, of at most `most` tokens each. The last ones first: a run's last tokens see the most keys.
std::vector<Task> tasks_of(std::span<const CausalRun> runs, std::int64_t kv_heads, std::int64_t most) {
    std::vector<Task> out;
    for (std::size_t run = runs.size(); run-- > 0;) {
        for (std::int64_t end = runs[run].rows; end > 0;) {
            const std::int64_t begin = (end - 1) / most * most;
            for (std::int64_t head = 0; head < kv_heads; ++head) {
                out.push_back({run, head, begin, end});
            }
            end = begin;
        }
    }
    return out;
}

/// Each thread takes the next one; they write to places of their own.
void for_tasks(const std::vector<Task>& tasks, const auto& work) {
    std::atomic<std::size_t> next{0};
    at::parallel_for(0, std::min<std::int64_t>(at::get_num_threads(), static_cast<std::int64_t>(tasks.size())), 1,
                     [&](std::int64_t, std::int64_t) {
        for (std::size_t i = next++; i < tasks.size(); i = next++) {
            work(tasks[i]);
        }
    });
}

struct Attended {
    Tensor out, normalizers;   // (N, H d), (N, H)
};

Attended attend_runs(const Tensor& rotated, std::span<const CausalRun> runs, const HeadShape& s) {
    const Tensor in = rotated.contiguous();
    const std::int64_t n = in.size(0);
    Attended of{at::empty({n, s.heads * s.head_dim}, in.options()), at::empty({n, s.heads}, in.options())};
    constexpr std::int64_t tokens_of_a_task = 256;
    for_tasks(tasks_of(runs, s.kv_heads, tokens_of_a_task), [&](const Task& task) {
        HeadRun(runs[task.run], task.head, s)
            .attend(in.const_data_ptr<float>(), task.begin, task.end, of.out.data_ptr<float>(),
                    of.normalizers.data_ptr<float>());
    });
    return of;
}

// Gradients of the rotated rows, (N, (H + 2 KV) d).
Tensor attend_runs_backward(const Tensor& rotated, const Attended& of, const Tensor& grad, std::span<const CausalRun> runs,
                            const HeadShape& s) {
    Tensor into = at::empty_like(rotated);
    std::vector<std::int64_t> first(1, 0);   // where each run leaves what falls to its prompt
    for (const CausalRun& run : runs) {
        first.push_back(first.back() + (run.rows > 0 ? 2 * run.prompt_rows * s.head_dim * s.kv_heads : 0));
    }
    const Tensor of_prompts = at::empty({first.back()}, grad.options());
    const auto of_prompt = [&](std::size_t run, std::int64_t head) {
        return of_prompts.data_ptr<float>() + first[run] + head * 2 * runs[run].prompt_rows * s.head_dim;
    };
    constexpr std::int64_t whole_runs = std::numeric_limits<std::int64_t>::max();
    for_tasks(tasks_of(runs, s.kv_heads, whole_runs), [&](const Task& task) {
        HeadRun(runs[task.run], task.head, s)
            .backward({rotated.const_data_ptr<float>(), of.out.const_data_ptr<float>(),
                       of.normalizers.const_data_ptr<float>()},
                      grad.const_data_ptr<float>(), into.data_ptr<float>(), of_prompt(task.run, task.head));
    });
    for (std::size_t run = 0; run < runs.size(); ++run) {
        for (std::int64_t head = 0; head < s.kv_heads && runs[run].rows > 0; ++head) {
            HeadRun(runs[run], head, s).add_to_prompt(of_prompt(run, head), into.data_ptr<float>());
        }
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
        const Tensor rotated = rotate(qkv, *call.rotation, s.heads + s.kv_heads).contiguous();
        const Attended of = attend_runs(rotated, call.runs, s);
        context->save_for_backward({rotated, of.out, of.normalizers, call.rotation->cos, call.rotation->sin});
        context->saved_data["shape"] = std::vector<std::int64_t>{s.heads, s.kv_heads, s.head_dim, s.window, call.rotation->head_dim};
        std::vector<std::int64_t> runs;
        for (const CausalRun& run : call.runs) {
            runs.insert(runs.end(), {run.begin, run.rows, run.prompt_begin, run.prompt_rows});
        }
        context->saved_data["runs"] = runs;
        return of.out;
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
        const Tensor grad = attend_runs_backward(saved[0], {saved[1], saved[2]}, grads[0].contiguous(), runs, s);
        return {rotate(grad, {saved[3], saved[4], shape[4]}, s.heads + s.kv_heads, /*back=*/true), Tensor()};
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
    return rotated.is_cpu() && shape.cap == 0 ? attend_runs(rotated, runs, shape).out
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
