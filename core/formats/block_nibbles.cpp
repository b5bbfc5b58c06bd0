// ggml's first quantised types: 32 values with one scale, and in some a minimum.

#include <array>
#include <cstdint>

#include "core/formats/block_formats.h"

namespace plumbline {
namespace {

using blocks::Byte;
using blocks::half_at;
using blocks::number_at;

// f16 scale; 16 bytes whose low halves are the values 0..15 and whose high halves are the values 16..31.
struct Q4_0 {
    static constexpr int elements = 32, bytes = 18;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte* q = block + 2;
        for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>((q[i] & 15) - 8);
        for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>((q[i] >> 4) - 8);
    }
};

// As Q4_0 with an f16 minimum after the scale.
struct Q4_1 {
    static constexpr int elements = 32, bytes = 20;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block), m = half_at(block + 2);
        const Byte* q = block + 4;
        for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(q[i] & 15) + m;
        for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>(q[i] >> 4) + m;
    }
};

// The fifth bit of value i is bit i of a 32-bit word before the nibbles.
inline int five_bits(int nibble, std::uint32_t high, int i) {
    return nibble | static_cast<int>(((high >> i) & 1u) << 4);
}

struct Q5_0 {
    static constexpr int elements = 32, bytes = 22;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const std::uint32_t high = number_at<std::uint32_t>(block + 2);
        const Byte* q = block + 6;
        for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(five_bits(q[i] & 15, high, i) - 16);
        for (int i = 0; i < 16; ++i) {
            out[16 + i] = d * static_cast<float>(five_bits(q[i] >> 4, high, 16 + i) - 16);
        }
    }
};

struct Q5_1 {
    static constexpr int elements = 32, bytes = 24;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block), m = half_at(block + 2);
        const std::uint32_t high = number_at<std::uint32_t>(block + 4);
        const Byte* q = block + 8;
        for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(five_bits(q[i] & 15, high, i)) + m;
        for (int i = 0; i < 16; ++i) {
            out[16 + i] = d * static_cast<float>(five_bits(q[i] >> 4, high, 16 + i)) + m;
        }
    }
};

struct Q8_0 {
    static constexpr int elements = 32, bytes = 34;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte* q = block + 2;
        for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(static_cast<signed char>(q[i])) * d;
    }
};

}  // namespace

std::span<const BlockFormat> nibble_formats() {
    using blocks::format;
    static constexpr std::array formats = {
        format<Q4_0>(GgufType::q4_0, "Q4_0"), format<Q4_1>(GgufType::q4_1, "Q4_1"),
        format<Q5_0>(GgufType::q5_0, "Q5_0"), format<Q5_1>(GgufType::q5_1, "Q5_1"),
        format<Q8_0>(GgufType::q8_0, "Q8_0"),
    };
    return formats;
}

}  // namespace plumbline
