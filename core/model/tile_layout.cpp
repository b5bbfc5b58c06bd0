// Compiled for AVX-512 with bf16 and AMX (core/CMakeLists.txt); called only where the processor has them.

#include "core/model/tile_kernels.h"

#if defined(__AVX512BF16__) && defined(__AMX_BF16__)

#include "core/model/tile_registers.h"

namespace plumbline::loops {
namespace {

/// The `n` numbers that there are of 32 of a row; those in bf16 leave nothing.
template <int pieces>
INLINE Pieces pieces_at(const float* x, Int n) {
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(n), x);
    const __m512 high = n > lanes ? _mm512_maskz_loadu_ps(first_lanes(n - lanes), x + lanes) : _mm512_setzero_ps();
    return pieces == 1 ? Pieces{rounded(low, high), _mm512_setzero_si512()} : pieces_of(low, high);
}
template <int pieces>
INLINE Pieces pieces_at(const U16* x, Int n) {
    return {_mm512_maskz_loadu_epi16(first_numbers(n), x), _mm512_setzero_si512()};
}

template <bool turned, int pieces, typename Number>
INLINE void lay(const Number* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    for (Int panel = begin; panel < end; ++panel) {
        const Int rows = std::min(tile_rows, shape.rows - panel * tile_rows);
        const Number* from = x + panel * tile_rows * stride;
        U16* to = out + panel * shape.panel();
        for (Int step = 0; step < shape.steps(); ++step, to += pieces * tile_numbers) {
            __m512i first[lanes] = {}, second[lanes] = {};
            for (Int row = 0; row < rows; ++row) {
                const Pieces p = pieces_at<pieces>(from + row * stride + step * tile_depth, shape.columns - step * tile_depth);
                first[row] = p.first;
                second[row] = p.second;
            }
            if constexpr (turned) transpose(first);
            for (Int row = 0; row < lanes; ++row) _mm512_storeu_si512(to + row * tile_depth, first[row]);
            if constexpr (pieces == 2) {
                if constexpr (turned) transpose(second);
                for (Int row = 0; row < lanes; ++row) _mm512_storeu_si512(to + tile_numbers + row * tile_depth, second[row]);
            }
        }
    }
}

template <bool turned, typename Number>
INLINE void lay(const Number* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    shape.pieces == 1 ? lay<turned, 1>(x, stride, shape, begin, end, out)
                      : lay<turned, 2>(x, stride, shape, begin, end, out);
}

}  // namespace

bool tiles_built() { return true; }

void to_panels(const float* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    lay<false>(x, stride, shape, begin, end, out);
}
void to_panels(const U16* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    lay<false>(x, stride, shape, begin, end, out);
}
void to_turned_panels(const float* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    lay<true>(x, stride, shape, begin, end, out);
}
void to_turned_panels(const U16* x, Int stride, const PanelShape& shape, Int begin, Int end, U16* out) {
    lay<true>(x, stride, shape, begin, end, out);
}

void from_panels(const U16* panels, const PanelShape& shape, Int begin, Int end, float* out) {
    for (Int row = begin * tile_rows; row < std::min(end * tile_rows, shape.rows); ++row) {
        const U16* from = panels + row / tile_rows * shape.panel() + row % tile_rows * tile_depth;
        for (Int step = 0; step < shape.steps(); ++step, from += shape.pieces * tile_numbers) {
            const Numbers first = _mm512_loadu_si512(from);
            __m512 low = low_half(first), high = high_half(first);
            if (shape.pieces == 2) {
                const Numbers second = _mm512_loadu_si512(from + tile_numbers);
                low = _mm512_add_ps(low, low_half(second));
                high = _mm512_add_ps(high, high_half(second));
            }
            store(low, high, shape.columns - step * tile_depth, out + row * shape.columns + step * tile_depth);
        }
    }
}

}  // namespace plumbline::loops

#else

namespace plumbline::loops {

bool tiles_built() { return false; }
void to_panels(const float*, std::int64_t, const PanelShape&, std::int64_t, std::int64_t, std::uint16_t*) {}
void to_panels(const std::uint16_t*, std::int64_t, const PanelShape&, std::int64_t, std::int64_t, std::uint16_t*) {}
void to_turned_panels(const float*, std::int64_t, const PanelShape&, std::int64_t, std::int64_t, std::uint16_t*) {}
void to_turned_panels(const std::uint16_t*, std::int64_t, const PanelShape&, std::int64_t, std::int64_t, std::uint16_t*) {}
void from_panels(const std::uint16_t*, const PanelShape&, std::int64_t, std::int64_t, float*) {}

}  // namespace plumbline::loops

#endif
