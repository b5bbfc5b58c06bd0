#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/model/each_processor.h"

namespace plumbline::loops {

// exp without a call, so that loops over it become vectors: 2^k * e^r with |r| <= ln 2 / 2, e^r by its series to the
// seventh power; relative error below 2e-7. Below -87 (where floats end) it is e^-87, as good as 0 in a sum.
PART_OF_LOOP float exponential(float x) {
    x = std::min(std::max(x, -87.0f), 88.0f);
    const float shifted = x * 1.44269504f + 12582912.0f;   // 1.5 * 2^23: adding it rounds to a whole number
    const float k = shifted - 12582912.0f;
    const float r = (x - k * 0.693145752f) - k * 1.42860677e-6f;   // ln 2 in two parts
    float e = 1.98412698e-4f;
    e = e * r + 1.38888889e-3f;
    e = e * r + 8.33333333e-3f;
    e = e * r + 4.16666667e-2f;
    e = e * r + 1.66666667e-1f;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    const std::int32_t power = std::bit_cast<std::int32_t>(shifted) << 23;   // k in the exponent's place
    return std::bit_cast<float>(std::bit_cast<std::int32_t>(e) + power);
}

}  // namespace plumbline::loops
