// Compiled for AVX-512 with bf16 and AMX (core/CMakeLists.txt); called only where stored_loops.cpp has found them.

#include "core/model/stored_kernels.h"

#if defined(__AVX512BF16__) && defined(__AMX_BF16__)

#include <algorithm>
#include <utility>

#include "core/model/stored_blocks.h"

namespace plumbline::loops {
namespace {

INLINE __m512bh numbers_at(const std::uint16_t* at) { return reinterpret_cast<__m512bh>(_mm512_loadu_si512(at)); }

struct Bf16 {
    static constexpr int step = 2 * lanes;
    INLINE Floats plus(Floats sum, const std::uint16_t* w, const std::uint16_t* x) {
        return _mm512_dpbf16_ps(sum, numbers_at(w), numbers_at(x));
    }
};

INLINE __m512i twice(__m256i half) { return _mm512_inserti64x4(_mm512_castsi256_si512(half), half, 1); }

/// The numbers of a block, rounded. Of four bits: its sixteen values are rounded, and then chosen among; a fifth bit of
/// an index does not count, since they stand there twice.
template <typename Block>
INLINE __m512i rounded_block(const Byte* block, const float* scale) {
    if constexpr (requires { Block::nibbles; }) {
        const __m512i sixteen = twice(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(Block::sixteen(scale))));
        const __m512i pairs = _mm512_cvtepu8_epi16(_mm256_broadcastsi128_si256(sixteen_at(block + Block::nibbles)));
        const __m512i upper_half_by_four = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(4), 1);
        return _mm512_permutexvar_epi16(_mm512_srlv_epi16(pairs, upper_half_by_four), sixteen);
    } else {
        const Values values = Block::values(block, scale);
        return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(values.high, values.low));
    }
}

template <typename Block>
struct ToBf16 {
    static void decode(const Byte* row, std::int64_t blocks, std::uint16_t* out) {
        for_blocks<Block>(row, blocks, [&](std::int64_t i, const Byte* block, const float* scale) __attribute__((always_inline)) {
            _mm512_store_si512(out + i * block_values, rounded_block<Block>(block, scale));
        });
    }
};

INLINE void store_rounded(Floats sums, std::int64_t n, std::uint16_t* to) {
    _mm256_mask_storeu_epi16(to, first_lanes(n), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sums)));
}

/// The unit's registers: rows of 64 bytes at most, as LDTILECFG reads it.
struct TileShapes {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};

    void set(int tile, std::int64_t columns) {
        row_bytes[tile] = static_cast<std::uint16_t>(4 * columns);
        rows[tile] = lanes;
    }
};
static_assert(sizeof(TileShapes) == 64);

/// Blocks [block, block + n) of the group of outputs that begins with `first`.
struct Part {
    std::int64_t first, block, n;
};
INLINE Part first_part(std::int64_t first, std::int64_t blocks) { return {first, 0, blocks_of_a_part(blocks)}; }
INLINE Part part_after(const Part& part, std::int64_t blocks) {
    const std::int64_t block = part.block + part.n;
    return block == blocks ? first_part(part.first + stored_group, blocks)
                           : Part{part.first, block, std::min(blocks - block, blocks_of_a_part(blocks))};
}

}  // namespace

bool stored_bf16_knows(GgufType type) { return decoder_of<ToBf16, std::uint16_t>(type) != nullptr; }
bool stored_tiles_built() { return true; }

void stored_bf16(const StoredBlocks& weight, const std::uint16_t* x, std::int64_t rows, std::int64_t begin,
                 std::int64_t end, std::uint16_t* y, std::int64_t stride) {
    const RowDecoder<std::uint16_t>& decoder = *decoder_of<ToBf16, std::uint16_t>(weight.type);
    alignas(64) std::uint16_t decoded[stored_group * part_values];
    alignas(64) float sums[stored_rows * lanes];
    for (std::int64_t first = begin; first < end; first += stored_group) {
        for (float& sum : sums) sum = 0;
        for_parts(weight.in / block_values, [&](std::int64_t block, std::int64_t n) __attribute__((always_inline)) {
            decode_rows(weight, decoder, first, stored_group, end, block, n, decoded);
            for (int tile = 0; tile < stored_group; tile += tile_outputs) {
                add_tiles<Bf16>(decoded + tile * part_values, x + block * block_values, weight.in, rows,
                                n * block_values, sums + tile);
            }
        });
        for (std::int64_t row = 0; row < rows; ++row) {
            store_rounded(_mm512_load_ps(sums + row * lanes), end - first, y + row * stride + first);
        }
    }
}

void turn_for_tiles(const std::uint16_t* x, std::int64_t rows, std::int64_t in, std::uint16_t* turned) {
    for (std::int64_t first = 0; first < rows; first += lanes, turned += lanes * in) {
        const std::int64_t columns = rows - first < lanes ? rows - first : lanes;
        for (std::int64_t pair = 0; pair < in / 2; ++pair) {
            for (std::int64_t column = 0; column < columns; ++column) {
                std::memcpy(turned + (pair * columns + column) * 2, x + (first + column) * in + 2 * pair, 2 * sizeof *x);
            }
        }
    }
}

// sums (16 outputs, 16 rows) += weights (16 outputs, 32 numbers) times x (32 numbers in pairs, 16 rows), for one or two
// times 16 rows. Tile 0: weights; 1 and 2: x; 3 and 4: sums.
void stored_tiles(const StoredBlocks& weight, const std::uint16_t* turned, std::int64_t rows, std::int64_t begin,
                  std::int64_t end, std::uint16_t* y, std::int64_t stride) {
    const RowDecoder<std::uint16_t>& decoder = *decoder_of<ToBf16, std::uint16_t>(weight.type);
    const std::int64_t columns = rows < lanes ? rows : lanes, more = rows - columns;
    const std::uint16_t* turned_more = turned + lanes * weight.in;
    alignas(64) TileShapes shapes;
    shapes.set(0, lanes);
    shapes.set(1, columns);
    shapes.set(3, columns);
    if (more > 0) {
        shapes.set(2, more);
        shapes.set(4, more);
    }
    _tile_loadconfig(&shapes);
    alignas(64) std::uint16_t rooms[2][stored_group * part_values];
    alignas(64) float sums[lanes * lanes];
    // The tile loads do not tell the compiler what they read.
    const auto fence = []() __attribute__((always_inline)) { asm volatile("" ::: "memory"); };
    const auto store = [&](std::int64_t first, std::int64_t first_row, std::int64_t n) __attribute__((always_inline)) {
        fence();
        const __m512i places = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                                  _mm512_set1_epi32(static_cast<int>(n)));
        for (std::int64_t row = 0; row < n; ++row) {
            store_rounded(_mm512_i32gather_ps(places, sums + row, sizeof(float)), end - first,
                          y + (first_row + row) * stride + first);
        }
    };
    // The rows of the next part are decoded between the products of this one, which wait for the unit most of the time.
    const std::int64_t blocks = weight.in / block_values;
    const auto decode = [&](const Part& part, std::int64_t row, std::uint16_t* to) __attribute__((always_inline)) {
        decode_row(weight, decoder, part.first + row, end, part.block, part.n, to + row * part_values);
    };
    std::uint16_t *decoded = rooms[0], *coming = rooms[1];
    Part part = first_part(begin, blocks);
    for (std::int64_t row = 0; row < stored_group; ++row) decode(part, row, decoded);
    while (part.first < end) {
        if (part.block == 0) {
            _tile_zero(3);
            if (more > 0) _tile_zero(4);
        }
        const Part next = part_after(part, blocks);
        const std::int64_t rows_to_decode = next.first < end ? stored_group : 0;
        fence();
        for (std::int64_t i = 0; i < std::max(part.n, rows_to_decode); ++i) {
            if (i < part.n) {
                _tile_loadd(0, decoded + i * block_values, part_values * sizeof *decoded);
                _tile_loadd(1, turned + (part.block + i) * block_values * columns, 4 * columns);
                _tile_dpbf16ps(3, 0, 1);
                if (more > 0) {
                    _tile_loadd(2, turned_more + (part.block + i) * block_values * more, 4 * more);
                    _tile_dpbf16ps(4, 0, 2);
                }
            }
            if (i < rows_to_decode) decode(next, i, coming);
        }
        if (next.first != part.first) {
            _tile_stored(3, sums, 4 * columns);
            store(part.first, 0, columns);
            if (more > 0) {
                _tile_stored(4, sums, 4 * more);
                store(part.first, lanes, more);
            }
        }
        part = next;
        std::swap(decoded, coming);
    }
    _tile_release();
}

}  // namespace plumbline::loops

#else

namespace plumbline::loops {

bool stored_bf16_knows(GgufType) { return false; }
bool stored_tiles_built() { return false; }
void stored_bf16(const StoredBlocks&, const std::uint16_t*, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*,
                 std::int64_t) {}
void turn_for_tiles(const std::uint16_t*, std::int64_t, std::int64_t, std::uint16_t*) {}
void stored_tiles(const StoredBlocks&, const std::uint16_t*, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*,
                  std::int64_t) {}

}  // namespace plumbline::loops

#endif
