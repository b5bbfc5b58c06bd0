// Tensors that are not quantised: one element a block.

#include <array>
#include <bit>

#include "core/formats/block_formats.h"

namespace plumbline {
namespace {

using blocks::Byte;
using blocks::number_at;

struct F32 {
    static constexpr int elements = 1, bytes = 4;
    static void decode(const Byte* __restrict block, float* __restrict out) { *out = number_at<float>(block); }
};

struct F64 {
    static constexpr int elements = 1, bytes = 8;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        *out = static_cast<float>(number_at<double>(block));
    }
};

struct F16 {
    static constexpr int elements = 1, bytes = 2;
    static void decode(const Byte* __restrict block, float* __restrict out) { *out = blocks::half_at(block); }
};

struct Bf16 {
    static constexpr int elements = 1, bytes = 2;
    static void decode(const Byte* __restrict block, float* __restrict out) {
        *out = std::bit_cast<float>(static_cast<std::uint32_t>(number_at<std::uint16_t>(block)) << 16);
    }
};

}  // namespace

std::span<const BlockFormat> float_formats() {
    using blocks::format;
    static constexpr std::array formats = {
        format<F32>(GgufType::f32, "F32"),
        format<F16>(GgufType::f16, "F16"),
        format<Bf16>(GgufType::bf16, "BF16"),
        format<F64>(GgufType::f64, "F64"),
        BlockFormat{GgufType::i8, "I8", {1, 1}, nullptr},
        BlockFormat{GgufType::i16, "I16", {1, 2}, nullptr},
        BlockFormat{GgufType::i32, "I32", {1, 4}, nullptr},
        BlockFormat{GgufType::i64, "I64", {1, 8}, nullptr},
    };
    return formats;
}

}  // namespace plumbline
