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

#include "core/model/attention_loops.h"

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

/// The work of one run's query heads that share one key head: their rows gathered, head_dim padded.
class HeadRun {
  public:
    HeadRun(const CausalRun& run, std::int64_t kv_head, const HeadShape& s)
        : run_(run), of_{run.rows, run.prompt_rows, s.heads / s.kv_heads, padded(s.head_dim), s.window}, d_(s.head_dim),
          width_((s.heads + 2 * s.kv_heads) * s.head_dim), out_width_(s.heads * s.head_dim),
          query_(kv_head * of_.queries * s.head_dim), key_((s.heads + kv_head) * s.head_dim),
          value_((s.heads + s.kv_heads + kv_head) * s.head_dim), first_query_(kv_head * of_.queries) {}

    /// rotated (N, W) -> out (N, H d), normalizers (N, H), of the run's tokens [begin, end).
    void attend(const float* rotated, std::int64_t begin, std::int64_t end, float* out, float* normalizers, std::int64_t heads) {
        read_queries(rotated, begin, end);
        read_keys(rotated, of_.prompt_tokens + end);
        float* of_out = room(out_, rows());
        std::vector<float>& own = normalizers_;
        own.resize(static_cast<std::size_t>(of_.tokens * of_.queries));
        loops::attend_run(of_, begin, end, q_.data(), keys(), room(scratch_, of_.scratch()), of_out, own.data());
        for_queries(begin, end, [&](std::int64_t token, std::int64_t query, std::int64_t at) {
            std::copy_n(of_out + at * of_.head_dim, d_, out + (run_.begin + token) * out_width_ + query_ + query * d_);
            normalizers[(run_.begin + token) * heads + first_query_ + query] = own[static_cast<std::size_t>(at)];
        });
    }

    /// grad (N, H d) -> into (N, W), its own rows; `of_prompt` (2, P, d): what falls to the prompt's keys and values.
    void backward(const float* rotated, const float* out, const float* normalizers, const float* grad, std::int64_t heads,
                  float* into, float* of_prompt) {
        read_queries(rotated, 0, of_.tokens);
        read_keys(rotated, of_.keys());
        read_other_keys(rotated);
        float *of_out = room(out_, rows()), *of_grad = room(grad_, rows()), *grad_q = room(grad_q_, rows());
        float* grad_keys = room(grad_keys_, 2 * of_.keys() * of_.head_dim);
        std::fill_n(grad_keys, 2 * of_.keys() * of_.head_dim, 0.0f);
        float* grad_values = grad_keys + of_.keys() * of_.head_dim;
        normalizers_.resize(static_cast<std::size_t>(of_.tokens * of_.queries));
        for_queries(0, of_.tokens, [&](std::int64_t token, std::int64_t query, std::int64_t at) {
            const std::int64_t from = (run_.begin + token) * out_width_ + query_ + query * d_;
            std::copy_n(out + from, d_, of_out + at * of_.head_dim);
            std::copy_n(grad + from, d_, of_grad + at * of_.head_dim);
            normalizers_[static_cast<std::size_t>(at)] = normalizers[(run_.begin + token) * heads + first_query_ + query];
        });
        loops::attend_run_backward(of_, q_.data(), keys(), of_out, of_grad, normalizers_.data(), room(scratch_, 2 * of_.scratch()),
                                   {grad_q, grad_keys, grad_values});
        for_queries(0, of_.tokens, [&](std::int64_t token, std::int64_t query, std::int64_t at) {
            float* to = into + (run_.begin + token) * width_ + query_ + query * d_;
            std::transform(grad_q + at * of_.head_dim, grad_q + at * of_.head_dim + d_, to, [&](float x) { return x * scale(); });
        });
        for (std::int64_t key = 0; key < of_.keys(); ++key) {
            float* row = into + row_of(key) * width_;
            const bool own = key >= of_.prompt_tokens;
            std::copy_n(grad_keys + key * of_.head_dim, d_, own ? row + key_ : of_prompt + key * d_);
            std::copy_n(grad_values + key * of_.head_dim, d_, own ? row + value_ : of_prompt + (of_.prompt_tokens + key) * d_);
        }
    }

    /// What backward() left for the prompt, added to its rows.
    void add_to_prompt(const float* of_prompt, float* into) const {
        for (std::int64_t key = 0; key < of_.prompt_tokens; ++key) {
            float* row = into + row_of(key) * width_;
            for (std::int64_t i = 0; i < d_; ++i) {
                row[key_ + i] += of_prompt[key * d_ + i];
                row[value_ + i] += of_prompt[(of_.prompt_tokens + key) * d_ + i];
            }
        }
    }

  private:
    static std::int64_t padded(std::int64_t d) {
        return (d + loops::attention_lanes - 1) / loops::attention_lanes * loops::attention_lanes;
    }
    /// Zeros where head_dim is padded, and else whatever was there.
    float* room(std::vector<float>& of, std::int64_t n) const {
        if (d_ != of_.head_dim) {
            of.clear();
        }
        of.resize(static_cast<std::size_t>(n));
        return of.data();
    }
    std::int64_t rows() const { return of_.tokens * of_.queries * of_.head_dim; }
    float scale() const { return 1.0f / std::sqrt(static_cast<float>(d_)); }
    std::int64_t row_of(std::int64_t key) const {
        return key < of_.prompt_tokens ? run_.prompt_begin + key : run_.begin + key - of_.prompt_tokens;
    }
    loops::RunKeys keys() const { return {k_.data(), k_t_.data(), v_.data(), v_t_.data()}; }
    void for_queries(std::int64_t begin, std::int64_t end, const auto& work) const {
        for (std::int64_t token = begin; token < end; ++token) {
            for (std::int64_t query = 0; query < of_.queries; ++query) {
                work(token, query, token * of_.queries + query);
            }
        }
    }
    void read_queries(const float* rotated, std::int64_t begin, std::int64_t end) {
        float* q = room(q_, rows());
        for_queries(begin, end, [&](std::int64_t token, std::int64_t query, std::int64_t at) {
            const float* from = rotated + (run_.begin + token) * width_ + query_ + query * d_;
            std::transform(from, from + d_, q + at * of_.head_dim, [&](float x) { return x * scale(); });
        });
    }
    void read_rows(const float* rotated, std::int64_t column, std::int64_t n, std::vector<float>& into) const {
        float* to = room(into, of_.keys() * of_.head_dim);
        for (std::int64_t key = 0; key < n; ++key) {
            std::copy_n(rotated + row_of(key) * width_ + column, d_, to + key * of_.head_dim);
        }
    }
    void read_turned(const float* rotated, std::int64_t column, std::int64_t n, std::vector<float>& into) const {
        const std::int64_t stride = of_.stride(), end = std::min(stride, (n / loops::attention_lanes + 1) * loops::attention_lanes);
        float* to = room(into, of_.head_dim * stride);
        for (std::int64_t first = 0; first < end; first += loops::attention_lanes) {
            const float* rows[loops::attention_lanes] = {};   // none: zeros behind
            const std::int64_t count = std::min(loops::attention_lanes, n - first);
            for (std::int64_t key = 0; key < count; ++key) {
                rows[key] = rotated + row_of(first + key) * width_ + column;
            }
            for (std::int64_t i = 0; i < d_; ++i) {
                for (std::int64_t key = 0; key < loops::attention_lanes; ++key) {
                    to[i * stride + first + key] = key < count ? rows[key][i] : 0.0f;
                }
            }
        }
    }
    /// The first `n` keys and values as attend() wants them, and what the gradient wants besides.
    void read_keys(const float* rotated, std::int64_t n) {
        read_turned(rotated, key_, n, k_t_);
        read_rows(rotated, value_, n, v_);
    }
    void read_other_keys(const float* rotated) {
        read_rows(rotated, key_, of_.keys(), k_);
        read_turned(rotated, value_, of_.keys(), v_t_);
    }

    CausalRun run_;
    loops::RunShape of_;
    std::int64_t d_, width_, out_width_, query_, key_, value_, first_query_;
    // One thread's rooms, kept for its next run.
    static thread_local std::vector<float> q_, k_, k_t_, v_, v_t_, out_, grad_, grad_q_, grad_keys_, scratch_, normalizers_;
};
thread_local std::vector<float> HeadRun::q_, HeadRun::k_, HeadRun::k_t_, HeadRun::v_, HeadRun::v_t_, HeadRun::out_, HeadRun::grad_,
    HeadRun::grad_q_, HeadRun::grad_keys_, HeadRun::scratch_, HeadRun::normalizers_;

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
                    of.normalizers.data_ptr<float>(), s.heads);
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
            .backward(rotated.const_data_ptr<float>(), of.out.const_data_ptr<float>(), of.normalizers.const_data_ptr<float>(),
                      grad.const_data_ptr<float>(), s.heads, into.data_ptr<float>(), of_prompt(task.run, task.head));
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
