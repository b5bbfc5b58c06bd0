#include "core/model/decoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <span>

#include "core/model/kv_cache.h"

namespace plumbline {

using at::Tensor;

struct Decoder::Projections {
    Tensor q;      // (N, H, d)
    Tensor k, v;   // (N, KV, d)
};

Decoder::Decoder(const DecoderConfig& config, FrozenLinear embedding, FrozenLinear head, Tensor final_norm,
                 std::vector<DecoderBlock> blocks)
    : config_(config),
      embedding_(std::move(embedding)),
      head_(std::move(head)),
      final_norm_(std::move(final_norm)),
      blocks_(std::move(blocks)) {
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
    return at::rms_norm(h, {config_.hidden}, adapter ? adapter->final_norm(final_norm_) : final_norm_, config_.norm_eps);
}

Tensor Decoder::logits(const Tensor& h, const Adapter* adapter) const {
    const Tensor x = final_norm(h, adapter);
    return adapter && adapter->owns_embedding() ? at::linear(x, adapter->output_layer()) : head()(x);   // (N, V)
}

Tensor Decoder::linear(const FrozenLinear& frozen, const Tensor& x, int block, BlockProduct which,
                       const Adapter* adapter) const {
    return adapter ? adapter->linear(frozen, x, block, which) : frozen(x);
}

Tensor Decoder::block_norm(const Tensor& h, int block, BlockNorm which, const Adapter* adapter) const {
    const Tensor& frozen = which == BlockNorm::attention ? blocks_[block].attention_norm : blocks_[block].mlp_norm;
    return at::rms_norm(h, {config_.hidden}, adapter ? adapter->norm(frozen, block, which) : frozen, config_.norm_eps);
}

// Halves are rotated against each other: the pairing of the transformers library, not of GGUF's row order.
Tensor Decoder::rotate(const Tensor& x, const Tensor& cos, const Tensor& sin) const {
    const std::int64_t half = config_.head_dim / 2;
    const Tensor x1 = x.narrow(2, 0, half), x2 = x.narrow(2, half, half);
    return at::cat({x1 * cos - x2 * sin, x2 * cos + x1 * sin}, 2);
}

Decoder::Projections Decoder::project(const Tensor& x, const Tensor& positions, int block,
                                      const Adapter* adapter) const {
    const std::int64_t n = x.size(0), d = config_.head_dim, q_out = config_.heads * d, kv_out = config_.kv_heads * d;
    const Tensor qkv = linear(blocks_[block].qkv, x, block, BlockProduct::qkv, adapter);   // (N, (H + 2 KV) d)
    Tensor q = qkv.narrow(1, 0, q_out), k = qkv.narrow(1, q_out, kv_out), v = qkv.narrow(1, q_out + kv_out, kv_out);
    if (adapter) {
        q = adapter->add_to(q, x, block, LinearSite::q);
        k = adapter->add_to(k, x, block, LinearSite::k);
        v = adapter->add_to(v, x, block, LinearSite::v);
    }
    const Tensor cos = cos_.index_select(0, positions).unsqueeze(1);   // (N, 1, d/2)
    const Tensor sin = sin_.index_select(0, positions).unsqueeze(1);
    return {rotate(q.reshape({n, config_.heads, d}), cos, sin), rotate(k.reshape({n, config_.kv_heads, d}), cos, sin),
            v.reshape({n, config_.kv_heads, d})};
}

Tensor Decoder::attention_output(const Tensor& h, const Tensor& attended, int block, const Adapter* adapter) const {
    Tensor out = linear(blocks_[block].output, attended, block, BlockProduct::output, adapter);
    if (adapter) {
        out = adapter->add_to(out, attended, block, LinearSite::o);
    }
    return h + out;
}

Tensor Decoder::mlp(const Tensor& h, int block, const Adapter* adapter) const {
    const Tensor x = block_norm(h, block, BlockNorm::mlp, adapter);
    const Tensor both = linear(blocks_[block].gate_up, x, block, BlockProduct::gate_up, adapter);   // (N, 2 mlp)
    Tensor gate = both.narrow(1, 0, config_.mlp), up = both.narrow(1, config_.mlp, config_.mlp);
    if (adapter) {
        gate = adapter->add_to(gate, x, block, LinearSite::gate);
        up = adapter->add_to(up, x, block, LinearSite::up);
    }
    const Tensor inner = at::silu(gate) * up;
    Tensor out = linear(blocks_[block].down, inner, block, BlockProduct::down, adapter);
    if (adapter) {
        out = adapter->add_to(out, inner, block, LinearSite::down);
    }
    return h + out;
}

namespace {

// Causal attention within each run and to its prompt, one product for neighbours of one shape: q (N, H, d), k and v
// (N, KV, d) -> (N, H * d).
Tensor attend_packed(const Tensor& q, const Tensor& k, const Tensor& v, std::span<const CausalRun> runs) {
    const std::int64_t per_kv = q.size(1) / k.size(1);
    const Tensor keys = per_kv == 1 ? k : k.repeat_interleave(per_kv, 1);     // (N, H, d)
    const Tensor values = per_kv == 1 ? v : v.repeat_interleave(per_kv, 1);
    const auto alike = [](const CausalRun& a, const CausalRun& b) {
        return a.rows == b.rows && a.prompt_rows == b.prompt_rows &&
               (a.prompt_rows == 0 || a.prompt_begin == b.prompt_begin);
    };
    std::vector<Tensor> out;
    for (std::size_t first = 0, end = 0; first < runs.size(); first = end) {
        const CausalRun& run = runs[first];
        for (end = first + 1; end < runs.size() && alike(runs[end], run);) ++end;
        const auto n = static_cast<std::int64_t>(end - first);
        if (run.rows == 0) {
            continue;   // replies of no token
        }
        const auto of_runs = [&](const Tensor& t) {   // (n, H, T, d)
            return t.narrow(0, run.begin, n * run.rows).reshape({n, run.rows, t.size(1), t.size(2)}).transpose(1, 2);
        };
        const auto after_prompt = [&](const Tensor& t) {   // (n, H, P + T, d)
            const Tensor prompt = t.narrow(0, run.prompt_begin, run.prompt_rows).transpose(0, 1).unsqueeze(0);
            return at::cat({prompt.expand({n, -1, -1, -1}), of_runs(t)}, 2);
        };
        Tensor attended;
        if (run.prompt_rows == 0) {
            attended = at::scaled_dot_product_attention(of_runs(q), of_runs(keys), of_runs(values), {}, 0.0,
                                                        /*is_causal=*/true);
        } else {
            const Tensor seen = at::ones({run.rows, run.prompt_rows + run.rows}, q.options().dtype(at::kBool))
                                    .tril(run.prompt_rows);
            attended = at::scaled_dot_product_attention(of_runs(q), after_prompt(keys), after_prompt(values), seen);
        }
        out.push_back(attended.transpose(1, 2).reshape({n * run.rows, q.size(1), q.size(2)}));   // (nT, H, d)
    }
    return at::cat(out, 0).reshape({q.size(0), q.size(1) * q.size(2)});
}

}  // namespace

Tensor Decoder::run(Tensor h, const PackedBatch& batch, int from, int to, const Adapter* adapter,
                    const Pulse& pulse) const {
    const Tensor positions = batch.positions.to(device(), /*non_blocking=*/true);
    for (int block = from; block < to; ++block) {
        pulse.check();
        if (h.requires_grad() && at::GradMode::is_enabled()) {
            h.register_hook([&pulse](const Tensor& grad) {
                pulse();
                return grad;
            });
        }
        const Tensor x = block_norm(h, block, BlockNorm::attention, adapter);
        const Projections p = project(x, positions, block, adapter);
        h = attention_output(h, attend_packed(p.q, p.k, p.v, batch.runs), block, adapter);
        h = mlp(h, block, adapter);
    }
    return h;
}

Tensor Decoder::prefill(const Tensor& ids, KvCache& cache, const Adapter* adapter, const Pulse& pulse) const {
    const std::int64_t length = ids.size(0);
    KvCache::Group& group = cache.last_group();
    const Tensor positions = at::arange(length, at::TensorOptions(at::kLong).device(device()));
    Tensor h = embed(ids, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        pulse.check();
        const Tensor x = block_norm(h, block, BlockNorm::attention, adapter);
        const Projections p = project(x, positions, block, adapter);
        group.k.push_back(p.k.transpose(0, 1).contiguous());   // (KV, P, d)
        group.v.push_back(p.v.transpose(0, 1).contiguous());
        h = attention_output(h, attend_packed(p.q, p.k, p.v, std::array{CausalRun{0, length}}), block, adapter);
        h = mlp(h, block, adapter);
    }
    return h.narrow(0, length - 1, 1);
}

Tensor Decoder::step(const Tensor& ids, KvCache& cache, const Adapter* adapter) const {
    const Tensor positions = cache.positions().to(device(), /*non_blocking=*/true);
    Tensor h = embed(ids, adapter);
    for (int block = 0; block < config_.blocks; ++block) {
        const Tensor x = block_norm(h, block, BlockNorm::attention, adapter);
        const Projections p = project(x, positions, block, adapter);
        h = attention_output(h, cache.attend(block, p.q, p.k, p.v), block, adapter);
        h = mlp(h, block, adapter);
    }
    cache.advance();
    return h;
}

}  // namespace plumbline
