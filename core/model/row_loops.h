#pragma once
// The loops of row_ops.h over plain memory, compiled for several processors; the one at hand is chosen at start.
// Rows are contiguous and independent: a caller may split them among threads without a change of any bit.

#include <cstdint>

namespace plumbline::loops {

/// h, out (rows, n); weight (n): out = h / sqrt(mean(h^2) + eps) * weight.
/// bf16 as the upper halves of floats, here and below.
void rms_norm(const float* h, const float* weight, float eps, std::int64_t rows, std::int64_t n, float* out);
void rms_norm(const float* h, const float* weight, float eps, std::int64_t rows, std::int64_t n, std::uint16_t* out);
/// grad (rows, n) of that out -> grad_h (rows, n).
void rms_norm_backward(const float* h, const float* weight, const float* grad, float eps, std::int64_t rows,
                       std::int64_t n, float* grad_h);

/// gate_up (rows, 2 n), the gate's half first; out (rows, n): silu(gate) * up.
void swiglu(const float* gate_up, std::int64_t rows, std::int64_t n, float* out);
void swiglu(const float* gate_up, std::int64_t rows, std::int64_t n, std::uint16_t* out);
void swiglu(const std::uint16_t* gate_up, std::int64_t rows, std::int64_t n, std::uint16_t* out);
/// h, out (n): h + x.
void add(const float* h, const std::uint16_t* x, std::int64_t n, float* out);
/// grad (rows, n) -> grad_gate_up (rows, 2 n), and swiglu() once more, value (rows, n).
void swiglu_backward(const float* gate_up, const float* grad, std::int64_t rows, std::int64_t n, float* grad_gate_up,
                     float* value);

/// One row of heads of `d` entries whose first `turned` are turned by its position's cos and sin (turned / 2), halves
/// against each other; `sign` -1 turns back. The rest, up to `width`, is copied.
struct TurnedHeads {
    std::int64_t heads = 0, d = 0, turned = 0;
};
void rotate(const float* in, const float* cos, const float* sin, float sign, const TurnedHeads& shape,
            std::int64_t width, float* out);

/// One row's query heads that share a key head, against the keys and values of the prompt and of the reply:
/// q (queries, d) scaled already; keys and values (tokens, d) each; out (queries, d). `scores`: room for
/// queries * (prompt_tokens + reply_tokens).
struct KeysAndValues {
    const float *keys = nullptr, *values = nullptr;
    std::int64_t tokens = 0;
};
void attend(const float* q, std::int64_t queries, std::int64_t d, const KeysAndValues& prompt,
            const KeysAndValues& reply, float* scores, float* out);

/// log sum exp(inverse_temperature * logits) of one row, and the gradient of a chosen entry's log-probability written
/// over the row: upstream * inverse_temperature * (onehot(target) - softmax).
float log_sum_exp(const float* logits, std::int64_t n, float inverse_temperature);
float log_sum_exp(const std::uint16_t* logits, std::int64_t n, float inverse_temperature);
struct ChosenEntry {
    std::int64_t target = 0;
    float normalizer = 0, upstream = 0, inverse_temperature = 1;
};
void chosen_gradient(float* logits, std::int64_t n, const ChosenEntry& chosen);
void chosen_gradient(std::uint16_t* logits, std::int64_t n, const ChosenEntry& chosen);

}  // namespace plumbline::loops
