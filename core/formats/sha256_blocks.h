#pragma once
// The compression function of SHA-256, on whole blocks.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace plumbline {

inline constexpr std::size_t sha256_block_size = 64;  // bytes
using Sha256State = std::array<std::uint32_t, 8>;     // a to h

/// `data` is whole blocks. Uses the processor's SHA instructions where it has them.
void add_sha256_blocks(Sha256State& state, std::span<const std::byte> data);
/// The same without them.
void add_sha256_blocks_portably(Sha256State& state, std::span<const std::byte> data);

}  // namespace plumbline
