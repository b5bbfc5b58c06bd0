// ggml's K-quants: 256 values, whose runs have scales that are quantised themselves.

#include <array>
#include <cstdint>

#include "core/formats/block_formats.h"

namespace plumbline {
namespace {

using blocks::Byte;
using blocks::half_at;

// Sixteen runs of 16 values: a byte each with the scale's four bits and, above, the minimum's. The values are pairs of
// bits: a run of 32 bytes holds 128 values, four 32s one above the other.
struct Q2_K {
    static constexpr int elements = 256, bytes = 84;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block + 80), dmin = half_at(block + 82);
        const Byte* scales = block;
        for (int half = 0; half < 2; ++half) {
            const Byte* q = block + 16 + 32 * half;
            for (int shift = 0; shift < 8; shift += 2) {
                for (int part = 0; part < 2; ++part, ++scales, out += 16) {
                    const float scale = d * static_cast<float>(*scales & 15);
                    const float minimum = dmin * static_cast<float>(*scales >> 4);
                    for (int i = 0; i < 16; ++i) {
                        out[i] = scale * static_cast<float>((q[16 * part + i] >> shift) & 3) - minimum;
                    }
                }
            }
        }
    }
};

// As Q2_K with signed 6-bit scales and no minima. A third bit in a mask of its own: four is taken away where it is not
// set. Four bits of scale i are a nibble of byte i % 8, the upper two lie in byte 8 + i % 4.
struct Q3_K {
    static constexpr int elements = 256, bytes = 110;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block + 108);
        const Byte *mask = block, *scales = block + 96;
        for (int run = 0; run < 16; ++run, out += 16) {
            const int low = (scales[run % 8] >> (run < 8 ? 0 : 4)) & 15;
            const int high = (scales[8 + run % 4] >> (2 * (run / 4))) & 3;
            const float scale = d * static_cast<float>((low | (high << 4)) - 32);
            const int bit = run / 2, shift = 2 * (bit % 4), at = 16 * (run % 2);
            const Byte* q = block + 32 + 32 * (run / 8);
            for (int i = at; i < at + 16; ++i) {
                const int value = ((q[i] >> shift) & 3) - (((mask[i] >> bit) & 1) != 0 ? 0 : 4);
                out[i - at] = scale * static_cast<float>(value);
            }
        }
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

}  // namespace

std::span<const BlockFormat> k_formats() {
    using blocks::format;
    static constexpr std::array formats = {
        format<Q2_K>(GgufType::q2_k, "Q2_K"), format<Q3_K>(GgufType::q3_k, "Q3_K"),
        format<Q4_K>(GgufType::q4_k, "Q4_K"), format<Q5_K>(GgufType::q5_k, "Q5_K"),
        format<Q6_K>(GgufType::q6_k, "Q6_K"),
    };
    return formats;
}

}  // namespace plumbline
