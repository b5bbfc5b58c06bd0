#include "core/model/head_run.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace plumbline {

namespace {

using Int = std::int64_t;

Int in_lanes(Int n) { return (n + loops::attention_lanes - 1) / loops::attention_lanes * loops::attention_lanes; }

}  // namespace

/// One thread's memory, kept for its next run.
struct HeadRun::Rooms {
    std::vector<float> q, keys[4], out, grad, grad_q, grad_keys, scratch, normalizers;

    static float* of(std::vector<float>& room, Int n) {
        room.resize(static_cast<std::size_t>(n));
        return room.data();
    }
    static float* zeros(std::vector<float>& room, Int n) {
        room.assign(static_cast<std::size_t>(n), 0.0f);
        return room.data();
    }
};

HeadRun::Rooms& HeadRun::rooms() {
    thread_local Rooms all;
    return all;
}

HeadRun::HeadRun(const CausalRun& run, Int kv_head, const HeadShape& s)
    : run_(run), of_{run.rows, run.prompt_rows, s.heads / s.kv_heads, in_lanes(s.head_dim), s.window}, d_(s.head_dim),
      heads_(s.heads), width_((s.heads + 2 * s.kv_heads) * s.head_dim), key_((s.heads + kv_head) * s.head_dim),
      value_((s.heads + s.kv_heads + kv_head) * s.head_dim),
      first_query_(kv_head * of_.queries) {}

float HeadRun::scale() const { return 1.0f / std::sqrt(static_cast<float>(d_)); }

Int HeadRun::row_of(Int key) const {
    return key < of_.prompt_tokens ? run_.prompt_begin + key : run_.begin + key - of_.prompt_tokens;
}

// work(row of the batch, its head, place among the run's own).
void HeadRun::for_queries(Int begin, Int end, const auto& work) const {
    for (Int token = begin; token < end; ++token) {
        for (Int query = 0; query < of_.queries; ++query) {
            work(run_.begin + token, first_query_ + query, token * of_.queries + query);
        }
    }
}

void HeadRun::read_queries(const float* rotated, Int begin, Int end) const {
    float* q = Rooms::zeros(rooms().q, floats());
    for_queries(begin, end, [&](Int row, Int head, Int at) {
        const float* from = rotated + row * width_ + head * d_;
        std::transform(from, from + d_, q + at * of_.head_dim, [factor = scale()](float x) { return x * factor; });
    });
}

// Columns [column, column + d) of the first `n` keys' rows: (n, head_dim).
const float* HeadRun::rows(const float* rotated, Int column, Int n, int room) const {
    float* to = Rooms::zeros(rooms().keys[room], of_.keys() * of_.head_dim);
    for (Int key = 0; key < n; ++key) {
        std::copy_n(rotated + row_of(key) * width_ + column, d_, to + key * of_.head_dim);
    }
    return to;
}

// The same turned: (head_dim, stride).
const float* HeadRun::turned(const float* rotated, Int column, Int n, int room) const {
    float* to = Rooms::zeros(rooms().keys[room], of_.head_dim * of_.stride());
    for (Int first = 0; first < n; first += loops::attention_lanes) {
        const Int count = std::min(loops::attention_lanes, n - first);
        const float* from[loops::attention_lanes] = {};
        for (Int key = 0; key < count; ++key) {
            from[key] = rotated + row_of(first + key) * width_ + column;
        }
        for (Int i = 0; i < d_; ++i) {
            for (Int key = 0; key < count; ++key) {
                to[i * of_.stride() + first + key] = from[key][i];
            }
        }
    }
    return to;
}

void HeadRun::attend(const float* rotated, Int begin, Int end, float* out, float* normalizers) const {
    Rooms& r = rooms();
    read_queries(rotated, begin, end);
    const Int n = of_.prompt_tokens + end;
    const loops::RunKeys keys{nullptr, turned(rotated, key_, n, 0), rows(rotated, value_, n, 1), nullptr};
    float *attended = Rooms::of(r.out, floats()), *own = Rooms::of(r.normalizers, of_.tokens * of_.queries);
    loops::attend_run(of_, begin, end, r.q.data(), keys, Rooms::of(r.scratch, of_.scratch()), attended, own);
    for_queries(begin, end, [&](Int row, Int head, Int at) {
        std::copy_n(attended + at * of_.head_dim, d_, out + (row * heads_ + head) * d_);
        normalizers[row * heads_ + head] = own[at];
    });
}

void HeadRun::backward(const Attended& attended, const float* grad, float* into, float* of_prompt) const {
    Rooms& r = rooms();
    read_queries(attended.rotated, 0, of_.tokens);
    const Int n = of_.keys(), keys_floats = n * of_.head_dim;
    const loops::RunKeys keys{rows(attended.rotated, key_, n, 0), turned(attended.rotated, key_, n, 1), nullptr,
                              turned(attended.rotated, value_, n, 2)};
    float *own_out = Rooms::zeros(r.out, floats()), *own_grad = Rooms::zeros(r.grad, floats());
    float *normalizers = Rooms::of(r.normalizers, of_.tokens * of_.queries), *grad_q = Rooms::of(r.grad_q, floats());
    float *grad_keys = Rooms::zeros(r.grad_keys, 2 * keys_floats), *grad_values = grad_keys + keys_floats;
    for_queries(0, of_.tokens, [&](Int row, Int head, Int at) {
        const Int from = row * heads_ + head;
        std::copy_n(attended.out + from * d_, d_, own_out + at * of_.head_dim);
        std::copy_n(grad + from * d_, d_, own_grad + at * of_.head_dim);
        normalizers[at] = attended.normalizers[from];
    });
    loops::attend_run_backward(of_, r.q.data(), keys, own_out, own_grad, normalizers, Rooms::of(r.scratch, 2 * of_.scratch()),
                               {grad_q, grad_keys, grad_values});
    for_queries(0, of_.tokens, [&](Int row, Int head, Int at) {
        const float* from = grad_q + at * of_.head_dim;
        std::transform(from, from + d_, into + row * width_ + head * d_, [factor = scale()](float x) { return x * factor; });
    });
    for (Int key = 0; key < n; ++key) {
        const bool own = key >= of_.prompt_tokens;
        float* row = into + row_of(key) * width_;
        std::copy_n(grad_keys + key * of_.head_dim, d_, own ? row + key_ : of_prompt + key * d_);
        std::copy_n(grad_values + key * of_.head_dim, d_, own ? row + value_ : of_prompt + (of_.prompt_tokens + key) * d_);
    }
}

void HeadRun::add_to_prompt(const float* of_prompt, float* into) const {
    for (Int key = 0; key < of_.prompt_tokens; ++key) {
        float* row = into + row_of(key) * width_;
        for (Int i = 0; i < d_; ++i) {
            row[key_ + i] += of_prompt[key * d_ + i];
            row[value_ + i] += of_prompt[(of_.prompt_tokens + key) * d_ + i];
        }
    }
}

}  // namespace plumbline
