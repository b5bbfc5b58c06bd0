#pragma once
// SHA-256 (FIPS 180-4).

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/formats/sha256_blocks.h"

namespace plumbline {

/// Of data that comes in pieces.
class Sha256 {
  public:
    Sha256();
    void add(std::span<const std::byte> data);
    /// Of all that was added so far; lower-case hexadecimal, 64 digits.
    std::string digest() const;

  private:
    Sha256State state_;
    std::array<std::byte, sha256_block_size>
        rest_{};  // of the bytes added, those behind the last whole block
    std::uint64_t bytes_ = 0;
};

/// Lower-case hexadecimal, 64 digits.
std::string sha256(std::span<const std::byte> data);
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace plumbline
