#pragma once
// SHA-256 (FIPS 180-4).

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace plumbline {

/// Lower-case hexadecimal, 64 digits.
std::string sha256(std::span<const std::byte> data);
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace plumbline
