#include "core/model/attention_loops.h"

#include <algorithm>
#include <cmath>

#include "core/model/exponential.h"
#include "core/model/lanes.h"

namespace plumbline::loops {

namespace {

using Int = std::int64_t;
static_assert(lanes == attention_lanes);

/// A matrix read from its rows, or from its columns.
struct Factor {
    const float* data;
    Int row, column;   // from one to the next
};
struct Into {
    float* data;
    Int stride;
    bool added;
};

template <int height, int width>
PART_OF_LOOP void block(Factor a, Int depth, const float* b, Int b_stride, const Into& to) {
    Lanes sums[height][width] = {};
    for (Int k = 0; k < depth; ++k) {
        Lanes of_b[width];
        for (int j = 0; j < width; ++j) {
            load(b + k * b_stride + j * lanes, of_b[j]);
        }
        for (int i = 0; i < height; ++i) {
            const float factor = a.data[i * a.row + k * a.column];
            for (int j = 0; j < width; ++j) {
                sums[i][j] += of_b[j] * factor;
            }
        }
    }
    for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j) {
            float* at = to.data + i * to.stride + j * lanes;
            if (to.added) {
                Lanes before;
                load(at, before);
                sums[i][j] += before;
            }
            store(sums[i][j], at);
        }
    }
}

template <int height>
PART_OF_LOOP void rows_of_product(Factor a, Int depth, const float* b, Int b_stride, Int columns, const Into& to) {
    constexpr int width = 4;
    Int column = 0;
    for (; column + width * lanes <= columns; column += width * lanes) {
        block<height, width>(a, depth, b + column, b_stride, {to.data + column, to.stride, to.added});
    }
    for (; column < columns; column += lanes) {
        block<height, 1>(a, depth, b + column, b_stride, {to.data + column, to.stride, to.added});
    }
}

// to (rows, columns) = or += a (rows, depth) b (depth, columns); columns a multiple of 16.
PART_OF_LOOP void product(Factor a, Int rows, Int depth, const float* b, Int b_stride, Int columns, const Into& to) {
    constexpr int height = 6;
    const auto from = [&](Int row) __attribute__((always_inline)) { return Factor{a.data + row * a.row, a.row, a.column}; };
    const auto into = [&](Int row) __attribute__((always_inline)) {
        return Into{to.data + row * to.stride, to.stride, to.added};
    };
    Int row = 0;
    for (; row + height <= rows; row += height) {
        rows_of_product<height>(from(row), depth, b, b_stride, columns, into(row));
    }
    for (; row < rows; ++row) {
        rows_of_product<1>(from(row), depth, b, b_stride, columns, into(row));
    }
}

/// Neighbouring tokens [first, first + tokens), and the keys [begin, end) that any of them sees; begin a multiple of 16.
struct Part {
    Int first, tokens, begin, end;

    Int width() const { return (end - begin + lanes - 1) / lanes * lanes; }
};
PART_OF_LOOP Int first_seen(const RunShape& s, Int token) {
    return s.window > 0 ? std::max<Int>(0, s.prompt_tokens + token + 1 - s.window) : 0;
}
PART_OF_LOOP Part part_at(const RunShape& s, Int first) {
    const Int tokens = std::min(attention_tokens, s.tokens - first);
    return {first, tokens, first_seen(s, first) / lanes * lanes, s.prompt_tokens + first + tokens};
}

/// `row` of the part's scores: its seen ones [from, to), and its own place among all.
struct Seen {
    float* scores;
    Int from, to, row;
};
template <typename Work>
PART_OF_LOOP void for_rows(const RunShape& s, const Part& part, float* scores, const Work& work) {
    for (Int row = 0; row < part.tokens * s.queries; ++row) {
        const Int token = part.first + row / s.queries;
        work(Seen{scores + row * s.stride(), first_seen(s, token) - part.begin, s.prompt_tokens + token + 1 - part.begin,
                  part.first * s.queries + row});
    }
}

// exp(score - normalizer) of what is seen, and 0 elsewhere. exponential() is of finite numbers only; what is not finite must
// show in the result.
PART_OF_LOOP float weigh(const Seen& seen, float normalizer, Int width) {
    std::fill(seen.scores, seen.scores + seen.from, 0.0f);
    std::fill(seen.scores + seen.to, seen.scores + width, 0.0f);
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Int i = seen.from; i < seen.to; ++i) {
        const float x = seen.scores[i] - normalizer;
        seen.scores[i] = exponential(x) + (x - x);
        sum += seen.scores[i];
    }
    return sum;
}

PART_OF_LOOP void score(const RunShape& s, const Part& part, const float* rows, const float* keys_t, float* scores) {
    product({rows + part.first * s.queries * s.head_dim, s.head_dim, 1}, part.tokens * s.queries, s.head_dim,
            keys_t + part.begin, s.stride(), part.width(), {scores, s.stride(), false});
}

// weights (rows of the part, its keys) times keys or values (S, d).
PART_OF_LOOP void combine(const RunShape& s, const Part& part, const float* weights, const float* vectors, float* out) {
    product({weights, s.stride(), 1}, part.tokens * s.queries, part.end - part.begin, vectors + part.begin * s.head_dim,
            s.head_dim, s.head_dim, {out + part.first * s.queries * s.head_dim, s.head_dim, false});
}

// The same weights turned, times rows (T, Q, d): what falls to each key.
PART_OF_LOOP void spread(const RunShape& s, const Part& part, const float* weights, const float* rows, float* out) {
    product({weights, 1, s.stride()}, part.end - part.begin, part.tokens * s.queries,
            rows + part.first * s.queries * s.head_dim, s.head_dim, s.head_dim,
            {out + part.begin * s.head_dim, s.head_dim, true});
}

}  // namespace

FOR_EACH_PROCESSOR
void attend_run(const RunShape& s, Int begin, Int end, const float* q, const RunKeys& of, float* scratch, float* out,
                float* normalizers) {
    for (Int first = begin; first < end; first += attention_tokens) {
        const Part part = part_at(s, first);
        score(s, part, q, of.keys_t, scratch);
        for_rows(s, part, scratch, [&](const Seen& seen) __attribute__((always_inline)) {
            float most = seen.scores[seen.from];
#pragma omp simd reduction(max : most)
            for (Int i = seen.from; i < seen.to; ++i) {
                most = std::max(most, seen.scores[i]);
            }
            const float sum = weigh(seen, most, part.width()), share = 1.0f / sum;
#pragma omp simd
            for (Int i = seen.from; i < seen.to; ++i) {
                seen.scores[i] *= share;
            }
            normalizers[seen.row] = most + std::log(sum);
        });
        combine(s, part, scratch, of.values, out);
    }
}

FOR_EACH_PROCESSOR
void attend_run_backward(const RunShape& s, const float* q, const RunKeys& of, const float* out, const float* grad,
                         const float* normalizers, float* scratch, const RunGradients& to) {
    float *weights = scratch, *slopes = scratch + s.scratch();
    for (Int first = 0; first < s.tokens; first += attention_tokens) {
        const Part part = part_at(s, first);
        score(s, part, q, of.keys_t, weights);
        score(s, part, grad, of.values_t, slopes);   // of the weights
        for_rows(s, part, weights, [&](const Seen& seen) __attribute__((always_inline)) {
            weigh(seen, normalizers[seen.row], part.width());
            float all = 0;   // the weights sum to 1, which takes this from every slope
            const float *mine = out + seen.row * s.head_dim, *theirs = grad + seen.row * s.head_dim;
#pragma omp simd reduction(+ : all)
            for (Int i = 0; i < s.head_dim; ++i) {
                all += mine[i] * theirs[i];
            }
            float* slope = slopes + (seen.scores - weights);
#pragma omp simd
            for (Int i = 0; i < part.width(); ++i) {
                slope[i] = seen.scores[i] * (slope[i] - all);
            }
        });
        spread(s, part, weights, grad, to.values);
        spread(s, part, slopes, q, to.keys);
        combine(s, part, slopes, of.keys, to.q);
    }
}

}  // namespace plumbline::loops
