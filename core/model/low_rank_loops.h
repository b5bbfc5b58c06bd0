#pragma once
// The products of lora_product.h that are thin, a few columns of rank beside a wide layer: too thin for a matrix
// library to be at its best, and each would be a pass over memory of its own. Sums run in one order whatever the rows
// and threads, so a reply gets the same bits in any batch.

#include <cstdint>

namespace plumbline::loops {

/// Matrices in row-major order, with the distance between their rows.
template <typename T>
struct Rows {
    T* data = nullptr;
    std::int64_t stride = 0;
};

/// x (rows, in), a (rank, in): low (rows, rank) = scale x a^T.
void low_rank(Rows<const float> x, Rows<const float> a, std::int64_t rank, std::int64_t rows, std::int64_t in,
              float scale, Rows<float> low);

/// low (rows, rank), b_t (rank, columns): y (rows, columns) = product + low b_t. The product in f32, which may be y
/// itself, or in bf16 as the upper halves of floats.
void plus_low_rank(Rows<const float> product, Rows<const float> low, Rows<const float> b_t, std::int64_t rank,
                   std::int64_t rows, std::int64_t columns, Rows<float> y);
void plus_low_rank(Rows<const std::uint16_t> product, Rows<const float> low, Rows<const float> b_t, std::int64_t rank,
                   std::int64_t rows, std::int64_t columns, Rows<float> y);

/// grad (rows, columns), b (columns, rank): out (rows, rank) = scale grad b. Rank a multiple of rank_lanes.
inline constexpr std::int64_t rank_lanes = 16;
void to_low_rank(Rows<const float> grad, Rows<const float> b, std::int64_t rank, std::int64_t rows,
                 std::int64_t columns, float scale, Rows<float> out);

/// Columns [begin, end) of grad (rows, …), low (rows, rank): grad_b (columns, rank) = grad^T low, those rows of it. Rank
/// a multiple of rank_lanes.
void low_rank_gradient(Rows<const float> grad, Rows<const float> low, std::int64_t rank, std::int64_t rows,
                       std::int64_t begin, std::int64_t end, Rows<float> grad_b);

}  // namespace plumbline::loops
