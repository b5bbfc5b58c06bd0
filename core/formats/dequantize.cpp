// Block formats of ggml as f32. Each product and sum is rounded on its own, in ggml's order, so the numbers
// equal the reference to the last bit (this file is compiled without contraction to fused multiply-add).

#include <bit>
#include <cstring>
#include <stdexcept>

#include "core/formats/gguf.h"
#include "core/formats/half.h"

namespace plumbline {
namespace {

static_assert(std::endian::native == std::endian::little, "the formats are read in place, little endian");

using Byte = unsigned char;

std::uint16_t half_bits(const Byte* at) {
    std::uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
}

float half_at(const Byte* at) {
    return float_from_half(half_bits(at));
}

struct F32 {
    static constexpr int elements = 1, bytes = 4;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        std::memcpy(out, block, sizeof *out);
    }
};

struct F16 {
    static constexpr int elements = 1, bytes = 2;
    static void decode(const Byte* __restrict block, float* __restrict out) { *out = half_at(block); }
};

struct Bf16 {
    static constexpr int elements = 1, bytes = 2;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        *out = std::bit_cast<float>(static_cast<std::uint32_t>(half_bits(block)) << 16);
    }
};

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
inline std::uint32_t word_at(const Byte* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}
inline int five_bits(int nibble, std::uint32_t high, int i) {
    return nibble | static_cast<int>(((high >> i) & 1u) << 4);
}

struct Q5_0 {
    static constexpr int elements = 32, bytes = 22;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const std::uint32_t high = word_at(block + 2);
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
        const std::uint32_t high = word_at(block + 4);
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

// Q4_K and Q5_K: eight 6-bit scales and minima in 12 bytes. The first four have their six bits in bytes 0..3
// (scales) and 4..7 (minima); the last four have four bits in bytes 8..11 and two in the tops of 0..7.
struct ScaleAndMinimum {
    int scale, minimum;
};
inline ScaleAndMinimum sixbit_pair(const Byte* s, int group) {
    if (group < 4) return {s[group] & 63, s[group + 4] & 63};
    return {(s[group + 4] & 15) | ((s[group - 4] >> 6) << 4), (s[group + 4] >> 4) | ((s[group] >> 6) << 4)};
}

struct Q4_K {
    static constexpr int elements = 256, bytes = 144;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block), dmin = half_at(block + 2);
        const Byte *scales = block + 4, *q = block + 16;
        for (int group = 0; group < 8; group += 2, q += 32, out += 64) {
            const ScaleAndMinimum low = sixbit_pair(scales, group), high = sixbit_pair(scales, group + 1);
            const float d1 = d * static_cast<float>(low.scale), m1 = dmin * static_cast<float>(low.minimum);
            const float d2 = d * static_cast<float>(high.scale), m2 = dmin * static_cast<float>(high.minimum);
            for (int i = 0; i < 32; ++i) out[i] = d1 * static_cast<float>(q[i] & 15) - m1;
            for (int i = 0; i < 32; ++i) out[32 + i] = d2 * static_cast<float>(q[i] >> 4) - m2;
        }
    }
};

struct Q5_K {
    static constexpr int elements = 256, bytes = 176;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block), dmin = half_at(block + 2);
        const Byte *scales = block + 4, *fifth = block + 16, *q = block + 48;
        for (int group = 0; group < 8; group += 2, q += 32, out += 64) {
            const ScaleAndMinimum low = sixbit_pair(scales, group), high = sixbit_pair(scales, group + 1);
            const float d1 = d * static_cast<float>(low.scale), m1 = dmin * static_cast<float>(low.minimum);
            const float d2 = d * static_cast<float>(high.scale), m2 = dmin * static_cast<float>(high.minimum);
            for (int i = 0; i < 32; ++i) {
                out[i] = d1 * static_cast<float>((q[i] & 15) | (((fifth[i] >> group) & 1) << 4)) - m1;
            }
            for (int i = 0; i < 32; ++i) {
                out[32 + i] =
                    d2 * static_cast<float>((q[i] >> 4) | (((fifth[i] >> (group + 1)) & 1) << 4)) - m2;
            }
        }
    }
};

// Two halves of 128 values; in each, four runs of 32 share 64 bytes of low nibbles and 32 bytes of high
// pairs.
struct Q6_K {
    static constexpr int elements = 256, bytes = 210;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block + 208);
        for (int half = 0; half < 2; ++half) {
            const Byte *low = block + 64 * half, *high = block + 128 + 32 * half,
                       *scales = block + 192 + 8 * half;
            for (int run = 0; run < 4; ++run, out += 32) {
                const Byte* nibbles = low + 32 * (run & 1);
                const int nibble_shift = run < 2 ? 0 : 4, pair_shift = 2 * run;
                for (int part = 0; part < 2; ++part) {
                    const auto scale = static_cast<signed char>(scales[2 * run + part]);
                    const float ds = d * static_cast<float>(scale);
                    for (int i = 16 * part; i < 16 * part + 16; ++i) {
                        const int q =
                            ((nibbles[i] >> nibble_shift) & 15) | (((high[i] >> pair_shift) & 3) << 4);
                        out[i] = ds * static_cast<float>(q - 32);
                    }
                }
            }
        }
    }
};

template <class Block>
void decode_all(const GgufTensor& tensor, std::span<float> out) {
    const std::size_t blocks = out.size() / Block::elements;
    if (blocks * Block::elements != out.size() || blocks * Block::bytes != tensor.data.size()) {
        throw std::logic_error("dequantize: " + tensor.name + " has bytes that do not fit its elements");
    }
    const auto* block = reinterpret_cast<const Byte*>(tensor.data.data());
    float* to = out.data();
    for (std::size_t i = 0; i < blocks; ++i)
        Block::decode(block + i * Block::bytes, to + i * Block::elements);
}

}  // namespace

void dequantize(const GgufTensor& tensor, std::span<float> out) {
    if (static_cast<std::int64_t>(out.size()) != tensor.elements) {
        throw std::logic_error("dequantize: " + tensor.name + " has " + std::to_string(tensor.elements) +
                               " elements, the output has " + std::to_string(out.size()) + " places");
    }
    switch (tensor.type) {
        case GgufType::f32:
            return decode_all<F32>(tensor, out);
        case GgufType::f16:
            return decode_all<F16>(tensor, out);
        case GgufType::bf16:
            return decode_all<Bf16>(tensor, out);
        case GgufType::q4_0:
            return decode_all<Q4_0>(tensor, out);
        case GgufType::q4_1:
            return decode_all<Q4_1>(tensor, out);
        case GgufType::q5_0:
            return decode_all<Q5_0>(tensor, out);
        case GgufType::q5_1:
            return decode_all<Q5_1>(tensor, out);
        case GgufType::q8_0:
            return decode_all<Q8_0>(tensor, out);
        case GgufType::q4_k:
            return decode_all<Q4_K>(tensor, out);
        case GgufType::q5_k:
            return decode_all<Q5_K>(tensor, out);
        case GgufType::q6_k:
            return decode_all<Q6_K>(tensor, out);
    }
    throw std::logic_error("dequantize: " + tensor.name + " has an unknown type");
}

}  // namespace plumbline
