#include "core/model/low_rank_loops.h"

#include <algorithm>
#include <bit>

#include "core/model/lanes.h"

namespace plumbline::loops {

namespace {

using Halves = std::uint16_t __attribute__((vector_size(32), aligned(2), may_alias));
using Words = std::uint32_t __attribute__((vector_size(64)));

using loops::load;
PART_OF_LOOP void load(const std::uint16_t* from, Lanes& to) {
    const Words words = __builtin_convertvector(*reinterpret_cast<const Halves*>(from), Words) << 16;
    to = reinterpret_cast<const Lanes&>(words);
}
PART_OF_LOOP float to_float(float x) { return x; }
PART_OF_LOOP float to_float(std::uint16_t x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }

PART_OF_LOOP float sum_of(const Lanes& lane) {
    using Eight = float __attribute__((vector_size(32)));
    using Four = float __attribute__((vector_size(16)));
    const auto *halves = reinterpret_cast<const Eight*>(&lane);
    const Eight eight = halves[0] + halves[1];
    const auto* quarters = reinterpret_cast<const Four*>(&eight);
    const Four four = quarters[0] + quarters[1];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

// The products of `height` rows of x and `width` of a.
template <int height, int width>
PART_OF_LOOP void dots(Rows<const float> x, Rows<const float> a, std::int64_t in, float scale, Rows<float> low) {
    Lanes sums[height][width] = {};
    std::int64_t k = 0;
    for (; k + lanes <= in; k += lanes) {
        Lanes of_a[width];
        for (int j = 0; j < width; ++j) {
            load(a.data + j * a.stride + k, of_a[j]);
        }
        for (int i = 0; i < height; ++i) {
            Lanes of_x;
            load(x.data + i * x.stride + k, of_x);
            for (int j = 0; j < width; ++j) {
                sums[i][j] += of_x * of_a[j];
            }
        }
    }
    for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j) {
            float sum = sum_of(sums[i][j]);
            for (std::int64_t rest = k; rest < in; ++rest) {
                sum += x.data[i * x.stride + rest] * a.data[j * a.stride + rest];
            }
            low.data[i * low.stride + j] = scale * sum;
        }
    }
}

template <int height>
PART_OF_LOOP void dots_of_rows(Rows<const float> x, Rows<const float> a, std::int64_t rank, std::int64_t in,
                               float scale, Rows<float> low) {
    constexpr int width = 4;
    std::int64_t j = 0;
    for (; j + width <= rank; j += width) {
        dots<height, width>(x, {a.data + j * a.stride, a.stride}, in, scale, {low.data + j, low.stride});
    }
    for (; j < rank; ++j) {
        dots<height, 1>(x, {a.data + j * a.stride, a.stride}, in, scale, {low.data + j, low.stride});
    }
}

// `height` rows at once: a row of b_t is loaded once for all of them.
template <int height, typename T>
PART_OF_LOOP void plus_low_rank_rows(Rows<const T> product, Rows<const float> low, Rows<const float> b_t,
                                     std::int64_t rank, std::int64_t columns, Rows<float> y) {
    std::int64_t column = 0;
    for (; column + 2 * lanes <= columns; column += 2 * lanes) {
        Lanes sums[height][2];
        for (int i = 0; i < height; ++i) {
            load(product.data + i * product.stride + column, sums[i][0]);
            load(product.data + i * product.stride + column + lanes, sums[i][1]);
        }
        for (std::int64_t k = 0; k < rank; ++k) {
            Lanes b[2];
            load(b_t.data + k * b_t.stride + column, b[0]);
            load(b_t.data + k * b_t.stride + column + lanes, b[1]);
            for (int i = 0; i < height; ++i) {
                const float factor = low.data[i * low.stride + k];
                sums[i][0] += b[0] * factor;
                sums[i][1] += b[1] * factor;
            }
        }
        for (int i = 0; i < height; ++i) {
            store(sums[i][0], y.data + i * y.stride + column);
            store(sums[i][1], y.data + i * y.stride + column + lanes);
        }
    }
    for (; column < columns; ++column) {
        for (int i = 0; i < height; ++i) {
            float sum = to_float(product.data[i * product.stride + column]);
            for (std::int64_t k = 0; k < rank; ++k) {
                sum += low.data[i * low.stride + k] * b_t.data[k * b_t.stride + column];
            }
            y.data[i * y.stride + column] = sum;
        }
    }
}

template <typename T>
PART_OF_LOOP void plus_low_rank_of(Rows<const T> product, Rows<const float> low, Rows<const float> b_t,
                                   std::int64_t rank, std::int64_t rows, std::int64_t columns, Rows<float> y) {
    constexpr int height = 4;
    std::int64_t row = 0;
    const auto from = [](auto matrix, std::int64_t first) __attribute__((always_inline)) {
        matrix.data += first * matrix.stride;
        return matrix;
    };
    for (; row + height <= rows; row += height) {
        plus_low_rank_rows<height>(from(product, row), from(low, row), b_t, rank, columns, from(y, row));
    }
    for (; row < rows; ++row) {
        plus_low_rank_rows<1>(from(product, row), from(low, row), b_t, rank, columns, from(y, row));
    }
}

// out[i] = sum over j of weights[i][j] * vectors[j], `height` rows of 16 lanes at once.
template <int height>
PART_OF_LOOP void weighted_sums(const float* weights, std::int64_t row_step, std::int64_t step, const float* vectors,
                                std::int64_t stride, std::int64_t count, float scale, float* out,
                                std::int64_t out_stride) {
    Lanes sums[height] = {};
    for (std::int64_t j = 0; j < count; ++j) {
        Lanes vector;
        load(vectors + j * stride, vector);
        for (int i = 0; i < height; ++i) {
            sums[i] += vector * weights[i * row_step + j * step];
        }
    }
    for (int i = 0; i < height; ++i) {
        store(sums[i] * scale, out + i * out_stride);
    }
}

}  // namespace

FOR_EACH_PROCESSOR
void low_rank(Rows<const float> x, Rows<const float> a, std::int64_t rank, std::int64_t rows, std::int64_t in,
              float scale, Rows<float> low) {
    constexpr int height = 4;
    std::int64_t row = 0;
    for (; row + height <= rows; row += height) {
        dots_of_rows<height>({x.data + row * x.stride, x.stride}, a, rank, in, scale, {low.data + row * low.stride, low.stride});
    }
    for (; row < rows; ++row) {
        dots_of_rows<1>({x.data + row * x.stride, x.stride}, a, rank, in, scale, {low.data + row * low.stride, low.stride});
    }
}

FOR_EACH_PROCESSOR
void plus_low_rank(Rows<const float> product, Rows<const float> low, Rows<const float> b_t, std::int64_t rank,
                   std::int64_t rows, std::int64_t columns, Rows<float> y) {
    plus_low_rank_of(product, low, b_t, rank, rows, columns, y);
}

FOR_EACH_PROCESSOR
void plus_low_rank(Rows<const std::uint16_t> product, Rows<const float> low, Rows<const float> b_t, std::int64_t rank,
                   std::int64_t rows, std::int64_t columns, Rows<float> y) {
    plus_low_rank_of(product, low, b_t, rank, rows, columns, y);
}

FOR_EACH_PROCESSOR
void to_low_rank(Rows<const float> grad, Rows<const float> b, std::int64_t rank, std::int64_t rows,
                 std::int64_t columns, float scale, Rows<float> out) {
    constexpr int height = 8;
    for (std::int64_t k = 0; k < rank; k += lanes) {
        std::int64_t row = 0;
        for (; row + height <= rows; row += height) {
            weighted_sums<height>(grad.data + row * grad.stride, grad.stride, 1, b.data + k, b.stride, columns, scale,
                                  out.data + row * out.stride + k, out.stride);
        }
        for (; row < rows; ++row) {
            weighted_sums<1>(grad.data + row * grad.stride, grad.stride, 1, b.data + k, b.stride, columns, scale,
                             out.data + row * out.stride + k, out.stride);
        }
    }
}

FOR_EACH_PROCESSOR
void low_rank_gradient(Rows<const float> grad, Rows<const float> low, std::int64_t rank, std::int64_t rows,
                       std::int64_t begin, std::int64_t end, Rows<float> grad_b) {
    constexpr int height = 16;   // columns: a cache line of grad
    for (std::int64_t k = 0; k < rank; k += lanes) {
        std::int64_t column = begin;
        for (; column + height <= end; column += height) {
            weighted_sums<height>(grad.data + column, 1, grad.stride, low.data + k, low.stride, rows, 1,
                                  grad_b.data + column * grad_b.stride + k, grad_b.stride);
        }
        for (; column < end; ++column) {
            weighted_sums<1>(grad.data + column, 1, grad.stride, low.data + k, low.stride, rows, 1,
                             grad_b.data + column * grad_b.stride + k, grad_b.stride);
        }
    }
}

}  // namespace plumbline::loops
