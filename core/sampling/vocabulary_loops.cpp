#include "core/sampling/vocabulary_loops.h"

#include <algorithm>

#include "core/model/each_processor.h"
#include "core/model/exponential.h"

namespace plumbline::loops {

FOR_EACH_PROCESSOR
float block_maxima(const float* logits, std::int64_t n, float* out) {
    float most = logits[0];
    for (std::int64_t begin = 0; begin < n; begin += block_logits, ++out) {
        const std::int64_t end = std::min(n, begin + block_logits);
        float of_block = logits[begin];
#pragma omp simd reduction(max : of_block)
        for (std::int64_t i = begin; i < end; ++i) {
            of_block = std::max(of_block, logits[i]);
        }
        *out = of_block;
        most = std::max(most, of_block);
    }
    return most;
}

FOR_EACH_PROCESSOR
double masses_of(const float* logits, std::int64_t n, float most, float inverse_temperature, float* masses) {
    double total = 0;
    for (std::int64_t begin = 0; begin < n; begin += block_logits) {
        const std::int64_t end = std::min(n, begin + block_logits);
        float of_block = 0;
#pragma omp simd reduction(+ : of_block)
        for (std::int64_t i = begin; i < end; ++i) {
            masses[i] = exponential((logits[i] - most) * inverse_temperature);
            of_block += masses[i];
        }
        total += of_block;
    }
    return total;
}

FOR_EACH_PROCESSOR
Above above(const float* logits, const float* masses, std::int64_t n, float threshold) {
    Above out;
    for (std::int64_t begin = 0; begin < n; begin += block_logits) {
        const std::int64_t end = std::min(n, begin + block_logits);
        float mass = 0;
        std::int32_t count = 0;
#pragma omp simd reduction(+ : mass, count)
        for (std::int64_t i = begin; i < end; ++i) {
            mass += logits[i] > threshold ? masses[i] : 0.0f;
            count += logits[i] > threshold ? 1 : 0;
        }
        out.mass += mass;
        out.count += count;
    }
    return out;
}

}  // namespace plumbline::loops
