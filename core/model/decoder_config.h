#pragma once
// A decoder described as data: the numbers and choices that tell one model from another. Standard library only.

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace plumbline {

enum class NormKind { rms, layer };
enum class Activation { silu, gelu, gelu_tanh, relu };
/// What is normed of queries and keys: nothing, each head by itself, or the heads of a row together.
enum class QkNorm { none, each_head, whole };

/// Rotary positions (2104.09864): the angle of entry i at position p is p * theta^(-2i/d) / factors[i].
struct Rope {
    double theta = 10000;
    std::vector<double> factors;   // of long contexts (linear, llama3, yarn, longrope); empty: 1
    double magnitude = 1;          // cos and sin are multiplied by it (yarn, longrope)

    /// Angles a position for `dims` turned entries of a head, (dims / 2).
    std::vector<double> frequencies(std::int64_t dims) const {
        std::vector<double> out;
        for (std::int64_t i = 0; i < dims / 2; ++i) {
            const double power = static_cast<double>(2 * i) / static_cast<double>(dims);
            out.push_back(1.0 / std::pow(theta, power) / (factors.empty() ? 1.0 : factors[static_cast<std::size_t>(i)]));
        }
        return out;
    }
};

/// How a block knows the order of tokens, and how far back it sees.
struct BlockPositions {
    enum class Turn { none, usual, local };
    Turn turn = Turn::usual;       // by `rope`, by `local_rope`, or not
    std::int64_t window = 0;       // tokens, itself included; 0: all
};

/// Vectors of a block. A family has some of them.
enum class BlockVector {
    attention_norm, mlp_norm, attention_norm_bias, mlp_norm_bias, qkv_bias, output_bias, gate_up_bias, down_bias,
    q_norm, k_norm, attention_post_norm, mlp_post_norm
};
inline constexpr int block_vectors = 12;

struct DecoderConfig {
    std::string_view family = "llama";   // its names in files: families/family.h
    std::int64_t vocab = 0;
    std::int64_t hidden = 0;
    int blocks = 0;
    std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
    std::int64_t mlp = 0;
    std::int64_t context = 0;      // tokens
    Rope rope;
    double norm_eps = 1e-5;
    bool tied_embeddings = true;

    // What the Llama family leaves at these values.
    NormKind norm = NormKind::rms;
    bool pre_norms = true, post_norms = false;         // of what a half of a block reads, and of what it writes
    QkNorm qk_norm = QkNorm::none;
    bool qkv_bias = false, output_bias = false, mlp_bias = false;
    Activation activation = Activation::silu;
    bool gated = true;                                  // down(act(gate x) * up x), else down(act(up x))
    bool parallel = false;                              // attention and MLP read the same state
    std::int64_t rotary_dims = 0;                       // first entries of a head that turn; 0: all
    Rope local_rope;                                    // of blocks that turn by it
    std::vector<BlockPositions> positions;              // by block; empty: all turn as usual and see everything
    std::int64_t learned_positions = 0;                 // rows of a table that is added to the embedding; 0: none
    std::int64_t first_position = 0;                    // the row of position 0
    double embedding_scale = 1;
    double attention_scale = 0;                         // of scores; 0: 1 / sqrt(head_dim)
    double attention_cap = 0, logit_cap = 0;            // c tanh(x / c) of scores and logits; 0: none

    std::int64_t query_width() const { return heads * head_dim; }
    std::int64_t key_width() const { return kv_heads * head_dim; }
    std::int64_t turned() const { return rotary_dims > 0 ? rotary_dims : head_dim; }
    std::int64_t gate_up_width() const { return gated ? 2 * mlp : mlp; }
    BlockPositions positions_of(int block) const {
        return positions.empty() ? BlockPositions{} : positions[static_cast<std::size_t>(block)];
    }

    /// Entries of a block's vector; 0: the family has none.
    std::int64_t size_of(BlockVector vector) const {
        const bool biased_norms = norm == NormKind::layer;
        switch (vector) {
            case BlockVector::attention_norm:
            case BlockVector::mlp_norm: return pre_norms ? hidden : 0;
            case BlockVector::attention_norm_bias:
            case BlockVector::mlp_norm_bias: return pre_norms && biased_norms ? hidden : 0;
            case BlockVector::qkv_bias: return qkv_bias ? query_width() + 2 * key_width() : 0;
            case BlockVector::output_bias: return output_bias ? hidden : 0;
            case BlockVector::gate_up_bias: return mlp_bias ? gate_up_width() : 0;
            case BlockVector::down_bias: return mlp_bias ? hidden : 0;
            case BlockVector::q_norm: return qk_norm == QkNorm::none ? 0 : qk_norm == QkNorm::whole ? query_width() : head_dim;
            case BlockVector::k_norm: return qk_norm == QkNorm::none ? 0 : qk_norm == QkNorm::whole ? key_width() : head_dim;
            case BlockVector::attention_post_norm:
            case BlockVector::mlp_post_norm: return post_norms ? hidden : 0;
        }
        return 0;
    }

    std::int64_t vectors_of_a_block() const {
        std::int64_t out = 0;
        for (int i = 0; i < block_vectors; ++i) {
            out += size_of(static_cast<BlockVector>(i));
        }
        return out;
    }

    /// Weights, the tied output counted once.
    std::int64_t parameters() const {
        const std::int64_t attention = hidden * (2 * query_width() + 2 * key_width());
        const std::int64_t block = attention + hidden * (gate_up_width() + mlp) + vectors_of_a_block();
        return (vocab * (tied_embeddings ? 1 : 2) + learned_positions) * hidden + blocks * block +
               hidden * (norm == NormKind::layer ? 2 : 1);
    }
};

enum class Precision { f32, bf16 };   // of the frozen products; everything else is f32

}  // namespace plumbline
