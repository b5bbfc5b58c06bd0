#pragma once
// ggml's blocks as registers of AVX-512, the same numbers as block_nibbles.cpp gives. For the files that are compiled for
// such processors; nothing here may become a function of its own, which others could be given in place of theirs.

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "core/model/stored_loops.h"

#define INLINE static inline __attribute__((always_inline))

namespace plumbline::loops {
namespace {

using Byte = unsigned char;
using Floats = __m512;
constexpr int lanes = 16, block_values = 2 * lanes;
constexpr int most_blocks = 18;       // of a row at once: what is decoded stays in the first cache
constexpr int bytes_ahead = 4096;     // rows lie one behind the other

/// The values 0…15 and 16…31 of a block.
struct Values {
    Floats low, high;
};

INLINE __mmask16 first_lanes(std::int64_t n) { return static_cast<__mmask16>(n >= lanes ? 0xffff : (1u << n) - 1); }
INLINE __m128i sixteen_at(const Byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

/// Each four bits choose one of sixteen values; an index's upper bits do not count.
INLINE Values chosen(const Byte* nibbles, Floats values) {
    const __m512i q = _mm512_cvtepu8_epi32(sixteen_at(nibbles));
    return {_mm512_permutexvar_ps(q, values), _mm512_permutexvar_ps(_mm512_srli_epi32(q, 4), values)};
}

// A block begins with its scales, in f16; `scale`: the same as floats. Then come numbers of four bits, of sixteen values.
struct Q4_0Block {
    static constexpr int bytes = 18, scales = 1, nibbles = 2;
    INLINE Floats sixteen(const float* scale) {
        return _mm512_setr_ps(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7) * _mm512_set1_ps(scale[0]);
    }
    INLINE Values values(const Byte* block, const float* scale) { return chosen(block + nibbles, sixteen(scale)); }
};

struct Q4_1Block {
    static constexpr int bytes = 20, scales = 2, nibbles = 4;
    INLINE Floats sixteen(const float* scale) {
        const Floats steps = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        return steps * _mm512_set1_ps(scale[0]) + _mm512_set1_ps(scale[1]);
    }
    INLINE Values values(const Byte* block, const float* scale) { return chosen(block + nibbles, sixteen(scale)); }
};

struct Q8_0Block {
    static constexpr int bytes = 34, scales = 1;
    INLINE Floats half(const Byte* at) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(sixteen_at(at))); }
    INLINE Values values(const Byte* block, const float* scale) {
        const Floats d = _mm512_set1_ps(scale[0]);
        return {half(block + 2) * d, half(block + 18) * d};
    }
};

/// `use(i, block, scale)` of the first `blocks` blocks of a row, at most most_blocks.
template <typename Block, typename Use>
INLINE void for_blocks(const Byte* row, std::int64_t blocks, const Use& use) {
    constexpr int most = (most_blocks + lanes - 1) / lanes * lanes;
    alignas(64) float scales[most * Block::scales];
    for (std::int64_t i = 0; i < blocks; i += lanes) {
        const __m512i at = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                              _mm512_set1_epi32(Block::bytes));
        const __m512i begins = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), first_lanes(blocks - i), at,
                                                           row + i * Block::bytes, 1);   // four bytes of each block
        if constexpr (Block::scales == 1) {
            _mm512_store_ps(scales + i, _mm512_cvtph_ps(_mm512_cvtepi32_epi16(begins)));
        } else {
            _mm512_store_ps(scales + 2 * i, _mm512_cvtph_ps(_mm512_castsi512_si256(begins)));
            _mm512_store_ps(scales + 2 * i + lanes, _mm512_cvtph_ps(_mm512_extracti64x4_epi64(begins, 1)));
        }
    }
    for (std::int64_t i = 0; i < blocks * Block::bytes; i += 64) {
        _mm_prefetch(row + i + bytes_ahead, _MM_HINT_T0);
    }
    for (std::int64_t i = 0; i < blocks; ++i) {
        use(i, row + i * Block::bytes, scales + i * Block::scales);
    }
}

/// How a row's blocks become numbers.
template <typename Number>
struct RowDecoder {
    GgufType type{};
    int bytes = 0;   // of a block
    void (*decode)(const Byte* row, std::int64_t blocks, Number* out) = nullptr;
};

/// Decoder<Block>::decode writes blocks of each type that is known as Numbers. nullptr: another type.
template <template <typename> class Decoder, typename Number>
const RowDecoder<Number>* decoder_of(GgufType type) {
    static constexpr RowDecoder<Number> all[] = {{GgufType::q4_0, Q4_0Block::bytes, Decoder<Q4_0Block>::decode},
                                                 {GgufType::q4_1, Q4_1Block::bytes, Decoder<Q4_1Block>::decode},
                                                 {GgufType::q8_0, Q8_0Block::bytes, Decoder<Q8_0Block>::decode}};
    for (const RowDecoder<Number>& decoder : all) {
        if (decoder.type == type) return &decoder;
    }
    return nullptr;
}

constexpr int part_values = most_blocks * block_values;   // that many apart lie decoded rows

/// Blocks [block, block + n) of an output; behind `end` of the last before it again.
template <typename Number>
INLINE void decode_row(const StoredBlocks& weight, const RowDecoder<Number>& decoder, std::int64_t output, std::int64_t end,
                       std::int64_t block, std::int64_t n, Number* decoded) {
    const auto* bytes = reinterpret_cast<const Byte*>(weight.bytes);
    const std::int64_t row_bytes = weight.in / block_values * decoder.bytes;
    decoder.decode(bytes + (output < end ? output : end - 1) * row_bytes + block * decoder.bytes, n, decoded);
}

/// The same of the outputs [first, first + count).
template <typename Number>
INLINE void decode_rows(const StoredBlocks& weight, const RowDecoder<Number>& decoder, std::int64_t first, int count,
                        std::int64_t end, std::int64_t block, std::int64_t n, Number* decoded) {
    for (int i = 0; i < count; ++i) {
        decode_row(weight, decoder, first + i, end, block, n, decoded + i * part_values);
    }
}

/// The 16 sums of 16 registers.
INLINE Floats sums_of(const Floats (&v)[lanes]) {
    Floats pairs[8], quads[4];
    for (int i = 0; i < 8; ++i) {
        pairs[i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]) + _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
    }
    for (int i = 0; i < 4; ++i) {
        const __m512d a = _mm512_castps_pd(pairs[2 * i]), b = _mm512_castps_pd(pairs[2 * i + 1]);
        quads[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b)) + _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    }
    const auto fold = [](Floats a, Floats b) __attribute__((always_inline)) {
        return _mm512_shuffle_f32x4(a, b, 0x88) + _mm512_shuffle_f32x4(a, b, 0xdd);
    };
    return fold(fold(quads[0], quads[1]), fold(quads[2], quads[3]));
}

constexpr int tile_outputs = 4, tile_rows = 4;

/// Four outputs' decoded weights times `height` rows of x: the sums of those outputs, 16 from row to row, += theirs.
/// Numbers::plus(sum, w, x) adds the products of Numbers::step numbers.
template <typename Numbers, int height, typename Number>
INLINE void add_tile(const Number* weights, const Number* x, std::int64_t in, std::int64_t n,
                     float* sums) {
    Floats all[lanes] = {};
    for (std::int64_t k = 0; k < n; k += Numbers::step) {
#pragma GCC unroll 4
        for (int row = 0; row < height; ++row) {
#pragma GCC unroll 4
            for (int output = 0; output < tile_outputs; ++output) {
                Floats& sum = all[row * tile_outputs + output];
                sum = Numbers::plus(sum, weights + output * part_values + k, x + row * in + k);
            }
        }
    }
    const Floats sum = sums_of(all);
    const __m128 of_rows[] = {_mm512_extractf32x4_ps(sum, 0), _mm512_extractf32x4_ps(sum, 1),
                              _mm512_extractf32x4_ps(sum, 2), _mm512_extractf32x4_ps(sum, 3)};
    for (int row = 0; row < height; ++row) {
        float* to = sums + row * lanes;
        _mm_storeu_ps(to, _mm_loadu_ps(to) + of_rows[row]);
    }
}

template <typename Numbers, typename Number>
INLINE void add_tiles(const Number* weights, const Number* x, std::int64_t in, std::int64_t rows,
                      std::int64_t n, float* sums) {
    std::int64_t row = 0;
    for (; row + tile_rows <= rows; row += tile_rows) {
        add_tile<Numbers, tile_rows>(weights, x + row * in, in, n, sums + row * lanes);
    }
    for (; row < rows; ++row) {
        add_tile<Numbers, 1>(weights, x + row * in, in, n, sums + row * lanes);
    }
}

/// Of a row of so many, decoded at once: parts of nearly equal size.
INLINE std::int64_t blocks_of_a_part(std::int64_t blocks) {
    const std::int64_t parts = (blocks + most_blocks - 1) / most_blocks;
    return (blocks + parts - 1) / parts;
}

/// `use(first block, blocks)` of the parts of a row.
template <typename Use>
INLINE void for_parts(std::int64_t blocks, const Use& use) {
    const std::int64_t each = blocks_of_a_part(blocks);
    for (std::int64_t first = 0; first < blocks; first += each) {
        use(first, first + each < blocks ? each : blocks - first);
    }
}

}  // namespace
}  // namespace plumbline::loops
