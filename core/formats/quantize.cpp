// Compiled without contraction to fused multiply-add, as the reading side is: the same sums, the same bits.

#include "core/formats/quantize.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "core/api/errors.h"

namespace plumbline {
namespace {

constexpr std::size_t block_size = 32;   // of every type that is quantised here
using Block = std::span<const float, block_size>;
using Codes = std::array<std::uint8_t, block_size>;

[[noreturn]] void fail(const std::string& tensor, const std::string& what) {
    throw Error("write model", "tensor " + tensor + " has " + what);
}

template <class T>
void put(std::string& out, T value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_half(std::string& out, const std::string& tensor, float value) {
    const std::uint16_t half = half_from_float(value);
    if (std::isfinite(value) && (half & 0x7fffu) == 0x7c00u) {
        fail(tensor, std::to_string(value) + ", too large for F16 (65504); write it as BF16 or F32");
    }
    put(out, half);
}

/// 1/d, and 0 for a block of zeros or of numbers too small for a scale.
float inverse(float d) {
    const float out = d == 0 ? 0.0f : 1.0f / d;
    return std::isfinite(out) ? out : 0.0f;
}

/// Of several the first, as in the reference.
float furthest_from_zero(Block values) {
    return *std::max_element(values.begin(), values.end(),
                             [](float a, float b) { return std::abs(a) < std::abs(b); });
}

/// Low halves of 16 bytes, then the high ones.
void put_nibbles(std::string& out, const Codes& codes) {
    for (std::size_t i = 0; i < block_size / 2; ++i) {
        put(out, static_cast<std::uint8_t>((codes[i] & 15) | (codes[i + block_size / 2] << 4)));
    }
}

void put_fifth_bits(std::string& out, const Codes& codes) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < block_size; ++i) bits |= static_cast<std::uint32_t>(codes[i] >> 4) << i;
    put(out, bits);
}

void put_codes(std::string& out, const Codes& codes, int bits) {
    if (bits == 5) put_fifth_bits(out, codes);
    put_nibbles(out, codes);
}

/// Q4_0 and Q5_0: the value furthest from zero takes the code at the end, zero the one in the middle.
void put_symmetric(std::string& out, const std::string& tensor, Block values, int bits) {
    const int middle = 1 << (bits - 1), last = 2 * middle - 1;
    const float d = furthest_from_zero(values) / static_cast<float>(-middle), scale = inverse(d);
    const float to_middle = static_cast<float>(middle) + 0.5f;
    Codes codes;
    for (std::size_t i = 0; i < block_size; ++i) {
        const int code = static_cast<int>(values[i] * scale + to_middle);
        codes[i] = static_cast<std::uint8_t>(std::clamp(code, 0, last));
    }
    put_half(out, tensor, d);
    put_codes(out, codes, bits);
}

/// Q4_1 and Q5_1: from the least value to the greatest.
void put_with_minimum(std::string& out, const std::string& tensor, Block values, int bits) {
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    const int last = (1 << bits) - 1;
    const float d = (*greatest - *least) / static_cast<float>(last), scale = inverse(d);
    Codes codes;
    for (std::size_t i = 0; i < block_size; ++i) {
        const int code = static_cast<int>((values[i] - *least) * scale + 0.5f);
        codes[i] = static_cast<std::uint8_t>(std::clamp(code, 0, last));
    }
    put_half(out, tensor, d);
    put_half(out, tensor, *least);
    put_codes(out, codes, bits);
}

void put_q8_0(std::string& out, const std::string& tensor, Block values) {
    const float d = std::abs(furthest_from_zero(values)) / 127, scale = inverse(d);
    put_half(out, tensor, d);
    for (const float value : values) put(out, static_cast<std::int8_t>(std::round(value * scale)));
}

void put_block(std::string& out, const std::string& tensor, GgufType type, Block values) {
    switch (type) {
        case GgufType::q4_0: return put_symmetric(out, tensor, values, 4);
        case GgufType::q5_0: return put_symmetric(out, tensor, values, 5);
        case GgufType::q4_1: return put_with_minimum(out, tensor, values, 4);
        case GgufType::q5_1: return put_with_minimum(out, tensor, values, 5);
        default: return put_q8_0(out, tensor, values);
    }
}

}  // namespace

bool can_write(GgufType type) {
    constexpr std::array types = {GgufType::f32,  GgufType::f16,  GgufType::bf16, GgufType::q8_0,
                                  GgufType::q5_1, GgufType::q5_0, GgufType::q4_1, GgufType::q4_0};
    return std::find(types.begin(), types.end(), type) != types.end();
}

GgufType type_for_rows(GgufType wanted, std::int64_t row) {
    return row % block_of(wanted).elements == 0 ? wanted : GgufType::f16;
}

std::string quantize(const std::string& tensor, GgufType type, std::span<const float> values) {
    std::string out;
    const GgufBlock block = block_of(type);
    if (!can_write(type) || values.size() % static_cast<std::size_t>(block.elements) != 0) {
        throw std::logic_error("quantize: " + tensor + " cannot be written as " + std::string(name_of(type)));
    }
    out.reserve(values.size() / static_cast<std::size_t>(block.elements) * static_cast<std::size_t>(block.bytes));
    if (type == GgufType::f32) {
        out.assign(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    } else if (type == GgufType::f16) {
        for (const float value : values) put_half(out, tensor, value);
    } else if (type == GgufType::bf16) {
        for (const float value : values) put(out, bfloat16_from_float(value));
    } else {
        const auto bad = std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
        if (bad != values.end()) {
            fail(tensor, std::to_string(*bad) + " as value " + std::to_string(bad - values.begin()) +
                             ", which no quantised type can hold; go back to a state before the weights were damaged");
        }
        for (std::size_t at = 0; at < values.size(); at += block_size) {
            put_block(out, tensor, type, values.subspan(at).first<block_size>());
        }
    }
    return out;
}

std::uint16_t half_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u)
        return static_cast<std::uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));  // NaN
    const float absolute = std::bit_cast<float>(magnitude);
    if (absolute >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
    if (absolute < 0x1p-14f) {  // subnormal halves are multiples of 2^-24; the addition rounds to them
        return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(absolute + 0.5f) & 0x7ffu));
    }
    // Rounds on the 13 bits that fall away; a carry into the exponent is right.
    const std::uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
}

std::uint16_t bfloat16_from_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return static_cast<std::uint16_t>((bits >> 16) | 0x40u);  // a quiet NaN
    return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace plumbline
