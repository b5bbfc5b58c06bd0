#pragma once
// The decoder on frozen weights: norm, grouped-query attention, norm, MLP, with what DecoderConfig says of each.

#include <array>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder_config.h"
#include "core/model/adapter.h"
#include "core/model/attention.h"
#include "core/model/frozen_linear.h"
#include "core/model/packed_batch.h"
#include "core/model/pulse.h"

namespace plumbline {

/// The weights of one block. q, k, v are one product, gate and up another.
struct DecoderBlock {
    FrozenLinear qkv, output, gate_up, down;
    std::array<at::Tensor, block_vectors> vectors;   // by BlockVector; undefined: the family has none

    at::Tensor& vector(BlockVector which) { return vectors[static_cast<std::size_t>(which)]; }
    const at::Tensor& vector(BlockVector which) const { return vectors[static_cast<std::size_t>(which)]; }
};

/// What stands outside the blocks.
struct DecoderEnds {
    FrozenLinear embedding, head;                      // head empty: the embedding is the output layer too
    at::Tensor final_norm, final_norm_bias, positions; // (D), (D), (rows, D)
};

class KvCache;

/// The frozen backbone. Constant after construction; the adapter comes with each call (nullptr: the reference).
/// Used on one thread at a time.
class Decoder {
  public:
    Decoder(const DecoderConfig& config, DecoderEnds ends, std::vector<DecoderBlock> blocks);

    const DecoderConfig& config() const { return config_; }
    /// Where the weights are, and so everything that runs through them.
    at::Device device() const { return usual_.cos.device(); }

    /// (N, D).
    at::Tensor embed(const PackedBatch& batch, const Adapter* adapter) const;
    /// Blocks [from, to) over packed sequences, causal within each: (N, D) -> (N, D). Differentiable in h and the
    /// adapter; `pulse` beats before every block, forward and backward.
    at::Tensor run(at::Tensor h, const PackedBatch& batch, int from, int to, const Adapter* adapter,
                   const Pulse& pulse) const;
    /// One new token a row through all blocks: ids (R) -> (R, D) before the final norm.
    at::Tensor step(const at::Tensor& ids, KvCache& cache, const Adapter* adapter) const;
    /// Runs one prompt (P) with the adapter and keeps its keys and values in the cache as the next group's prefix;
    /// the last row's state, (1, D) before the final norm.
    at::Tensor prefill(const at::Tensor& ids, KvCache& cache, const Adapter* adapter, const Pulse& pulse) const;

    at::Tensor final_norm(const at::Tensor& h, const Adapter* adapter) const;
    /// Next-token logits: h (N, D) before the final norm -> (N, V).
    at::Tensor logits(const at::Tensor& h, const Adapter* adapter) const;
    /// The backbone's output layer: (N, D) after final_norm -> (N, V), before logit_cap.
    const FrozenLinear& head() const { return config_.tied_embeddings ? ends_.embedding : ends_.head; }
    const DecoderEnds& ends() const { return ends_; }
    const DecoderBlock& block(int i) const { return blocks_[i]; }

  private:
    /// The rotations of N positions, or of every position in the context.
    struct Rotations {
        Rotation usual, local;
    };
    at::Tensor embed(const at::Tensor& ids, const at::Tensor& positions, const Adapter* adapter) const;
    at::Tensor vector(int block, BlockVector which, const Adapter* adapter) const;
    at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                      const Adapter* adapter) const;
    /// The same in the product's own type, f32 or bf16, where nothing trains or is added: what reads it converts it.
    at::Tensor raw_linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                          const Adapter* adapter) const;
    LinearInput normed(const at::Tensor& h, int block, BlockVector weight, BlockVector bias,
                       const Adapter* adapter) const;
    at::Tensor post_normed(const at::Tensor& h, int block, BlockVector weight, const Adapter* adapter) const;
    at::Tensor project(const at::Tensor& h, int block, const Adapter* adapter) const;
    at::Tensor norm_heads(const at::Tensor& qkv, int block, const Adapter* adapter) const;
    at::Tensor mlp(const at::Tensor& h, int block, const Adapter* adapter) const;
    /// The state after a block: h (N, D) that entered it, and what its queries attended to, (N, H d).
    at::Tensor finish(const at::Tensor& h, const at::Tensor& attended, int block, const Adapter* adapter) const;
    Rotations rotations(const at::Tensor& positions) const;
    const Rotation& turn(const Rotations& rotations, int block) const;
    HeadShape shape(int block) const;
    void prepare_backward(int from, int to, bool through_first, const Pulse& pulse) const;

    DecoderConfig config_;
    DecoderEnds ends_;
    std::vector<DecoderBlock> blocks_;
    Rotation usual_, local_;       // (context, turned / 2); local_ undefined where no block turns by it
    double query_scale_ = 1;       // attention_scale over that of attention()
};

}  // namespace plumbline
