#pragma once
// Low-rank adapters (LoRA, 2106.09685): y = W x + scale * B (A x) on the linear layers of each adapted block, as the
// model's family has them: one for q, k and v where they are one matrix in its files.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/api/configs.h"
#include "core/model/adapter.h"
#include "core/model/families/family.h"
#include "core/model/lora_product.h"

namespace plumbline {

struct PeftAdapter;

/// The first block with an adapter; by default the upper half has them. Not below the model's blocks: not checked.
int first_lora_block(const LoraConfig& config, const DecoderConfig& model);

/// The weights of one adapter. A value that shares tensors when copied; clone() copies them.
class LoraAdapter : public Adapter {
  public:
    LoraAdapter() = default;   // of no block
    /// A ~ kaiming-uniform(sqrt 5) from `seed`, B = 0: the adapted model starts as the backbone.
    static LoraAdapter fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed,
                             at::Device device = at::kCPU);
    /// Throws Error when a matrix does not fit the model.
    static LoraAdapter from_peft(const DecoderConfig& model, const PeftAdapter& peft, at::Device device = at::kCPU);
    void to_peft(PeftAdapter& peft) const;

    /// The same weights in tensors of their own, without gradients.
    LoraAdapter clone() const;
    std::unique_ptr<Adapter> copy() const override;
    std::unique_ptr<Adapter> laid_out() const override;

    /// The frozen product plus scale * B A x of each of its adapted layers.
    at::Tensor linear(const FrozenLinear& frozen, const LinearInput& input, int block,
                      BlockProduct which) const override;

    int first_block() const override { return first_block_; }
    double scale() const { return scale_; }
    /// All matrices in a fixed order (block, layer, A before B).
    std::vector<at::Tensor> tensors() const override;
    std::vector<std::string> tensor_names() const override;   // "blocks.15.q_proj.lora_A"
    /// Every B times `factor`.
    void shrink(double factor) override;

  private:
    explicit LoraAdapter(const DecoderConfig& model);

    std::vector<LinearModule> modules_;   // of every block, in the order of the products
    std::vector<std::vector<std::int64_t>> places_;   // of each: where B's rows stand in a file; empty: in their order
    int rank_ = 0, first_block_ = 0;
    double alpha_ = 0, scale_ = 0;
    bool rslora_ = false;
    std::vector<std::array<LoraStack, block_products>> stacks_;   // [block][product]; no parts: nothing adapted

    using Pair = std::pair<at::Tensor, at::Tensor>;   // A (r, in), B (out, r); undefined: not adapted
    void add_block(const std::vector<Pair>& pairs);   // one for each module
    std::string path(int block, std::size_t module) const;
    /// work(block, part) of every adapted layer, in the order of tensors().
    template <typename Work>
    void for_each(const Work& work) const;
};

}  // namespace plumbline
