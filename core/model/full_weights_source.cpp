#include "core/model/full_weights_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <stdexcept>

namespace plumbline {

using at::Tensor;

Tensor FullWeightsSource::of_block(const TensorId& id) const {
    const DecoderConfig& c = weights_.config();
    const FullWeights::Block& block = weights_.block(id.block);
    const auto either = [&](const Tensor& weight, BlockVector bias) { return id.bias ? block.vector(bias) : weight; };
    const auto qkv = [&](std::int64_t first, std::int64_t rows) {
        return either(block.qkv, BlockVector::qkv_bias).narrow(0, first, rows);
    };
    const auto norm = [&](BlockVector weight, BlockVector bias) { return block.vector(id.bias ? bias : weight); };
    switch (id.part) {
        case Part::q: return qkv(0, c.query_width());
        case Part::k: return qkv(c.query_width(), c.key_width());
        case Part::v: return qkv(c.query_width() + c.key_width(), c.key_width());
        case Part::o: return either(block.output, BlockVector::output_bias);
        case Part::gate: return either(block.gate_up, BlockVector::gate_up_bias).narrow(0, 0, c.mlp);
        case Part::up: return either(block.gate_up, BlockVector::gate_up_bias).narrow(0, c.gated ? c.mlp : 0, c.mlp);
        case Part::down: return either(block.down, BlockVector::down_bias);
        case Part::attention_norm: return norm(BlockVector::attention_norm, BlockVector::attention_norm_bias);
        case Part::mlp_norm: return norm(BlockVector::mlp_norm, BlockVector::mlp_norm_bias);
        case Part::q_norm: return block.vector(BlockVector::q_norm);
        case Part::k_norm: return block.vector(BlockVector::k_norm);
        case Part::attention_post_norm: return block.vector(BlockVector::attention_post_norm);
        case Part::mlp_post_norm: return block.vector(BlockVector::mlp_post_norm);
        default: return {};
    }
}

Tensor FullWeightsSource::of(const TensorId& id) const {
    switch (id.part) {
        case Part::embedding: return weights_.embedding();
        case Part::positions: return weights_.positions();
        case Part::output: return weights_.output_layer();
        case Part::final_norm: return id.bias ? weights_.final_norm_bias({}) : weights_.final_norm({});
        default: return of_block(id);
    }
}

void FullWeightsSource::read(const TensorId& id, std::span<float> out) const {
    const Tensor tensor = of(id);
    if (!tensor.defined() || tensor.numel() != static_cast<std::int64_t>(out.size())) {
        throw std::logic_error("the policy's " + to_string(id) + " does not have the size that is written");
    }
    const Tensor plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
    std::copy_n(plain.const_data_ptr<float>(), out.size(), out.data());
}

}  // namespace plumbline
