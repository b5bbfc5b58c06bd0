#pragma once
// Low-rank adapters (LoRA, 2106.09685): y = W x + scale * B (A x) on the seven linear layers of each adapted block.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/api/configs.h"
#include "core/model/adapter.h"
#include "core/model/lora_product.h"

namespace plumbline {

struct PeftAdapter;

std::string_view peft_name(LinearSite site);          // "q_proj"
std::int64_t in_features(const DecoderConfig& config, LinearSite site);
std::int64_t out_features(const DecoderConfig& config, LinearSite site);
/// The first block with an adapter; by default the upper half has them. Not below the model's blocks: not checked.
int first_lora_block(const LoraConfig& config, const DecoderConfig& model);

/// One adapted layer. Undefined tensors: this layer is not adapted.
struct LoraPair {
    at::Tensor a;   // (r, in)
    at::Tensor b;   // (out, r)
};

/// The weights of one adapter. A value that shares tensors when copied; clone() copies them.
class LoraAdapter : public Adapter {
  public:
    /// A ~ kaiming-uniform(sqrt 5) from `seed`, B = 0: the adapted model starts as the backbone.
    static LoraAdapter fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed,
                             at::Device device = at::kCPU);
    /// Throws Error when a matrix does not fit the model.
    static LoraAdapter from_peft(const DecoderConfig& model, const PeftAdapter& peft);
    void to_peft(PeftAdapter& peft) const;

    /// The same weights in tensors of their own, without gradients.
    LoraAdapter clone() const;
    std::unique_ptr<Adapter> copy() const override;

    /// The frozen product plus scale * B A x of each of its adapted layers.
    at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int block,
                      BlockProduct which) const override;

    int first_block() const override { return first_block_; }
    double scale() const { return scale_; }
    const LoraPair& pair(int block, LinearSite site) const { return pairs_[block][static_cast<int>(site)]; }
    /// All matrices in a fixed order (block, site, A before B).
    std::vector<at::Tensor> tensors() const override;
    std::vector<std::string> tensor_names() const override;   // "blocks.15.q_proj.lora_A"
    /// Every B times `factor`.
    void shrink(double factor) override;

  private:
    int rank_ = 0, first_block_ = 0;
    double alpha_ = 0, scale_ = 0;
    bool rslora_ = false;
    std::vector<std::array<LoraPair, linear_sites>> pairs_;   // [block][site]; A is part of its stack's
    std::vector<std::array<LoraStack, block_products>> stacks_;   // [block][product]; empty: nothing adapted

    void stack(const DecoderConfig& model);
    void restack(std::size_t block, LoraStack& stack);
};

}  // namespace plumbline
