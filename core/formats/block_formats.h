#pragma once
// The tensor types of ggml: how a row is cut into blocks, and how a block becomes f32. A type is one struct in one of
// the block_*.cpp files and its line there.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/formats/gguf.h"
#include "core/formats/half.h"

namespace plumbline {

struct BlockFormat {
    GgufType type{};
    std::string_view name;
    GgufBlock block;
    /// Writes `count` blocks as f32; nullptr: whole numbers, which are no weights.
    void (*decode)(const unsigned char* blocks, std::size_t count, float* out) = nullptr;
};

std::span<const BlockFormat> float_formats();      // and the refused whole numbers
std::span<const BlockFormat> nibble_formats();     // Q4_0 … Q8_0: 32 values, one scale
std::span<const BlockFormat> k_formats();          // Q2_K … Q6_K: 256 values, scales of scales
std::span<const BlockFormat> table_formats();      // values out of a short table: IQ4, MXFP4, ternary
std::span<const BlockFormat> codebook_formats();   // IQ1 … IQ3: groups of values out of a codebook

/// nullptr: not known.
const BlockFormat* find_format(GgufType type);

// What the block structs share. Blocks lie at any address, so numbers are copied out.
namespace blocks {

using Byte = unsigned char;

template <class Number>
Number number_at(const Byte* at) {
    Number out;
    std::memcpy(&out, at, sizeof out);
    return out;
}

inline float half_at(const Byte* at) {
    return float_from_half(number_at<std::uint16_t>(at));
}

template <class Block>
void decode_all(const Byte* blocks, std::size_t count, float* out) {
    for (std::size_t i = 0; i < count; ++i) Block::decode(blocks + i * Block::bytes, out + i * Block::elements);
}

template <class Block>
constexpr BlockFormat format(GgufType type, std::string_view name) {
    return {type, name, {Block::elements, Block::bytes}, decode_all<Block>};
}

}  // namespace blocks
}  // namespace plumbline
