#pragma once
// All weights of a small model, trainable: what pre-training makes, and a policy of a model too small for low-rank
// adapters.

#include <array>
#include <cstdint>

#include "core/model/adapter.h"

namespace plumbline {

class Decoder;

/// The layout is the decoder's: q, k, v as one matrix, gate and up as another.
class FullWeights : public Adapter {
  public:
    static constexpr std::int64_t most_parameters = 20'000'000;

    /// A copy of the backbone: the policy starts as the reference. Throws ConfigError for a model of more than
    /// `most_parameters`.
    static FullWeights of(const Decoder& backbone);
    /// A new model: weights ~ N(0, 0.02), the two that write to the residual stream ~ N(0, 0.02 / sqrt(2 blocks))
    /// (GPT-2), norms 1.
    static FullWeights fresh(const DecoderConfig& model, std::uint64_t seed);

    struct Block {
        at::Tensor qkv, output, gate_up, down;         // ((H + 2 KV) d, D), (D, H d), (2 mlp, D), (D, mlp)
        std::array<at::Tensor, block_vectors> vectors; // by BlockVector; undefined: the family has none

        const at::Tensor& vector(BlockVector which) const { return vectors[static_cast<std::size_t>(which)]; }
    };
    const DecoderConfig& config() const { return config_; }
    const Block& block(int i) const { return blocks_[i]; }

    std::unique_ptr<Adapter> copy() const override;
    int first_block() const override { return 0; }
    bool owns_embedding() const override { return true; }
    std::vector<at::Tensor> tensors() const override;
    std::vector<std::string> tensor_names() const override;
    void shrink(double factor) override;

    at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int block,
                      BlockProduct which) const override;
    at::Tensor vector(const at::Tensor& frozen, int block, BlockVector which) const override;
    at::Tensor final_norm(const at::Tensor&) const override { return final_norm_; }
    at::Tensor final_norm_bias(const at::Tensor&) const override { return final_norm_bias_; }
    at::Tensor positions() const override { return positions_; }
    at::Tensor embedding() const override { return embedding_; }
    at::Tensor output_layer() const override { return head_.defined() ? head_ : embedding_; }

  private:
    DecoderConfig config_;
    /// work(name, tensor) of every tensor that there is, in the order of tensors().
    template <typename Self, typename Work>
    static void for_each(Self& self, const Work& work);

    at::Tensor embedding_, head_, final_norm_;   // head_ undefined: tied
    at::Tensor final_norm_bias_, positions_;     // undefined: the family has none
    std::vector<Block> blocks_;
    std::vector<at::Tensor> start_;              // of(): the backbone's values, for shrink(); empty: zeros
};

}  // namespace plumbline
