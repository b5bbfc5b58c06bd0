#pragma once
// Causal attention of one run's query heads that share a key head, over plain memory: FlashAttention's way without its
// tiles (2307.08691, section 3.1), since a run of a few hundred tokens stays in the caches anyway.

#include <cstdint>

namespace plumbline::loops {

/// Lengths that these loops want as multiples: head_dim, and what a row of keys_t or values_t holds.
inline constexpr std::int64_t attention_lanes = 16;
/// Tokens that are attended for at once; any part of a run is to begin with a multiple.
inline constexpr std::int64_t attention_tokens = 16;

struct RunShape {
    std::int64_t tokens = 0, prompt_tokens = 0;   // T of its own, P before them; S = P + T
    std::int64_t queries = 0, head_dim = 0;       // Q, d
    std::int64_t window = 0;                      // as in HeadShape

    std::int64_t keys() const { return prompt_tokens + tokens; }
    std::int64_t stride() const { return (keys() + attention_lanes - 1) / attention_lanes * attention_lanes; }
    /// Floats of scratch, once for attend_run and twice for its gradient.
    std::int64_t scratch() const { return attention_tokens * queries * stride(); }
};

/// What a run attends to: keys and values (S, d), the same turned (d, stride), zeros behind.
struct RunKeys {
    const float *keys = nullptr, *keys_t = nullptr, *values = nullptr, *values_t = nullptr;
};

/// Tokens [begin, end) of q (T, Q, d), scaled -> out (T, Q, d), and each row's log sum exp of its scores, normalizers
/// (T, Q). Reads keys_t and values.
void attend_run(const RunShape& shape, std::int64_t begin, std::int64_t end, const float* q, const RunKeys& of, float* scratch,
                float* out, float* normalizers);

/// Of the same: grad (T, Q, d) of out -> the gradients of scaled q, and of keys and values (S, d), to which they are added.
struct RunGradients {
    float *q = nullptr, *keys = nullptr, *values = nullptr;
};
void attend_run_backward(const RunShape& shape, const float* q, const RunKeys& of, const float* out, const float* grad,
                         const float* normalizers, float* scratch, const RunGradients& to);

}  // namespace plumbline::loops
