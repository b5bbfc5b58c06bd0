#include "core/formats/sha256.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "core/formats/mapped_file.h"
#include "core/formats/sha256_blocks.h"

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

std::string sha256(std::span<const std::byte> data) {
    // The first 32 bits of the fractional parts of the square roots of the first 8 primes (5.3.3).
    Sha256State state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const std::size_t whole = data.size() / sha256_block_size * sha256_block_size;
    add_sha256_blocks(state, data.first(whole));

    // Padding: a one bit, zeros, the length in bits (5.1.1); one or two blocks with the last bytes.
    std::array<std::byte, 2 * sha256_block_size> tail{};
    const std::size_t rest = data.size() - whole;
    if (rest > 0) std::memcpy(tail.data(), data.data() + whole, rest);
    tail[rest] = std::byte{0x80};
    const std::size_t padded = rest + 1 + 8 <= sha256_block_size ? sha256_block_size : 2 * sha256_block_size;
    const std::uint64_t bits = static_cast<std::uint64_t>(data.size()) * 8;
    for (std::size_t i = 0; i < 8; ++i) tail[padded - 1 - i] = static_cast<std::byte>(bits >> (8 * i));
    add_sha256_blocks(state, std::span(tail).first(padded));
    return as_hex(state);
}

std::string sha256_of_file(const std::filesystem::path& path) {
    return sha256(MappedFile(path).bytes());
}

}  // namespace plumbline
