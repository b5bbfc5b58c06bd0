// Compiled for AVX-512 (core/CMakeLists.txt); called only where stored_loops.cpp has found it.

#include "core/model/stored_kernels.h"

#ifdef __AVX512F__

#include "core/model/stored_blocks.h"

namespace plumbline::loops {
namespace {

struct F32 {
    static constexpr int step = lanes;
    INLINE Floats plus(Floats sum, const float* w, const float* x) {
        return _mm512_fmadd_ps(_mm512_load_ps(w), _mm512_loadu_ps(x), sum);
    }
};

template <typename Block>
struct ToF32 {
    static void decode(const Byte* row, std::int64_t blocks, float* out) {
        for_blocks<Block>(row, blocks, [&](std::int64_t i, const Byte* block, const float* scale) __attribute__((always_inline)) {
            const Values values = Block::values(block, scale);
            _mm512_store_ps(out + i * block_values, values.low);
            _mm512_store_ps(out + i * block_values + lanes, values.high);
        });
    }
};

}  // namespace

bool stored_f32_knows(GgufType type) { return decoder_of<ToF32, float>(type) != nullptr; }

void stored_f32(const StoredBlocks& weight, const float* x, std::int64_t rows, std::int64_t begin, std::int64_t end,
                float* y, std::int64_t stride) {
    const RowDecoder<float>& decoder = *decoder_of<ToF32, float>(weight.type);
    alignas(64) float decoded[tile_outputs * part_values], sums[stored_rows * lanes];
    for (std::int64_t first = begin; first < end; first += stored_group) {
        for (float& sum : sums) sum = 0;
        for (int tile = 0; tile < stored_group && first + tile < end; tile += tile_outputs) {
            for_parts(weight.in / block_values, [&](std::int64_t block, std::int64_t n) __attribute__((always_inline)) {
                decode_rows(weight, decoder, first + tile, tile_outputs, end, block, n, decoded);
                add_tiles<F32>(decoded, x + block * block_values, weight.in, rows, n * block_values, sums + tile);
            });
        }
        for (std::int64_t row = 0; row < rows; ++row) {
            _mm512_mask_storeu_ps(y + row * stride + first, first_lanes(end - first), _mm512_load_ps(sums + row * lanes));
        }
    }
}

}  // namespace plumbline::loops

#else

namespace plumbline::loops {

bool stored_f32_knows(GgufType) { return false; }
void stored_f32(const StoredBlocks&, const float*, std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t) {}

}  // namespace plumbline::loops

#endif
