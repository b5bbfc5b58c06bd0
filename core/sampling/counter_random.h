#pragma once
// Random numbers as a pure function of their place, so that a draw depends on no batch, thread or order.
// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).

#include <array>
#include <cstdint>

namespace plumbline {

/// The place of a draw. `stream` separates uses: each drawn group of a session has its own.
struct RandomPlace {
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;
    std::uint32_t prompt = 0;
    std::uint32_t sample = 0;
    std::uint32_t position = 0;
};

constexpr std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
                   static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return counter;
}

/// Uniform in [0, 1) with 53 bits.
constexpr double uniform(const RandomPlace& place) {
    const auto r = philox({place.stream, place.prompt, place.sample, place.position},
                          {static_cast<std::uint32_t>(place.seed), static_cast<std::uint32_t>(place.seed >> 32)});
    return static_cast<double>(((std::uint64_t{r[0]} << 32) | r[1]) >> 11) * 0x1p-53;
}

/// Uses of randomness outside the drawing of replies; each a stream of its own, above all groups' streams.
enum class Use : std::uint32_t { sides = 0xF0000000, pair_choice, replay, shuffle, evaluation, rollouts, heldout, reward_batch };

constexpr double uniform(std::uint64_t seed, Use use, std::uint64_t index, std::uint32_t draw = 0) {
    return uniform({seed, static_cast<std::uint32_t>(use), static_cast<std::uint32_t>(index),
                    static_cast<std::uint32_t>(index >> 32), draw});
}

}  // namespace plumbline
