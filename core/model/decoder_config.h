#pragma once
// A decoder described as data: the numbers that tell one model of the Llama family from another.

#include <cstdint>

namespace plumbline {

struct DecoderConfig {
    std::int64_t vocab = 0;
    std::int64_t hidden = 0;
    int blocks = 0;
    std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
    std::int64_t mlp = 0;
    std::int64_t context = 0;      // tokens
    double rope_theta = 10000;
    double norm_eps = 1e-5;
    bool tied_embeddings = true;

    /// Weights, the tied output counted once.
    std::int64_t parameters() const {
        const std::int64_t attention = hidden * head_dim * (2 * heads + 2 * kv_heads);
        const std::int64_t block = attention + 3 * hidden * mlp + 2 * hidden;
        return vocab * hidden * (tied_embeddings ? 1 : 2) + blocks * block + hidden;
    }
};

enum class Precision { f32, bf16 };   // of the frozen products; everything else is f32

}  // namespace plumbline
