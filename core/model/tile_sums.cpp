// Compiled for AVX-512 with bf16 and AMX (core/CMakeLists.txt); called only where the processor has them.

#include "core/model/tile_kernels.h"

#if defined(__AVX512BF16__) && defined(__AMX_BF16__)

#include "core/model/tile_registers.h"

namespace plumbline::loops {
namespace {

/// Two rows of 16 numbers as pairs one below the other, in two pieces.
INLINE Pieces paired(__m512 even, __m512 odd) {
    const __m512i alternating = _mm512_setr_epi32(0x100000, 0x110001, 0x120002, 0x130003, 0x140004, 0x150005, 0x160006,
                                                  0x170007, 0x180008, 0x190009, 0x1a000a, 0x1b000b, 0x1c000c, 0x1d000d,
                                                  0x1e000e, 0x1f000f);
    const Pieces p = pieces_of(even, odd);
    return {_mm512_permutexvar_epi16(alternating, p.first), _mm512_permutexvar_epi16(alternating, p.second)};
}

/// The first `n` columns of rows [row, row + 32) that there are, paired.
INLINE void pair_rows(const float* x, Int stride, Int rows, Int n, Numbers (&first)[lanes], Numbers (&second)[lanes]) {
    const __mmask16 columns = first_lanes(n);
    for (Int pair = 0; pair < lanes; ++pair) {
        const auto row = [&](Int at) __attribute__((always_inline)) {
            return at < rows ? _mm512_maskz_loadu_ps(columns, x + at * stride) : _mm512_setzero_ps();
        };
        const Pieces p = paired(row(2 * pair), row(2 * pair + 1));
        first[pair] = p.first;
        second[pair] = p.second;
    }
}

// Registers 0…3: sums of up to four times 16 of r, 4 and 5: low, 6 and 7: x.
template <int tiles>
INLINE void sum_columns(const U16* low, Int low_step, const float* x, Int stride, Int rows, Int n, Int columns_left,
                        float* sums) {
    alignas(64) U16 turned[2 * tile_numbers];
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (Int row = 0; row < rows; row += sum_rows, x += sum_rows * stride, low += low_step) {
        Numbers first[lanes], second[lanes];
        pair_rows(x, stride, rows - row, n, first, second);
        for (Int i = 0; i < lanes; ++i) {
            _mm512_store_si512(turned + i * tile_depth, first[i]);
            _mm512_store_si512(turned + tile_numbers + i * tile_depth, second[i]);
        }
        if (columns_left > lanes) {   // the next columns of these rows, a page or more apart
            for (Int i = 0; i < std::min(sum_rows, rows - row); ++i) {
                _mm_prefetch(reinterpret_cast<const char*>(x + i * stride + lanes), _MM_HINT_T0);
            }
        }
        fence();
        _tile_loadd(6, turned, 64);
        _tile_loadd(7, turned + tile_numbers, 64);
        const auto load = [&](Int tile) __attribute__((always_inline)) {
            _tile_loadd(4, low + 2 * tile * tile_numbers, 64);
            _tile_loadd(5, low + (2 * tile + 1) * tile_numbers, 64);
        };
        load(0);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(0, 5, 6);
        _tile_dpbf16ps(0, 4, 7);
        if constexpr (tiles > 1) {
            load(1);
            _tile_dpbf16ps(1, 4, 6);
            _tile_dpbf16ps(1, 5, 6);
            _tile_dpbf16ps(1, 4, 7);
        }
        if constexpr (tiles > 2) {
            load(2);
            _tile_dpbf16ps(2, 4, 6);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(2, 4, 7);
        }
        if constexpr (tiles > 3) {
            load(3);
            _tile_dpbf16ps(3, 4, 6);
            _tile_dpbf16ps(3, 5, 6);
            _tile_dpbf16ps(3, 4, 7);
        }
        fence();
    }
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + tile_sums, 64);
    _tile_stored(2, sums + 2 * tile_sums, 64);
    _tile_stored(3, sums + 3 * tile_sums, 64);
    fence();
}

}  // namespace

void to_sum_tiles(const float* low, Int stride, Int rows, Int r, U16* out) {
    for (Int row = 0; row < rows; row += sum_rows, low += sum_rows * stride) {
        for (Int k = 0; k < r; k += lanes, out += 2 * tile_numbers) {
            Numbers first[lanes], second[lanes];
            pair_rows(low + k, stride, rows - row, lanes, first, second);
            transpose(first);
            transpose(second);
            for (Int i = 0; i < lanes; ++i) {
                _mm512_storeu_si512(out + i * tile_depth, first[i]);
                _mm512_storeu_si512(out + tile_numbers + i * tile_depth, second[i]);
            }
        }
    }
}

void sum_over_rows(const U16* low, Int r, const float* x, Int stride, Int rows, Int begin, Int end, const SumsOut& out) {
    const Tiles tiles;
    alignas(64) float sums[4 * tile_sums];
    const Int low_step = 2 * r / lanes * tile_numbers;
    for (Int first = 0; first < r; first += 4 * lanes, low += 8 * tile_numbers) {
        const Int count = std::min<Int>(4, (r - first) / lanes);
        for (Int column = begin; column < end; column += lanes) {
            const Int n = std::min(lanes, end - column);
            const auto sum = [&]<int of>() __attribute__((always_inline)) {
                sum_columns<of>(low, low_step, x + column, stride, rows, n, end - column, sums);
            };
            switch (count) {
                case 1: sum.template operator()<1>(); break;
                case 2: sum.template operator()<2>(); break;
                case 3: sum.template operator()<3>(); break;
                default: sum.template operator()<4>();
            }
            for (Int tile = 0; tile < count; ++tile) {
                __m512i values[lanes];   // (r, columns)
                for (Int i = 0; i < lanes; ++i) values[i] = _mm512_loadu_si512(sums + tile * tile_sums + i * lanes);
                const Int k = first + tile * lanes;
                if (out.columns_first) {
                    transpose(values);
                    for (Int i = 0; i < n; ++i) _mm512_storeu_si512(out.data + (column + i) * out.stride + k, values[i]);
                } else {
                    for (Int i = 0; i < lanes; ++i) {
                        _mm512_mask_storeu_epi32(out.data + (k + i) * out.stride + column, first_lanes(n), values[i]);
                    }
                }
            }
        }
    }
}

}  // namespace plumbline::loops

#else

namespace plumbline::loops {

void to_sum_tiles(const float*, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*) {}
void sum_over_rows(const std::uint16_t*, std::int64_t, const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                   const SumsOut&) {}

}  // namespace plumbline::loops

#endif
