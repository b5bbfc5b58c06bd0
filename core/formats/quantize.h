#pragma once
// Floats as the tensor types that are written, to the last bit as the `gguf` package has them.

#include <cstdint>
#include <span>
#include <string>

#include "core/formats/gguf.h"

namespace plumbline {

/// F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0.
bool can_write(GgufType type);
/// `wanted`, or F16 where a row of `row` elements is no whole number of its blocks, as llama.cpp does it.
GgufType type_for_rows(GgufType wanted, std::int64_t row);

/// `values` as blocks of `type`; their number is a multiple of the block's elements. F16, BF16 and scales are rounded
/// to the nearest, halves to even. Throws Error "write model: …" that names `tensor` for a value too large for F16 or,
/// in a quantised type, not finite.
std::string quantize(const std::string& tensor, GgufType type, std::span<const float> values);

/// Rounded to the nearest, halves to even; infinite when out of range.
std::uint16_t half_from_float(float value);
std::uint16_t bfloat16_from_float(float value);

}  // namespace plumbline
