#pragma once
// The Llama-family decoder: RMSNorm, rotary positions, grouped-query attention, SwiGLU, on frozen weights.

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
    at::Tensor attention_norm, mlp_norm;   // (D)
    FrozenLinear qkv, output, gate_up, down;
};

class KvCache;

/// The frozen backbone. Constant after construction; the adapter comes with each call (nullptr: the reference).
/// Used on one thread at a time.
class Decoder {
  public:
    Decoder(const DecoderConfig& config, FrozenLinear embedding, FrozenLinear head, at::Tensor final_norm,
            std::vector<DecoderBlock> blocks);

    const DecoderConfig& config() const { return config_; }
    /// Where the weights are, and so everything that runs through them.
    at::Device device() const { return cos_.device(); }

    /// ids (N) -> (N, D).
    at::Tensor embed(const at::Tensor& ids, const Adapter* adapter) const;
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
    /// The backbone's output layer: (N, D) after final_norm -> (N, V).
    const FrozenLinear& head() const { return config_.tied_embeddings ? embedding_ : head_; }
    const FrozenLinear& embedding() const { return embedding_; }
    const at::Tensor& final_norm_weight() const { return final_norm_; }   // (D)
    const DecoderBlock& block(int i) const { return blocks_[i]; }

  private:
    at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                      const Adapter* adapter) const;
    LinearInput normed(const at::Tensor& h, int block, BlockNorm which, const Adapter* adapter) const;
    at::Tensor project(const at::Tensor& h, int block, const Adapter* adapter) const;
    at::Tensor add_attended(const at::Tensor& h, const at::Tensor& attended, int block, const Adapter* adapter) const;
    at::Tensor add_mlp(const at::Tensor& h, int block, const Adapter* adapter) const;
    Rotation rotation(const at::Tensor& positions) const;
    void prepare_backward(int from, int to, bool through_first, const Pulse& pulse) const;

    DecoderConfig config_;
    FrozenLinear embedding_, head_;
    at::Tensor final_norm_;
    std::vector<DecoderBlock> blocks_;
    HeadShape shape_;
    at::Tensor cos_, sin_;   // (context, head_dim / 2)
};

}  // namespace plumbline
