#pragma once
// Products of a few rows with a weight as its file stores it, in ggml's blocks. Sampling reads all weights for every
// token, and memory gives them slower than the processor takes them: a block is a quarter to a seventh of its numbers
// in f32. Needs AVX-512; elsewhere nothing runs here, and the packed weights serve.
// Sums run in one order whatever the rows and threads, so a reply gets the same bits in any batch.

#include <cstddef>
#include <cstdint>

#include "core/formats/gguf.h"

namespace plumbline::loops {

/// Most rows of x; more are quicker through packed weights.
inline constexpr std::int64_t stored_rows = 32;
/// Outputs are computed in groups of so many.
inline constexpr std::int64_t stored_group = 16;

/// Whether this processor multiplies by blocks of the type; rounded: with numbers of bf16.
bool multiplies_stored(GgufType type, bool rounded);

/// Outputs of one type, row by row of the matrix.
struct StoredBlocks {
    GgufType type{};
    const std::byte* bytes = nullptr;
    std::int64_t outputs = 0, in = 0;
};

/// x (rows, in) -> y (rows, …, `stride` apart), the weight's outputs [begin, end); begin a multiple of stored_group.
void stored_product(const StoredBlocks& weight, const float* x, std::int64_t rows, std::int64_t begin, std::int64_t end,
                    float* y, std::int64_t stride);
/// The same with weights and x rounded to bf16, sums in f32, results rounded to bf16 (the upper halves of floats).
void stored_product(const StoredBlocks& weight, const std::uint16_t* x, std::int64_t rows, std::int64_t begin,
                    std::int64_t end, std::uint16_t* y, std::int64_t stride);

}  // namespace plumbline::loops
