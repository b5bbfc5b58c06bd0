// ggml's I-quants below four bits: a code stands for a group of values out of a codebook, with signs or a shift beside
// it.

#include <array>
#include <bit>
#include <cstdint>

#include "core/formats/block_formats.h"
#include "core/formats/codebooks.h"

namespace plumbline {
namespace {

using blocks::Byte;
using blocks::half_at;
using blocks::number_at;
using codebooks::unpack;

constexpr std::array<Byte, 3> two_bit_values = {8, 25, 43};
constexpr std::array<Byte, 8> three_bit_values = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::array<Byte, 8> odd_values = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr std::array<signed char, 3> ternary_values = {-1, 0, 1};

constexpr auto iq2_xxs_book = unpack<Byte, 8>(codebooks::iq2_xxs_steps, two_bit_values);
constexpr auto iq2_xs_book = unpack<Byte, 8>(codebooks::iq2_xs_steps, two_bit_values);
constexpr auto iq2_s_book = unpack<Byte, 8>(codebooks::iq2_s_steps, two_bit_values);
constexpr auto iq3_xxs_book = unpack<Byte, 4>(codebooks::iq3_xxs_steps, three_bit_values);
constexpr auto iq3_s_book = unpack<Byte, 4>(codebooks::iq3_s_steps, odd_values);
constexpr auto iq1_book = unpack<signed char, 8>(codebooks::iq1_steps, ternary_values);

/// Value j of a group is negative where bit j of `signs` is set.
template <std::size_t Group>
void put_signed(const std::array<Byte, Group>& group, float scale, unsigned signs, float* __restrict out) {
    for (std::size_t j = 0; j < Group; ++j) {
        const float value = scale * static_cast<float>(group[j]);
        out[j] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (((signs >> j) & 1u) << 31));
    }
}

/// Seven signs stand for eight: the number of negative values is even.
unsigned eight_signs(unsigned seven) {
    return seven | (static_cast<unsigned>(std::popcount(seven)) & 1u) << 7;
}

// Eight runs of 32 values: four codes of a byte, then a word with four times seven signs and the scale's four bits.
struct IQ2_XXS {
    static constexpr int elements = 256, bytes = 66;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        for (const Byte* run = block + 2; run < block + bytes; run += 8) {
            const auto word = number_at<std::uint32_t>(run + 4);
            const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.25f;
            for (int group = 0; group < 4; ++group, out += 8) {
                put_signed(iq2_xxs_book[run[group]], scale, eight_signs((word >> (7 * group)) & 127u), out);
            }
        }
    }
};

// 32 words, each nine bits of code and seven signs; a scale's four bits serve two of them.
struct IQ2_XS {
    static constexpr int elements = 256, bytes = 74;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte* scales = block + 66;
        for (int group = 0; group < 32; ++group, out += 8) {
            const unsigned word = number_at<std::uint16_t>(block + 2 + 2 * group);
            const int four_bits = (scales[group / 4] >> (4 * (group / 2 % 2))) & 15;
            const float scale = d * (0.5f + static_cast<float>(four_bits)) * 0.25f;
            put_signed(iq2_xs_book[word & 511u], scale, eight_signs(word >> 9), out);
        }
    }
};

// 32 codes of ten bits, the upper two apart; a byte of signs for each.
struct IQ2_S {
    static constexpr int elements = 256, bytes = 82;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte *codes = block + 2, *signs = block + 34, *upper = block + 66, *scales = block + 74;
        for (int group = 0; group < 32; ++group, out += 8) {
            const unsigned code = codes[group] | ((upper[group / 4] >> (2 * (group % 4))) & 3u) << 8;
            const int four_bits = (scales[group / 4] >> (4 * (group / 2 % 2))) & 15;
            const float scale = d * (0.5f + static_cast<float>(four_bits)) * 0.25f;
            put_signed(iq2_s_book[code], scale, signs[group], out);
        }
    }
};

// 64 codes of a byte for four values each; then, for each run of 32 values, a word as in IQ2_XXS.
struct IQ3_XXS {
    static constexpr int elements = 256, bytes = 98;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte* codes = block + 2;
        for (int run = 0; run < 8; ++run) {
            const auto word = number_at<std::uint32_t>(block + 66 + 4 * run);
            const float scale = d * (0.5f + static_cast<float>(word >> 28)) * 0.5f;
            for (int group = 0; group < 4; ++group, codes += 2, out += 8) {
                const unsigned signs = eight_signs((word >> (7 * group)) & 127u);
                put_signed(iq3_xxs_book[codes[0]], scale, signs, out);
                put_signed(iq3_xxs_book[codes[1]], scale, signs >> 4, out + 4);
            }
        }
    }
};

// 64 codes of nine bits, the upper one apart; a byte of signs for two of them; four bits of scale for eight.
struct IQ3_S {
    static constexpr int elements = 256, bytes = 110;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte *codes = block + 2, *upper = block + 66, *signs = block + 74, *scales = block + 106;
        for (int group = 0; group < 64; ++group, out += 4) {
            const unsigned code = codes[group] | ((upper[group / 8] >> (group % 8)) & 1u) << 8;
            const int four_bits = (scales[group / 16] >> (4 * (group / 8 % 2))) & 15;
            const float scale = d * static_cast<float>(1 + 2 * four_bits);
            put_signed(iq3_s_book[code], scale, static_cast<unsigned>(signs[group / 2]) >> (4 * (group % 2)), out);
        }
    }
};

/// Ternary values, all moved up or down by an eighth.
void put_shifted(const std::array<signed char, 8>& group, float scale, bool down, float* __restrict out) {
    const float shift = down ? -0.125f : 0.125f;
    for (std::size_t j = 0; j < group.size(); ++j) out[j] = scale * (static_cast<float>(group[j]) + shift);
}

// Eight runs of 32 values: four codes, whose three upper bits lie in a word with the scale's three bits and the shift.
struct IQ1_S {
    static constexpr int elements = 256, bytes = 50;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const float d = half_at(block);
        const Byte* codes = block + 2;
        for (int run = 0; run < 8; ++run) {
            const unsigned word = number_at<std::uint16_t>(block + 34 + 2 * run);
            const float scale = d * static_cast<float>(2 * ((word >> 12) & 7u) + 1);
            for (int group = 0; group < 4; ++group, ++codes, out += 8) {
                const unsigned code = *codes | ((word >> (3 * group)) & 7u) << 8;
                put_shifted(iq1_book[code], scale, (word & 0x8000u) != 0, out);
            }
        }
    }
};

// 32 codes of eleven bits; a nibble for each holds its three upper bits and its shift. The upper nibbles of the four
// words of scales are the f16 scale of the whole; their other twelve bits are four scales of 16 values each.
struct IQ1_M {
    static constexpr int elements = 256, bytes = 56;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        const Byte *codes = block, *nibbles = block + 32, *scales = block + 48;
        unsigned half = 0;
        for (int i = 0; i < 4; ++i) half |= (number_at<std::uint16_t>(scales + 2 * i) >> 12u) << (4 * i);
        const float d = float_from_half(static_cast<std::uint16_t>(half));
        for (int group = 0; group < 32; ++group, out += 8) {
            const unsigned nibble = (nibbles[group / 2] >> (4 * (group % 2))) & 15u;
            const unsigned word = number_at<std::uint16_t>(scales + 2 * (group / 8));
            const float scale = d * static_cast<float>(2 * ((word >> (3 * (group / 2 % 4))) & 7u) + 1);
            put_shifted(iq1_book[codes[group] | (nibble & 7u) << 8], scale, (nibble & 8u) != 0, out);
        }
    }
};

}  // namespace

std::span<const BlockFormat> codebook_formats() {
    using blocks::format;
    static constexpr std::array formats = {
        format<IQ1_S>(GgufType::iq1_s, "IQ1_S"),       format<IQ1_M>(GgufType::iq1_m, "IQ1_M"),
        format<IQ2_XXS>(GgufType::iq2_xxs, "IQ2_XXS"), format<IQ2_XS>(GgufType::iq2_xs, "IQ2_XS"),
        format<IQ2_S>(GgufType::iq2_s, "IQ2_S"),       format<IQ3_XXS>(GgufType::iq3_xxs, "IQ3_XXS"),
        format<IQ3_S>(GgufType::iq3_s, "IQ3_S"),
    };
    return formats;
}

}  // namespace plumbline
