#pragma once
// What stored_loops.cpp chooses among: each is compiled for processors of its own and knows nothing elsewhere.

#include "core/model/stored_loops.h"

namespace plumbline::loops {

/// AVX-512.
bool stored_f32_knows(GgufType type);
void stored_f32(const StoredBlocks& weight, const float* x, std::int64_t rows, std::int64_t begin, std::int64_t end,
                float* y, std::int64_t stride);

/// AVX-512 with its products of bf16.
bool stored_bf16_knows(GgufType type);
void stored_bf16(const StoredBlocks& weight, const std::uint16_t* x, std::int64_t rows, std::int64_t begin,
                 std::int64_t end, std::uint16_t* y, std::int64_t stride);

/// The same with the tiles of AMX, a matrix unit; x as turn_for_tiles() lays it.
bool stored_tiles_built();
void stored_tiles(const StoredBlocks& weight, const std::uint16_t* turned, std::int64_t rows, std::int64_t begin,
                  std::int64_t end, std::uint16_t* y, std::int64_t stride);
/// x (rows, in) -> for each 16 rows (in / 2, rows of them, 2): pairs of columns one below the other.
void turn_for_tiles(const std::uint16_t* x, std::int64_t rows, std::int64_t in, std::uint16_t* turned);

}  // namespace plumbline::loops
