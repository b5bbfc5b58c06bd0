#include "core/model/decoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/model/kv_cache.h"

namespace plumbline {

using at::Tensor;

namespace {

// cos and sin of every position in the context, (context, dims / 2).
Rotation rotation_of(const Rope& rope, const DecoderConfig& c, at::Device device) {
    const Tensor frequencies = at::tensor(rope.frequencies(c.turned()), at::kDouble);
    const Tensor angles = at::outer(at::arange(c.context, at::kDouble), frequencies);
    return {(angles.cos() * rope.magnitude).to(device, at::kFloat),
            (angles.sin() * rope.magnitude).to(device, at::kFloat), c.head_dim};
}

// Outside the Llama family; plain tensors, differentiable.
Tensor activated(const Tensor& gate_up, const DecoderConfig& c) {
    const Tensor gate = gate_up.narrow(1, 0, c.mlp);
    const Tensor on = c.activation == Activation::silu   ? at::silu(gate)
                      : c.activation == Activation::relu ? at::relu(gate)
                      : at::gelu(gate, c.activation == Activation::gelu_tanh ? "tanh" : "none");
    return c.gated ? on * gate_up.narrow(1, c.mlp, c.mlp) : on;
}

bool has_bias(const DecoderConfig& c, BlockProduct product) {
    switch (product) {
        case BlockProduct::qkv: return c.qkv_bias;
        case BlockProduct::output: return c.output_bias;
        default: return c.mlp_bias;
    }
}

BlockVector bias_of(BlockProduct product) {
    constexpr std::array biases = {BlockVector::qkv_bias, BlockVector::output_bias, BlockVector::gate_up_bias,
                                   BlockVector::down_bias};
    return biases[static_cast<std::size_t>(product)];
}

}  // namespace

Decoder::Decoder(const DecoderConfig& config, DecoderEnds ends, std::vector<DecoderBlock> blocks)
    : config_(config), ends_(std::move(ends)), blocks_(std::move(blocks)) {
    const at::Device device =
        ends_.final_norm.defined() ? ends_.final_norm.device() : at::Device(at::kCPU);   // none: all trained
    usual_ = rotation_of(config.rope, config, device);
    const auto is_local = [](const BlockPositions& p) { return p.turn == BlockPositions::Turn::local; };
    if (std::ranges::any_of(config.positions, is_local)) {
        local_ = rotation_of(config.local_rope, config, device);
    }
    if (config.attention_scale > 0) {
        query_scale_ = config.attention_scale * std::sqrt(static_cast<double>(config.head_dim));
    }
}

Tensor Decoder::embed(const PackedBatch& batch, const Adapter* adapter) const {
    return embed(batch.ids, batch.positions, adapter);
}

Tensor Decoder::embed(const Tensor& ids, const Tensor& positions, const Adapter* adapter) const {
    const Tensor here = ids.to(device(), /*non_blocking=*/true);
    const bool own = adapter && adapter->owns_embedding();
    Tensor h = own ? at::embedding(adapter->embedding(), here) : ends_.embedding.rows(here);   // (N, D)
    if (config_.embedding_scale != 1) {
        h = h * config_.embedding_scale;
    }
    if (config_.learned_positions > 0) {
        const Tensor rows = positions.to(device(), /*non_blocking=*/true) + config_.first_position;
        h = h + at::embedding(own ? adapter->positions() : ends_.positions, rows);
    }
    return h;
}

Tensor Decoder::final_norm(const Tensor& h, const Adapter* adapter) const {
    const Tensor weight = adapter ? adapter->final_norm(ends_.final_norm) : ends_.final_norm;
    if (config_.norm == NormKind::layer) {
        return at::layer_norm(h, {h.size(1)}, weight,
                              adapter ? adapter->final_norm_bias(ends_.final_norm_bias) : ends_.final_norm_bias,
                              config_.norm_eps);
    }
    return LinearInput{h, LinearInput::Kind::rms_norm, weight, config_.norm_eps}.value();
}

Tensor Decoder::logits(const Tensor& h, const Adapter* adapter) const {
    const Tensor x = final_norm(h, adapter);
    const Tensor logits = adapter && adapter->owns_embedding() ? at::linear(x, adapter->output_layer()) : head()(x);
    return config_.logit_cap > 0 ? config_.logit_cap * at::tanh(logits / config_.logit_cap) : logits;   // (N, V)
}

Tensor Decoder::vector(int block, BlockVector which, const Adapter* adapter) const {
    const Tensor& frozen = blocks_[block].vector(which);
    return adapter ? adapter->vector(frozen, block, which) : frozen;
}

Tensor Decoder::linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                       const Adapter* adapter) const {
    const Tensor y = adapter ? adapter->linear(frozen, input, block, which) : frozen(input);
    return has_bias(config_, which) ? y + vector(block, bias_of(which), adapter) : y;
}

Tensor Decoder::raw_linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                           const Adapter* adapter) const {
    const bool plain = !adapter && !at::GradMode::is_enabled() && !has_bias(config_, which);
    return plain ? frozen.raw_product(input) : linear(frozen, input, block, which, adapter);
}

LinearInput Decoder::normed(const Tensor& h, int block, BlockVector weight, BlockVector bias,
                            const Adapter* adapter) const {
    if (!config_.pre_norms) {
        return {h};
    }
    if (config_.norm == NormKind::layer) {
        return {at::layer_norm(h, {h.size(1)}, vector(block, weight, adapter), vector(block, bias, adapter),
                               config_.norm_eps)};
    }
    return {h, LinearInput::Kind::rms_norm, vector(block, weight, adapter), config_.norm_eps};
}

Tensor Decoder::post_normed(const Tensor& h, int block, BlockVector weight, const Adapter* adapter) const {
    if (!config_.post_norms) {
        return h;
    }
    return LinearInput{h, LinearInput::Kind::rms_norm, vector(block, weight, adapter), config_.norm_eps}.value();
}

Decoder::Rotations Decoder::rotations(const Tensor& positions) const {
    const auto of = [&](const Rotation& all) {   // (N, turned / 2)
        return Rotation{all.cos.index_select(0, positions), all.sin.index_select(0, positions), all.head_dim};
    };
    return {of(usual_), local_.cos.defined() ? of(local_) : Rotation{}};
}

const Rotation& Decoder::turn(const Rotations& rotations, int block) const {
    static const Rotation none;
    switch (config_.positions_of(block).turn) {
        case BlockPositions::Turn::usual: return rotations.usual;
        case BlockPositions::Turn::local: return rotations.local;
        default: return none;
    }
}

HeadShape Decoder::shape(int block) const {
    return {config_.heads, config_.kv_heads, config_.head_dim, config_.positions_of(block).window,
            config_.attention_cap};
}

Tensor Decoder::project(const Tensor& h, int block, const Adapter* adapter) const {
    const LinearInput input =
        normed(h, block, BlockVector::attention_norm, BlockVector::attention_norm_bias, adapter);
    const Tensor qkv = linear(blocks_[block].qkv, input, block, BlockProduct::qkv, adapter);   // (N, (H + 2 KV) d)
    return config_.qk_norm == QkNorm::none && query_scale_ == 1 ? qkv : norm_heads(qkv, block, adapter);
}

Tensor Decoder::norm_heads(const Tensor& qkv, int block, const Adapter* adapter) const {
    const std::int64_t q_width = config_.query_width(), kv_width = config_.key_width(), n = qkv.size(0);
    Tensor q = qkv.narrow(1, 0, q_width), k = qkv.narrow(1, q_width, kv_width);
    if (config_.qk_norm != QkNorm::none) {
        const auto norm = [&](const Tensor& x, BlockVector which) {   // over a head, or over all of a row
            const std::int64_t width = config_.size_of(which);
            const LinearInput rows{x.reshape({-1, width}), LinearInput::Kind::rms_norm, vector(block, which, adapter),
                                   config_.norm_eps};
            return rows.value().view({n, x.size(1)});
        };
        q = norm(q, BlockVector::q_norm);
        k = norm(k, BlockVector::k_norm);
    }
    return at::cat({query_scale_ == 1 ? q : q * query_scale_, k, qkv.narrow(1, q_width + kv_width, kv_width)}, 1);
}

Tensor Decoder::mlp(const Tensor& h, int block, const Adapter* adapter) const {
    const LinearInput input = normed(h, block, BlockVector::mlp_norm, BlockVector::mlp_norm_bias, adapter);
    const bool swiglu = config_.gated && config_.activation == Activation::silu;
    const auto first = swiglu ? &Decoder::raw_linear : &Decoder::linear;
    const Tensor gate_up =
        (this->*first)(blocks_[block].gate_up, input, block, BlockProduct::gate_up, adapter);   // (N, 2 mlp)
    const LinearInput inner = swiglu ? LinearInput{gate_up, LinearInput::Kind::swiglu}
                                     : LinearInput{activated(gate_up, config_)};
    const auto second = config_.post_norms ? &Decoder::linear : &Decoder::raw_linear;
    return post_normed((this->*second)(blocks_[block].down, inner, block, BlockProduct::down, adapter), block,
                       BlockVector::mlp_post_norm, adapter);
}

Tensor Decoder::finish(const Tensor& h, const Tensor& attended, int block, const Adapter* adapter) const {
    const auto product = config_.post_norms ? &Decoder::linear : &Decoder::raw_linear;
    const Tensor out = post_normed((this->*product)(blocks_[block].output, {attended}, block, BlockProduct::output, adapter),
                                   block, BlockVector::attention_post_norm, adapter);
    const Tensor middle = sum(h, out);
    return sum(middle, mlp(config_.parallel ? h : middle, block, adapter));
}

void Decoder::prepare_backward(int from, int to, bool through_first, const Pulse& pulse) const {
    for (int block = from; block < to; ++block) {
        pulse();   // milliseconds a block, once
        const DecoderBlock& b = blocks_[block];
        if (block > from || through_first) {
            b.qkv.prepare_backward();
        }
        b.output.prepare_backward();
        b.gate_up.prepare_backward();
        b.down.prepare_backward();
    }
}

Tensor Decoder::run(Tensor h, const PackedBatch& batch, int from, int to, const Adapter* adapter,
                    const Pulse& pulse) const {
    const Rotations turned = rotations(batch.positions.to(device(), /*non_blocking=*/true));
    if (adapter && !adapter->owns_embedding() && at::GradMode::is_enabled()) {
        prepare_backward(from, to, h.requires_grad(), pulse);
    }
    for (int block = from; block < to; ++block) {
        pulse.check();
        if (h.requires_grad() && at::GradMode::is_enabled()) {
            h.register_hook([&pulse](const Tensor& grad) {
                pulse();
                return grad;
            });
        }
        const Tensor attended = attention(project(h, block, adapter), turn(turned, block), batch.runs, shape(block));
        h = finish(h, attended, block, adapter);
    }
    return h;
}

Tensor Decoder::prefill(const Tensor& ids, KvCache& cache, const Adapter* adapter, const Pulse& pulse) const {
    const std::int64_t length = ids.size(0), turned_heads = config_.heads + config_.kv_heads;
    const Tensor positions = at::arange(length, at::TensorOptions(at::kLong).device(device()));
    const Rotations turned = rotations(positions);
    Tensor h = embed(ids, positions, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        pulse.check();
        const Tensor qkv = rotate(project(h, block, adapter), turn(turned, block), turned_heads);
        cache.keep_prompt(qkv);
        const Tensor attended = attend(qkv, std::array{CausalRun{0, length}}, shape(block));
        h = finish(h, attended, block, adapter);
    }
    return h.narrow(0, length - 1, 1);
}

Tensor Decoder::step(const Tensor& ids, KvCache& cache, const Adapter* adapter) const {
    const std::int64_t turned_heads = config_.heads + config_.kv_heads;
    const Tensor positions = cache.positions().to(device(), /*non_blocking=*/true);
    const Rotations turned = rotations(positions);
    Tensor h = embed(ids, positions, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        const Tensor qkv = rotate(project(h, block, adapter), turn(turned, block), turned_heads);
        h = finish(h, cache.attend(block, qkv), block, adapter);
    }
    cache.advance();
    return h;
}

}  // namespace plumbline
