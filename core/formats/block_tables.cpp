// Types whose values come out of a short table: the 4-bit I-quants, MXFP4 and the ternary ones.

#include <array>
#include <bit>
#include <cstdint>

#include "core/formats/block_formats.h"

namespace plumbline {
namespace {

using blocks::Byte;
using blocks::half_at;
using blocks::number_at;

using Table = std::array<float, 16>;
constexpr Table iq4_values = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
// E2M1 of the OCP microscaling formats, doubled; the scale is halved instead.
constexpr Table e2m1_values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// 32 values: the low halves of 16 bytes, then the high ones.
void look_up(const Table& table, float scale, const Byte* __restrict q, float* __restrict out) {
    for (int i = 0; i < 16; ++i) out[i] = scale * table[q[i] & 15];
    for (int i = 0; i < 16; ++i) out[16 + i] = scale * table[q[i] >> 4];
}

struct IQ4_NL {
    static constexpr int elements = 32, bytes = 18;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        look_up(iq4_values, half_at(block), block + 2, out);
    }
};

// Eight runs with signed 6-bit scales: two upper bits each in a 16-bit word, the lower four in nibbles.
struct IQ4_XS {
    static constexpr int elements = 256, bytes = 136;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const unsigned upper = number_at<std::uint16_t>(block + 2);
        const Byte *lower = block + 4, *q = block + 8;
        for (int run = 0; run < 8; ++run, q += 16, out += 32) {
            const unsigned low = (lower[run / 2] >> (4 * (run % 2))) & 15u, high = (upper >> (2 * run)) & 3u;
            look_up(iq4_values, d * static_cast<float>(static_cast<int>(low | (high << 4)) - 32), q, out);
        }
    }
};

struct Mxfp4 {
    static constexpr int elements = 32, bytes = 17;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        // Half of 2^(e - 127); of e = 0 and 1 that is a subnormal number.
        const std::uint32_t e = block[0];
        const std::uint32_t bits = e < 2 ? 0x00200000u << e : (e - 1) << 23;
        look_up(e2m1_values, std::bit_cast<float>(bits), block + 1, out);
    }
};

/// Digit 0, 1 or 2 of a byte that holds base-3 digits as a fixed-point fraction, moved up by `power` = 3^place.
int ternary_digit(Byte fraction, unsigned power) {
    const auto moved = static_cast<Byte>(fraction * power);
    return (moved * 3) >> 8;
}

// Five ternary values a byte, in runs of 32 and 16 bytes, and four in the last four bytes: -1, 0 or 1.
struct TQ1_0 {
    static constexpr int elements = 256, bytes = 54;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block + 52);
        struct Run {
            int at, bytes, digits;
        };
        for (const Run& run : {Run{0, 32, 5}, Run{32, 16, 5}, Run{48, 4, 4}}) {
            for (unsigned digit = 0, power = 1; digit < static_cast<unsigned>(run.digits); ++digit, power *= 3) {
                for (int i = 0; i < run.bytes; ++i) {
                    *out++ = d * static_cast<float>(ternary_digit(block[run.at + i], power) - 1);
                }
            }
        }
    }
};

// Four ternary values a byte, in two runs of 32 bytes.
struct TQ2_0 {
    static constexpr int elements = 256, bytes = 66;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block + 64);
        for (const Byte* q = block; q < block + 64; q += 32) {
            for (int shift = 0; shift < 8; shift += 2, out += 32) {
                for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(((q[i] >> shift) & 3) - 1);
            }
        }
    }
};

}  // namespace

std::span<const BlockFormat> table_formats() {
    using blocks::format;
    static constexpr std::array formats = {
        format<IQ4_NL>(GgufType::iq4_nl, "IQ4_NL"), format<IQ4_XS>(GgufType::iq4_xs, "IQ4_XS"),
        format<Mxfp4>(GgufType::mxfp4, "MXFP4"),    format<TQ1_0>(GgufType::tq1_0, "TQ1_0"),
        format<TQ2_0>(GgufType::tq2_0, "TQ2_0"),
    };
    return formats;
}

}  // namespace plumbline
