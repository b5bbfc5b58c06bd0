#pragma once
// Registers of AVX-512 and AMX as tile_*.cpp use them. For the files that are compiled for such processors; nothing here
// may become a function of its own, which others could be given in place of theirs.

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "core/model/tile_kernels.h"

#define INLINE static inline __attribute__((always_inline))

namespace plumbline::loops {
namespace {

using U16 = std::uint16_t;
using Int = std::int64_t;
using Numbers = __m512i;   // 32 of bf16
constexpr Int lanes = 16;
constexpr Int tile_sums = lanes * lanes;
constexpr Int line = 32;   // numbers that memory gives at once

/// The unit's registers, all 16 rows of 64 bytes, as LDTILECFG reads them.
struct TileShapes {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    U16 row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);

/// The registers are the thread's from here to the end of the scope.
struct Tiles {
    Tiles() {
        alignas(64) const TileShapes shapes;
        _tile_loadconfig(&shapes);
    }
    ~Tiles() { _tile_release(); }
    Tiles(const Tiles&) = delete;
    Tiles& operator=(const Tiles&) = delete;
};

// The tile loads and stores do not tell the compiler what they touch.
INLINE void fence() { asm volatile("" ::: "memory"); }

INLINE __mmask16 first_lanes(Int n) { return static_cast<__mmask16>(n >= lanes ? 0xffff : n <= 0 ? 0 : (1 << n) - 1); }
INLINE __mmask32 first_numbers(Int n) { return n >= 32 ? 0xffffffffu : n <= 0 ? 0u : (1u << n) - 1; }

INLINE __m512 low_half(Numbers n) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(n)), 16));
}
INLINE __m512 high_half(Numbers n) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(n, 1)), 16));
}
INLINE Numbers rounded(__m512 low, __m512 high) { return reinterpret_cast<Numbers>(_mm512_cvtne2ps_pbh(high, low)); }

/// 32 numbers in two pieces: rounded, and what that leaves.
struct Pieces {
    Numbers first, second;
};
INLINE Pieces pieces_of(__m512 low, __m512 high) {
    const Numbers first = rounded(low, high);
    return {first, rounded(_mm512_sub_ps(low, low_half(first)), _mm512_sub_ps(high, high_half(first)))};
}

INLINE void transpose(__m512i (&r)[lanes]) {
    __m512i t[lanes];
    for (int i = 0; i < lanes; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < lanes; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    constexpr int even = 0x88, odd = 0xdd;   // quarters of a register
    for (int i = 0; i < 4; ++i) {
        const __m512i a = _mm512_shuffle_i32x4(r[i], r[i + 4], even), b = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], even);
        const __m512i c = _mm512_shuffle_i32x4(r[i], r[i + 4], odd), d = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], odd);
        t[i] = _mm512_shuffle_i32x4(a, b, even);
        t[i + 8] = _mm512_shuffle_i32x4(a, b, odd);
        t[i + 4] = _mm512_shuffle_i32x4(c, d, even);
        t[i + 12] = _mm512_shuffle_i32x4(c, d, odd);
    }
    std::copy(t, t + lanes, r);
}

INLINE void store(__m512 low, __m512 high, Int n, float* to) {
    _mm512_mask_storeu_ps(to, first_lanes(n), low);
    if (n > lanes) _mm512_mask_storeu_ps(to + lanes, first_lanes(n - lanes), high);
}
INLINE void store(__m512 low, __m512 high, Int n, U16* to) {
    _mm512_mask_storeu_epi16(to, first_numbers(n), rounded(low, high));
}

}  // namespace
}  // namespace plumbline::loops
