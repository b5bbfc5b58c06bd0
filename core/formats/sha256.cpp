#include "core/formats/sha256.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/formats/mapped_file.h"

namespace plumbline {
namespace {

std::string as_hex(const Sha256State& state) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const std::uint32_t word : state) {
        for (int shift = 28; shift >= 0; shift -= 4) out += digits[(word >> shift) & 15];
    }
    return out;
}

}  // namespace

// The first 32 bits of the fractional parts of the square roots of the first 8 primes (5.3.3).
Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
}

void Sha256::add(std::span<const std::byte> data) {
    const std::size_t held = bytes_ % sha256_block_size;
    bytes_ += data.size();
    if (held > 0) {
        const std::size_t taken = std::min(data.size(), sha256_block_size - held);
        std::copy_n(data.begin(), taken, rest_.begin() + static_cast<std::ptrdiff_t>(held));
        data = data.subspan(taken);
        if (held + taken < sha256_block_size) return;
        add_sha256_blocks(state_, rest_);
    }
    const std::size_t whole = data.size() / sha256_block_size * sha256_block_size;
    add_sha256_blocks(state_, data.first(whole));
    std::copy(data.begin() + static_cast<std::ptrdiff_t>(whole), data.end(), rest_.begin());
}

std::string Sha256::digest() const {
    // Padding: a one bit, zeros, the length in bits (5.1.1); one or two blocks with the last bytes.
    Sha256State state = state_;
    std::array<std::byte, 2 * sha256_block_size> tail{};
    const std::size_t rest = bytes_ % sha256_block_size;
    std::copy_n(rest_.begin(), rest, tail.begin());
    tail[rest] = std::byte{0x80};
    const std::size_t padded = rest + 1 + 8 <= sha256_block_size ? sha256_block_size : 2 * sha256_block_size;
    const std::uint64_t bits = bytes_ * 8;
    for (std::size_t i = 0; i < 8; ++i) tail[padded - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
    add_sha256_blocks(state, std::span(tail).first(padded));
    return as_hex(state);
}

std::string sha256(std::span<const std::byte> data) {
    Sha256 hash;
    hash.add(data);
    return hash.digest();
}

std::string sha256_of_file(const std::filesystem::path& path) {
    return sha256(MappedFile(path).bytes());
}

}  // namespace plumbline
