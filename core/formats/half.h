#pragma once
// IEEE half precision to single.

#include <bit>
#include <cstdint>

namespace plumbline {

/// Exact for every value, subnormals and payloads of NaN included; branch-free, so that loops over it
/// vectorise.
inline float float_from_half(std::uint16_t half) {
    const std::uint32_t magnitude = (half & 0x7fffu) << 13;
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
    const std::uint32_t not_finite = magnitude >= (0x7c00u << 13) ? 0x7f800000u : 0u;
    const std::uint32_t sign = (half & 0x8000u) << 16;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | not_finite | sign);
}

}  // namespace plumbline
