#include "core/model/row_loops.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/model/each_processor.h"
#include "core/model/exponential.h"

namespace plumbline::loops {

namespace {

PART_OF_LOOP float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

PART_OF_LOOP float dot(const float* a, const float* b, std::int64_t n) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

PART_OF_LOOP float to_float(float x) { return x; }
PART_OF_LOOP float to_float(std::uint16_t x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }

PART_OF_LOOP void store(float value, float& place) { place = value; }
PART_OF_LOOP void store(float value, std::uint16_t& place) {   // to the nearest, ties to even
    const auto bits = std::bit_cast<std::uint32_t>(value);
    place = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <typename T>
PART_OF_LOOP float log_sum_exp_of(const T* logits, std::int64_t n, float inverse_temperature) {
    float most = to_float(logits[0]), sum = 0;
#pragma omp simd reduction(max : most)
    for (std::int64_t i = 0; i < n; ++i) {
        most = std::max(most, to_float(logits[i]));
    }
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < n; ++i) {
        sum += exponential((to_float(logits[i]) - most) * inverse_temperature);
    }
    // What is not finite shows up in the sum, whatever the comparisons made of it.
    return most * inverse_temperature + std::log(sum);
}

template <typename T>
PART_OF_LOOP void chosen_gradient_of(T* logits, std::int64_t n, const ChosenEntry& chosen) {
    const float scale = chosen.upstream * chosen.inverse_temperature;
    const float at_target =
        scale * (1.0f - exponential(to_float(logits[chosen.target]) * chosen.inverse_temperature - chosen.normalizer));
    const float inverse_temperature = chosen.inverse_temperature, normalizer = chosen.normalizer;
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
        store(-scale * exponential(to_float(logits[i]) * inverse_temperature - normalizer), logits[i]);
    }
    store(at_target, logits[chosen.target]);
}

// Not a number where the squares are more than a float holds: a row that has run away must not pass for one of zeros.
PART_OF_LOOP float one_over_norm(const float* h, std::int64_t n, float eps) {
    const float mean = dot(h, h, n) / static_cast<float>(n) + eps;
    return 1.0f / std::sqrt(mean) + (mean - mean);
}

template <typename T>
PART_OF_LOOP void rms_norm_of(const float* h, const float* weight, float eps, std::int64_t rows, std::int64_t n, T* out) {
    for (std::int64_t row = 0; row < rows; ++row, h += n, out += n) {
        const float scale = one_over_norm(h, n, eps);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            store(h[i] * scale * weight[i], out[i]);
        }
    }
}

template <typename In, typename Out>
PART_OF_LOOP void swiglu_of(const In* gate_up, std::int64_t rows, std::int64_t n, Out* out) {
    for (std::int64_t row = 0; row < rows; ++row, gate_up += 2 * n, out += n) {
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const float gate = to_float(gate_up[i]);
            store(gate * sigmoid(gate) * to_float(gate_up[n + i]), out[i]);
        }
    }
}

}  // namespace

FOR_EACH_PROCESSOR
void rms_norm(const float* h, const float* weight, float eps, std::int64_t rows, std::int64_t n, float* out) {
    rms_norm_of(h, weight, eps, rows, n, out);
}

FOR_EACH_PROCESSOR
void rms_norm(const float* h, const float* weight, float eps, std::int64_t rows, std::int64_t n, std::uint16_t* out) {
    rms_norm_of(h, weight, eps, rows, n, out);
}

FOR_EACH_PROCESSOR
void rms_norm_backward(const float* h, const float* weight, const float* grad, float eps, std::int64_t rows,
                       std::int64_t n, float* grad_h) {
    for (std::int64_t row = 0; row < rows; ++row, h += n, grad += n, grad_h += n) {
        const float scale = one_over_norm(h, n, eps);
        float along = 0;   // the part of the gradient that would only make the row longer
#pragma omp simd reduction(+ : along)
        for (std::int64_t i = 0; i < n; ++i) {
            along += grad[i] * weight[i] * h[i];
        }
        const float back = along * scale * scale * scale / static_cast<float>(n);
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            grad_h[i] = grad[i] * weight[i] * scale - h[i] * back;
        }
    }
}

FOR_EACH_PROCESSOR
void swiglu(const float* gate_up, std::int64_t rows, std::int64_t n, float* out) { swiglu_of(gate_up, rows, n, out); }

FOR_EACH_PROCESSOR
void swiglu(const float* gate_up, std::int64_t rows, std::int64_t n, std::uint16_t* out) {
    swiglu_of(gate_up, rows, n, out);
}

FOR_EACH_PROCESSOR
void swiglu(const std::uint16_t* gate_up, std::int64_t rows, std::int64_t n, std::uint16_t* out) {
    swiglu_of(gate_up, rows, n, out);
}

FOR_EACH_PROCESSOR
void add(const float* h, const std::uint16_t* x, std::int64_t n, float* out) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) {
        out[i] = h[i] + to_float(x[i]);
    }
}

FOR_EACH_PROCESSOR
void swiglu_backward(const float* gate_up, const float* grad, std::int64_t rows, std::int64_t n, float* grad_gate_up,
                     float* value) {
    for (std::int64_t row = 0; row < rows; ++row, gate_up += 2 * n, grad += n, grad_gate_up += 2 * n, value += n) {
#pragma omp simd
        for (std::int64_t i = 0; i < n; ++i) {
            const float s = sigmoid(gate_up[i]), silu = gate_up[i] * s, up = gate_up[n + i];
            grad_gate_up[i] = grad[i] * up * (s + silu * (1.0f - s));
            grad_gate_up[n + i] = grad[i] * silu;
            value[i] = silu * up;
        }
    }
}

FOR_EACH_PROCESSOR
void rotate(const float* in, const float* cos, const float* sin, float sign, const TurnedHeads& shape,
            std::int64_t width, float* out) {
    const std::int64_t heads = shape.heads, d = shape.d, half = shape.turned / 2;
    for (std::int64_t head = 0; head < heads; ++head) {
        const float *a = in + head * d, *b = a + half;
        float *to_a = out + head * d, *to_b = to_a + half;
#pragma omp simd
        for (std::int64_t i = 0; i < half; ++i) {
            const float s = sign * sin[i], x = a[i], y = b[i];
            to_a[i] = x * cos[i] - y * s;
            to_b[i] = y * cos[i] + x * s;
        }
        std::copy(b + half, in + (head + 1) * d, to_b + half);
    }
    std::copy(in + heads * d, in + width, out + heads * d);
}

FOR_EACH_PROCESSOR
void attend(const float* q, std::int64_t queries, std::int64_t d, const KeysAndValues& prompt,
            const KeysAndValues& reply, float* scores, float* out) {
    const std::int64_t tokens = prompt.tokens + reply.tokens;
    const auto score = [&](const KeysAndValues& part, std::int64_t first) __attribute__((always_inline)) {
        for (std::int64_t t = 0; t < part.tokens; ++t) {
            for (std::int64_t i = 0; i < queries; ++i) {
                scores[i * tokens + first + t] = dot(q + i * d, part.keys + t * d, d);
            }
        }
    };
    const auto add_up = [&](const KeysAndValues& part, std::int64_t first) __attribute__((always_inline)) {
        for (std::int64_t t = 0; t < part.tokens; ++t) {
            const float* value = part.values + t * d;
            for (std::int64_t i = 0; i < queries; ++i) {
                const float weight = scores[i * tokens + first + t];
                float* to = out + i * d;
#pragma omp simd
                for (std::int64_t j = 0; j < d; ++j) {
                    to[j] += weight * value[j];
                }
            }
        }
    };
    score(prompt, 0);
    score(reply, prompt.tokens);
    for (std::int64_t i = 0; i < queries; ++i) {
        float* row = scores + i * tokens;
        float most = row[0], sum = 0;
#pragma omp simd reduction(max : most)
        for (std::int64_t t = 0; t < tokens; ++t) {
            most = std::max(most, row[t]);
        }
#pragma omp simd reduction(+ : sum)
        for (std::int64_t t = 0; t < tokens; ++t) {
            row[t] = exponential(row[t] - most);
            sum += row[t];
        }
        const float share = 1.0f / sum;
#pragma omp simd
        for (std::int64_t t = 0; t < tokens; ++t) {
            row[t] *= share;
        }
    }
    std::fill(out, out + queries * d, 0.0f);
    add_up(prompt, 0);
    add_up(reply, prompt.tokens);
}

FOR_EACH_PROCESSOR
float log_sum_exp(const float* logits, std::int64_t n, float inverse_temperature) {
    return log_sum_exp_of(logits, n, inverse_temperature);
}

FOR_EACH_PROCESSOR
float log_sum_exp(const std::uint16_t* logits, std::int64_t n, float inverse_temperature) {
    return log_sum_exp_of(logits, n, inverse_temperature);
}

FOR_EACH_PROCESSOR
void chosen_gradient(float* logits, std::int64_t n, const ChosenEntry& chosen) { chosen_gradient_of(logits, n, chosen); }

FOR_EACH_PROCESSOR
void chosen_gradient(std::uint16_t* logits, std::int64_t n, const ChosenEntry& chosen) {
    chosen_gradient_of(logits, n, chosen);
}

}  // namespace plumbline::loops
