#include "core/model/stored_loops.h"

#include <vector>

#include "core/model/processor.h"
#include "core/model/stored_kernels.h"

namespace plumbline::loops {

bool multiplies_stored(GgufType type, bool rounded) {
    return rounded ? has_avx512_bf16() && stored_bf16_knows(type) : has_avx512() && stored_f32_knows(type);
}

void stored_product(const StoredBlocks& weight, const float* x, std::int64_t rows, std::int64_t begin, std::int64_t end,
                    float* y, std::int64_t stride) {
    stored_f32(weight, x, rows, begin, end, y, stride);
}

void stored_product(const StoredBlocks& weight, const std::uint16_t* x, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, std::uint16_t* y, std::int64_t stride) {
    if (!stored_tiles_built() || !has_tiles()) {
        stored_bf16(weight, x, rows, begin, end, y, stride);
        return;
    }
    thread_local std::vector<std::uint16_t> turned;
    turned.resize(static_cast<std::size_t>(stored_rows * weight.in));
    turn_for_tiles(x, rows, weight.in, turned.data());
    stored_tiles(weight, turned.data(), rows, begin, end, y, stride);
}

}  // namespace plumbline::loops
