#include "core/model/decoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <span>

#include "core/model/kv_cache.h"

namespace plumbline {

using at::Tensor;

Decoder::Decoder(const DecoderConfig& config, FrozenLinear embedding, FrozenLinear head, Tensor final_norm,
                 std::vector<DecoderBlock> blocks)
    : config_(config),
      embedding_(std::move(embedding)),
      head_(std::move(head)),
      final_norm_(std::move(final_norm)),
      blocks_(std::move(blocks)),
      shape_{config.heads, config.kv_heads, config.head_dim} {
    const Tensor powers = at::arange(0, config.head_dim, 2, at::kDouble) / static_cast<double>(config.head_dim);
    const Tensor frequencies = at::pow(config.rope_theta, powers).reciprocal();                       // (d/2)
    const Tensor angles = at::outer(at::arange(config.context, at::kDouble), frequencies);            // (context, d/2)
    const at::Device device = final_norm_.defined() ? final_norm_.device() : at::Device(at::kCPU);   // none: all trained
    cos_ = angles.cos().to(device, at::kFloat);
    sin_ = angles.sin().to(device, at::kFloat);
}

Tensor Decoder::embed(const Tensor& ids, const Adapter* adapter) const {
    const Tensor here = ids.to(device(), /*non_blocking=*/true);
    return adapter && adapter->owns_embedding() ? at::embedding(adapter->embedding(), here) : embedding_.rows(here);
}

Tensor Decoder::final_norm(const Tensor& h, const Adapter* adapter) const {
    return LinearInput{h, LinearInput::Kind::rms_norm, adapter ? adapter->final_norm(final_norm_) : final_norm_,
                       config_.norm_eps}
        .value();
}

Tensor Decoder::logits(const Tensor& h, const Adapter* adapter) const {
    const Tensor x = final_norm(h, adapter);
    return adapter && adapter->owns_embedding() ? at::linear(x, adapter->output_layer()) : head()(x);   // (N, V)
}

Tensor Decoder::linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which,
                       const Adapter* adapter) const {
    return adapter ? adapter->linear(frozen, input, block, which) : frozen(input.value());
}

LinearInput Decoder::normed(const Tensor& h, int block, BlockNorm which, const Adapter* adapter) const {
    const Tensor& frozen = which == BlockNorm::attention ? blocks_[block].attention_norm : blocks_[block].mlp_norm;
    return {h, LinearInput::Kind::rms_norm, adapter ? adapter->norm(frozen, block, which) : frozen, config_.norm_eps};
}

Rotation Decoder::rotation(const Tensor& positions) const {
    return {cos_.index_select(0, positions), sin_.index_select(0, positions)};   // (N, d/2)
}

Tensor Decoder::project(const Tensor& h, int block, const Adapter* adapter) const {
    return linear(blocks_[block].qkv, normed(h, block, BlockNorm::attention, adapter), block, BlockProduct::qkv,
                  adapter);   // (N, (H + 2 KV) d)
}

Tensor Decoder::add_attended(const Tensor& h, const Tensor& attended, int block, const Adapter* adapter) const {
    return h + linear(blocks_[block].output, {attended}, block, BlockProduct::output, adapter);
}

Tensor Decoder::add_mlp(const Tensor& h, int block, const Adapter* adapter) const {
    const Tensor gate_up = linear(blocks_[block].gate_up, normed(h, block, BlockNorm::mlp, adapter), block,
                                  BlockProduct::gate_up, adapter);   // (N, 2 mlp)
    return h + linear(blocks_[block].down, {gate_up, LinearInput::Kind::swiglu}, block, BlockProduct::down, adapter);
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
    const Rotation turned = rotation(batch.positions.to(device(), /*non_blocking=*/true));
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
        const Tensor attended = attention(project(h, block, adapter), turned, batch.runs, shape_);
        h = add_mlp(add_attended(h, attended, block, adapter), block, adapter);
    }
    return h;
}

Tensor Decoder::prefill(const Tensor& ids, KvCache& cache, const Adapter* adapter, const Pulse& pulse) const {
    const std::int64_t length = ids.size(0);
    const Rotation turned = rotation(at::arange(length, at::TensorOptions(at::kLong).device(device())));
    Tensor h = embed(ids, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        pulse.check();
        const Tensor qkv = rotate(project(h, block, adapter), turned, shape_.heads + shape_.kv_heads);
        cache.keep_prompt(qkv);
        const Tensor attended = attend(qkv, std::array{CausalRun{0, length}}, shape_);
        h = add_mlp(add_attended(h, attended, block, adapter), block, adapter);
    }
    return h.narrow(0, length - 1, 1);
}

Tensor Decoder::step(const Tensor& ids, KvCache& cache, const Adapter* adapter) const {
    const Rotation turned = rotation(cache.positions().to(device(), /*non_blocking=*/true));
    Tensor h = embed(ids, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        const Tensor qkv = rotate(project(h, block, adapter), turned, shape_.heads + shape_.kv_heads);
        h = add_mlp(add_attended(h, cache.attend(block, qkv), block, adapter), block, adapter);
    }
    cache.advance();
    return h;
}

}  // namespace plumbline
