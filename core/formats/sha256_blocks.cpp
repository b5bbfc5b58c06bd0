#include "core/formats/sha256_blocks.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace plumbline {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
alignas(16) constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian_word(const std::byte* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return std::endian::native == std::endian::little ? __builtin_bswap32(word) : word;
}

// One round (6.2.2, step 3); the caller rotates the names instead of the values.
inline void round(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t& d, std::uint32_t e,
                  std::uint32_t f, std::uint32_t g, std::uint32_t& h, std::uint32_t constant_and_word) {
    const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t choice = g ^ (e & (f ^ g));
    const std::uint32_t t1 = h + sum1 + choice + constant_and_word;
    const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t majority = (a & b) | (c & (a | b));
    d += t1;
    h = t1 + sum0 + majority;
}

void add_block(Sha256State& state, const std::byte* block) {
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t) w[t] = big_endian_word(block + 4 * t);
    for (std::size_t t = 16; t < 64; ++t) {
        const std::uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
        const std::uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (std::size_t t = 0; t < 64; t += 8) {
        const auto kw = [&](std::size_t i) { return round_constants[t + i] + w[t + i]; };
        round(a, b, c, d, e, f, g, h, kw(0));
        round(h, a, b, c, d, e, f, g, kw(1));
        round(g, h, a, b, c, d, e, f, kw(2));
        round(f, g, h, a, b, c, d, e, kw(3));
        round(e, f, g, h, a, b, c, d, kw(4));
        round(d, e, f, g, h, a, b, c, kw(5));
        round(c, d, e, f, g, h, a, b, kw(6));
        round(b, c, d, e, f, g, h, a, kw(7));
    }
    const Sha256State added = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state[i] += added[i];
}

#if defined(__x86_64__)
__attribute__((target("sha,sse4.1"))) void add_blocks_with_instructions(Sha256State& state,
                                                                        std::span<const std::byte> data) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll);
    // The instructions keep the state as (a b e f) and (c d g h), highest word first.
    const auto* words = reinterpret_cast<const __m128i*>(state.data());
    const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xB1);
    const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);

    for (std::size_t at = 0; at < data.size(); at += sha256_block_size) {
        const auto* block = reinterpret_cast<const __m128i*>(data.data() + at);
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i m[4];  // a ring of the last 16 words of the schedule
        for (int i = 0; i < 4; ++i) m[i] = _mm_shuffle_epi8(_mm_loadu_si128(block + i), big_endian);
        for (int group = 0; group < 16; ++group) {
            __m128i &oldest = m[group % 4], &newest = m[(group + 3) % 4];
            const auto* constants = reinterpret_cast<const __m128i*>(round_constants.data()) + group;
            const __m128i kw = _mm_add_epi32(oldest, _mm_load_si128(constants));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(kw, 0x0E));
            if (group < 12) {
                const __m128i seven_back = _mm_alignr_epi8(newest, m[(group + 2) % 4], 4);
                const __m128i partly =
                    _mm_add_epi32(_mm_sha256msg1_epu32(oldest, m[(group + 1) % 4]), seven_back);
                oldest = _mm_sha256msg2_epu32(partly, newest);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }

    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    auto* out = reinterpret_cast<__m128i*>(state.data());
    _mm_storeu_si128(out, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(out + 1, _mm_alignr_epi8(dchg, feba, 8));
}
#endif

}  // namespace

void add_sha256_blocks_portably(Sha256State& state, std::span<const std::byte> data) {
    for (std::size_t at = 0; at < data.size(); at += sha256_block_size) add_block(state, data.data() + at);
}

void add_sha256_blocks(Sha256State& state, std::span<const std::byte> data) {
#if defined(__x86_64__)
    static const bool has_instructions = __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
    if (has_instructions) return add_blocks_with_instructions(state, data);
#endif
    add_sha256_blocks_portably(state, data);
}

}  // namespace plumbline
