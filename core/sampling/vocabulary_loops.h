#pragma once
// Passes over a row of logits, compiled for several processors.

#include <cstdint>

namespace plumbline::loops {

/// Logits that a search for likely ones takes or leaves together.
inline constexpr std::int64_t block_logits = 64;

/// The greatest of each block of logits (n): out (n / block_logits, rounded up). Returns the greatest of all. One that
/// is not a number shows up in masses_of().
float block_maxima(const float* logits, std::int64_t n, float* out);

/// masses (n) = exp((logit - most) * inverse_temperature); returns their sum.
double masses_of(const float* logits, std::int64_t n, float most, float inverse_temperature, float* masses);

/// What lies above a threshold.
struct Above {
    double mass = 0;
    std::int64_t count = 0;
};
Above above(const float* logits, const float* masses, std::int64_t n, float threshold);

}  // namespace plumbline::loops
