// Compiled for AVX-512 with bf16 and AMX (core/CMakeLists.txt); called only where the processor has them.

#include "core/model/tile_kernels.h"

#if defined(__AVX512BF16__) && defined(__AMX_BF16__)

#include "core/model/tile_registers.h"

namespace plumbline::loops {
namespace {

/// A row of panels: its tiles are one behind the other, of the second row `to_second` further.
struct Strip {
    const U16* tiles;
    Int to_second;
};

/// What memory is asked for meanwhile: at each step so many lines, `stride` after those of the last one. Weights are read
/// once a product, and no hardware foresees their order.
struct Ahead {
    const U16* at = nullptr;
    Int stride = 0, lines = 0;

    void ask(Int step) const {
        for (Int i = 0; i < lines; ++i) {
            _mm_prefetch(reinterpret_cast<const char*>(at + step * stride + i * line), _MM_HINT_T1);
        }
    }
};

// The four tiles of sums += two rows of tiles times two columns of them. Registers 0…3: sums, 4 and 5: a, 6 and 7: b. The
// second row of a, and the second column of b, may be missing.
template <int pieces, bool two_a, bool two_b>
INLINE void add_products(Strip a, Strip b, Int steps, bool first, float* sums, const Ahead& ahead = {}) {
    fence();
    if (first) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, sums, 64);
        _tile_loadd(1, sums + tile_sums, 64);
        _tile_loadd(2, sums + 2 * tile_sums, 64);
        _tile_loadd(3, sums + 3 * tile_sums, 64);
    }
    const auto multiply = [] __attribute__((always_inline)) {
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (two_b) _tile_dpbf16ps(1, 4, 7);
        if constexpr (two_a) _tile_dpbf16ps(2, 5, 6);
        if constexpr (two_a && two_b) _tile_dpbf16ps(3, 5, 7);
    };
    for (Int step = 0; step < steps; ++step) {
        const U16* at_a = a.tiles + step * pieces * tile_numbers;
        const U16* at_b = b.tiles + step * pieces * tile_numbers;
        const auto load_a = [&](Int piece) __attribute__((always_inline)) {
            _tile_loadd(4, at_a + piece * tile_numbers, 64);
            if constexpr (two_a) _tile_loadd(5, at_a + a.to_second + piece * tile_numbers, 64);
        };
        const auto load_b = [&](Int piece) __attribute__((always_inline)) {
            _tile_loadd(6, at_b + piece * tile_numbers, 64);
            if constexpr (two_b) _tile_loadd(7, at_b + b.to_second + piece * tile_numbers, 64);
        };
        load_b(0);
        if constexpr (pieces == 2) {
            load_a(1);
            multiply();
        }
        load_a(0);
        multiply();
        if constexpr (pieces == 2) {
            load_b(1);
            multiply();
        }
        ahead.ask(step);
    }
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + tile_sums, 64);
    _tile_stored(2, sums + 2 * tile_sums, 64);
    _tile_stored(3, sums + 3 * tile_sums, 64);
    fence();
}

INLINE void store_past_caches(__m512 low, __m512 high, float* to) {
    _mm512_stream_ps(to, low);
    _mm512_stream_ps(to + lanes, high);
}
INLINE bool lines_begin_at(const float* to) { return reinterpret_cast<std::uintptr_t>(to) % 64 == 0; }

// sums: 32 outputs by 32 rows in four tiles -> those rows of y, `n` outputs; `kept`: y is larger than the caches, and what
// was there before need not be read.
template <bool kept, typename Number>
INLINE void store_turned(const float* sums, Int rows, Int n, Number* y, Int stride) {
    for (Int half = 0; half * lanes < rows; ++half) {
        __m512i low[lanes], high[lanes];
        for (Int i = 0; i < lanes; ++i) {
            low[i] = _mm512_loadu_si512(sums + half * tile_sums + i * lanes);
            high[i] = _mm512_loadu_si512(sums + (2 + half) * tile_sums + i * lanes);
        }
        transpose(low);
        transpose(high);
        for (Int i = 0; i < std::min(lanes, rows - half * lanes); ++i) {
            const __m512 a = _mm512_castsi512_ps(low[i]), b = _mm512_castsi512_ps(high[i]);
            Number* to = y + (half * lanes + i) * stride;
            if constexpr (kept) {
                if (n >= 2 * lanes && lines_begin_at(to)) {
                    store_past_caches(a, b, to);
                    continue;
                }
            }
            store(a, b, n, to);
        }
    }
}

template <int pieces, bool with_term, typename Number>
INLINE void multiply(const TiledWeight& weight, const U16* turned, const TileTerm& term, Int rows, Int begin, Int end,
                     float* sums, Number* y, Int stride) {
    const Tiles tiles;
    const Int steps = weight.shape.steps(), panel = weight.shape.panel(), term_panel = 2 * term.steps * tile_numbers;
    const auto add = [&]<int of_pieces>(Strip a, Strip b, bool both, Int n, bool first, float* to, const Ahead& ahead)
                         __attribute__((always_inline)) {
        both ? add_products<of_pieces, true, true>(a, b, n, first, to, ahead)
             : add_products<of_pieces, true, false>(a, b, n, first, to, ahead);
    };
    // With one piece the loads are the bottleneck, and a part of two panels that stays in the first cache helps.
    constexpr Int steps_of_a_part = pieces == 1 ? 12 : 1 << 20;
    const Int parts = (steps + steps_of_a_part - 1) / steps_of_a_part;
    const Int row_pairs = (rows + 2 * tile_rows - 1) / (2 * tile_rows);
    const Int lines_a_step = (2 * panel / line + row_pairs * steps - 1) / (row_pairs * steps);
    for (Int pair = begin; pair < end; ++pair) {
        const Int output = pair * 2 * tile_rows;
        const U16* own = weight.panels + 2 * pair * panel;
        Ahead next{own + 2 * panel, lines_a_step * line, pair + 1 < end ? lines_a_step : 0};
        for (Int part = 0; part < parts; ++part) {
            const Int step = steps * part / parts, after = steps * (part + 1) / parts, offset = step * pieces * tile_numbers;
            for (Int row = 0; row < rows; row += 2 * tile_rows) {
                const bool both = rows - row > tile_rows;
                float* here = sums + row * 2 * tile_rows;
                add.template operator()<pieces>({own + offset, panel}, {turned + row / tile_rows * panel + offset, panel},
                                                both, after - step, part == 0, here, next);
                next.at += (after - step) * next.stride;
                if (part + 1 < parts) continue;
                const Int n = std::min(2 * tile_rows, rows - row), outputs = weight.shape.rows - output;
                Number* to = y + row * stride + output;
                if constexpr (with_term) {
                    add.template operator()<2>({term.b + 2 * (pair - term.first_pair) * term_panel, term_panel},
                                               {term.low + row / tile_rows * term_panel, term_panel}, both, term.steps,
                                               false, here, {});
                }
                store_turned<with_term>(here, n, outputs, to, stride);   // a product with a term is kept for the gradient
            }
        }
    }
}

// Two panels by 32 columns -> pairs of rows one below the other, as two tiles. The unpacking mixes the columns: the first
// tile has 0-3, 8-11, 16-19 and 24-27.
template <int pieces>
INLINE void turn_step(const TiledWeight& weight, const TiledGradient& grad, Int step, U16* first, U16* second) {
    const Int panel = weight.shape.panel();
    for (Int pair = 0; pair < grad.pairs; ++pair) {
        for (int half = 0; half < 2; ++half) {
            const U16* from = weight.panels + (2 * (grad.first_pair + pair) + half) * panel + step * pieces * tile_numbers;
            for (int piece = 0; piece < pieces; ++piece, from += tile_numbers) {
                const Int to = (pair * pieces + piece) * tile_numbers + half * tile_numbers / 2;
                for (Int row = 0; row < lanes / 2; ++row) {
                    const Numbers even = _mm512_loadu_si512(from + 2 * row * tile_depth);
                    const Numbers odd = _mm512_loadu_si512(from + (2 * row + 1) * tile_depth);
                    _mm512_storeu_si512(first + to + row * tile_depth, _mm512_unpacklo_epi16(even, odd));
                    _mm512_storeu_si512(second + to + row * tile_depth, _mm512_unpackhi_epi16(even, odd));
                }
            }
        }
    }
}

INLINE Int in_pairs(Int rows) { return (rows + 2 * tile_rows - 1) / (2 * tile_rows) * 2 * tile_rows; }

template <int pieces>
INLINE void multiply_through(const TiledWeight& weight, const TiledGradient& grad, bool first, Int begin, Int end,
                             U16* turned, float* sums) {
    const Tiles tiles;
    const Int column = grad.pairs * pieces * tile_numbers;   // of turned
    const Int row_pairs = in_pairs(grad.rows) / (2 * tile_rows), panel = weight.shape.panel();
    const Int lines = 2 * pieces * tile_numbers / line, lines_a_step = (lines + row_pairs - 1) / row_pairs;
    for (Int step = begin; step < end; ++step) {
        turn_step<pieces>(weight, grad, step, turned, turned + column);
        for (Int row = 0; row < grad.rows; row += 2 * tile_rows) {
            // Of the next step's tiles, of each pair of panels the lines that fall to these rows.
            const Int ask = row / (2 * tile_rows) * lines_a_step, of_panel = lines / 2;
            const U16* next = weight.panels + (2 * grad.first_pair + ask / of_panel) * panel +
                              (step + 1) * pieces * tile_numbers + ask % of_panel * line;
            const Ahead ahead{next, 2 * panel, step + 1 < end && ask < lines ? std::min(lines_a_step, lines - ask) : 0};
            const Strip a{grad.panels + row / tile_rows * grad.panel, grad.panel}, b{turned, column};
            float* here = sums + (step * in_pairs(grad.rows) + row) * 2 * tile_rows;
            grad.rows - row > tile_rows ? add_products<pieces, true, true>(a, b, grad.pairs, first, here, ahead)
                                        : add_products<pieces, false, true>(a, b, grad.pairs, first, here, ahead);
        }
    }
}

// Columns in turn_step()'s order -> in their own.
template <typename Number>
INLINE void add_up(const float* sums, Int rows, Int in, Int begin, Int end, Number* out) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i second = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    for (Int row = begin; row < end; ++row, out += in) {
        const Int in_pair = row % (2 * tile_rows);
        for (Int column = 0; column < in; column += tile_depth) {
            const float* here = sums + (column / tile_depth * in_pairs(rows) + row - in_pair) * 2 * tile_rows +
                                in_pair / tile_rows * 2 * tile_sums + in_pair % tile_rows * lanes;
            const __m512 a = _mm512_loadu_ps(here), b = _mm512_loadu_ps(here + tile_sums);
            store(_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b), in - column, out + column);
        }
    }
}

}  // namespace

void multiply_tiles(const TiledWeight& weight, const U16* turned, const TileTerm& term, Int rows, Int begin, Int end,
                    float* sums, float* y, Int stride) {
    const auto with = [&]<int pieces, bool with_term>() __attribute__((always_inline)) {
        multiply<pieces, with_term>(weight, turned, term, rows, begin, end, sums, y, stride);
    };
    if (weight.shape.pieces == 1) {
        term.b ? with.template operator()<1, true>() : with.template operator()<1, false>();
    } else {
        term.b ? with.template operator()<2, true>() : with.template operator()<2, false>();
    }
    _mm_sfence();
}
void multiply_tiles(const TiledWeight& weight, const U16* turned, Int rows, Int begin, Int end, float* sums, U16* y,
                    Int stride) {
    multiply<1, false>(weight, turned, {}, rows, begin, end, sums, y, stride);
}

void multiply_through_tiles(const TiledWeight& weight, const TiledGradient& grad, bool first, Int begin, Int end,
                            U16* turned, float* sums) {
    weight.shape.pieces == 1 ? multiply_through<1>(weight, grad, first, begin, end, turned, sums)
                             : multiply_through<2>(weight, grad, first, begin, end, turned, sums);
}

void added_up(const float* sums, Int rows, Int in, Int begin, Int end, float* out) {
    add_up(sums, rows, in, begin, end, out);
}
void added_up(const float* sums, Int rows, Int in, Int begin, Int end, U16* out) {
    add_up(sums, rows, in, begin, end, out);
}

}  // namespace plumbline::loops

#else

namespace plumbline::loops {

void multiply_tiles(const TiledWeight&, const std::uint16_t*, const TileTerm&, std::int64_t, std::int64_t, std::int64_t,
                    float*, float*, std::int64_t) {}
void multiply_tiles(const TiledWeight&, const std::uint16_t*, std::int64_t, std::int64_t, std::int64_t, float*,
                    std::uint16_t*, std::int64_t) {}
void multiply_through_tiles(const TiledWeight&, const TiledGradient&, bool, std::int64_t, std::int64_t, std::uint16_t*,
                            float*) {}
void added_up(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, float*) {}
void added_up(const float*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::uint16_t*) {}

}  // namespace plumbline::loops

#endif
