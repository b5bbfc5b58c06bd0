#include "core/model/full_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/api/errors.h"
#include "core/model/decoder.h"

namespace plumbline {

using at::Tensor;

FullWeights FullWeights::of(const Decoder& backbone) {
    const DecoderConfig& c = backbone.config();
    if (c.parameters() > most_parameters) {
        throw ConfigError("settings", "the model has " + std::to_string(c.parameters()) +
                                          " weights, too many to train all of them (" +
                                          std::to_string(most_parameters) + "); use weights=lora");
    }
    FullWeights out;
    out.config_ = c;
    out.embedding_ = backbone.embedding().dense();
    out.head_ = c.tied_embeddings ? Tensor() : backbone.head().dense();
    out.final_norm_ = backbone.final_norm_weight().clone();
    for (int i = 0; i < c.blocks; ++i) {
        const DecoderBlock& b = backbone.block(i);
        out.blocks_.push_back({b.attention_norm.clone(), b.mlp_norm.clone(), b.qkv.dense(), b.output.dense(),
                               b.gate_up.dense(), b.down.dense()});
    }
    for (const Tensor& t : out.tensors()) {
        out.start_.push_back(t.clone());
    }
    return out;
}

FullWeights FullWeights::fresh(const DecoderConfig& c, std::uint64_t seed) {
    auto generator = at::detail::createCPUGenerator(seed);
    const double deviation = 0.02, residual = deviation / std::sqrt(2.0 * c.blocks);
    const auto normal = [&](std::int64_t out, std::int64_t in, double sd) {
        return at::empty({out, in}, at::kFloat).normal_(0, sd, generator);
    };
    FullWeights w;
    w.config_ = c;
    w.embedding_ = normal(c.vocab, c.hidden, deviation);
    w.head_ = c.tied_embeddings ? Tensor() : normal(c.vocab, c.hidden, deviation);
    w.final_norm_ = at::ones({c.hidden}, at::kFloat);
    for (int i = 0; i < c.blocks; ++i) {
        w.blocks_.push_back({at::ones({c.hidden}, at::kFloat), at::ones({c.hidden}, at::kFloat),
                             normal((c.heads + 2 * c.kv_heads) * c.head_dim, c.hidden, deviation),
                             normal(c.hidden, c.heads * c.head_dim, residual),
                             normal(2 * c.mlp, c.hidden, deviation), normal(c.hidden, c.mlp, residual)});
    }
    return w;
}

std::unique_ptr<Adapter> FullWeights::copy() const {
    auto out = std::make_unique<FullWeights>(*this);
    const auto own = [](Tensor& t) { t = t.defined() ? t.detach().clone() : t; };
    own(out->embedding_);
    own(out->head_);
    own(out->final_norm_);
    for (Block& b : out->blocks_) {
        for (Tensor* t : {&b.attention_norm, &b.mlp_norm, &b.qkv, &b.output, &b.gate_up, &b.down}) {
            own(*t);
        }
    }
    return out;
}

std::vector<Tensor> FullWeights::tensors() const {
    std::vector<Tensor> out{embedding_};
    if (head_.defined()) {
        out.push_back(head_);
    }
    out.push_back(final_norm_);
    for (const Block& b : blocks_) {
        out.insert(out.end(), {b.attention_norm, b.mlp_norm, b.qkv, b.output, b.gate_up, b.down});
    }
    return out;
}

std::vector<std::string> FullWeights::tensor_names() const {
    std::vector<std::string> out{"embedding"};
    if (head_.defined()) {
        out.push_back("output");
    }
    out.push_back("final_norm");
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        for (const char* name : {"attention_norm", "mlp_norm", "qkv", "output", "gate_up", "down"}) {
            out.push_back("blocks." + std::to_string(i) + "." + name);
        }
    }
    return out;
}

void FullWeights::shrink(double factor) {
    at::NoGradGuard no_grad;
    const std::vector<Tensor> all = tensors();
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].mul_(factor);
        if (!start_.empty()) {
            all[i].add_(start_[i], 1 - factor);
        }
    }
}

Tensor FullWeights::linear(const FrozenLinear&, const LinearInput& input, int block, BlockProduct which) const {
    const Block& b = blocks_[block];
    const Tensor x = input.value();
    switch (which) {
        case BlockProduct::qkv: return at::linear(x, b.qkv);
        case BlockProduct::output: return at::linear(x, b.output);
        case BlockProduct::gate_up: return at::linear(x, b.gate_up);
        default: return at::linear(x, b.down);
    }
}

Tensor FullWeights::norm(const Tensor&, int block, BlockNorm which) const {
    return which == BlockNorm::attention ? blocks_[block].attention_norm : blocks_[block].mlp_norm;
}

}  // namespace plumbline
