#include "core/model/full_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
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
    const auto copy = [](const Tensor& t) { return t.defined() ? t.clone() : t; };
    const DecoderEnds& ends = backbone.ends();
    out.embedding_ = ends.embedding.dense();
    out.head_ = c.tied_embeddings ? Tensor() : ends.head.dense();
    out.final_norm_ = ends.final_norm.clone();
    out.final_norm_bias_ = copy(ends.final_norm_bias);
    out.positions_ = copy(ends.positions);
    for (int i = 0; i < c.blocks; ++i) {
        const DecoderBlock& b = backbone.block(i);
        Block& own = out.blocks_.emplace_back();
        own = {b.qkv.dense(), b.output.dense(), b.gate_up.dense(), b.down.dense(), {}};
        std::ranges::transform(b.vectors, own.vectors.begin(), copy);
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
        Block& block = w.blocks_.emplace_back();
        block.qkv = normal((c.heads + 2 * c.kv_heads) * c.head_dim, c.hidden, deviation);
        block.output = normal(c.hidden, c.heads * c.head_dim, residual);
        block.gate_up = normal(2 * c.mlp, c.hidden, deviation);
        block.down = normal(c.hidden, c.mlp, residual);
        for (const BlockVector norm : {BlockVector::attention_norm, BlockVector::mlp_norm}) {
            block.vectors[static_cast<std::size_t>(norm)] = at::ones({c.hidden}, at::kFloat);
        }
    }
    return w;
}

template <typename Self, typename Work>
void FullWeights::for_each(Self& self, const Work& work) {
    const auto visit = [&](const std::string& name, auto& t) {
        if (t.defined()) {
            work(name, t);
        }
    };
    visit("embedding", self.embedding_);
    visit("output", self.head_);
    visit("final_norm", self.final_norm_);
    visit("final_norm_bias", self.final_norm_bias_);
    visit("positions", self.positions_);
    constexpr std::array<const char*, block_vectors> vector_names = {
        "attention_norm", "mlp_norm", "attention_norm_bias", "mlp_norm_bias", "qkv_bias", "output_bias",
        "gate_up_bias", "down_bias", "q_norm", "k_norm", "attention_post_norm", "mlp_post_norm"};
    constexpr std::size_t before_products = 2;   // an order that stored projects know
    for (std::size_t i = 0; i < self.blocks_.size(); ++i) {
        auto& b = self.blocks_[i];
        const std::string at_block = "blocks." + std::to_string(i) + ".";
        for (std::size_t v = 0; v < before_products; ++v) {
            visit(at_block + vector_names[v], b.vectors[v]);
        }
        visit(at_block + "qkv", b.qkv);
        visit(at_block + "output", b.output);
        visit(at_block + "gate_up", b.gate_up);
        visit(at_block + "down", b.down);
        for (std::size_t v = before_products; v < b.vectors.size(); ++v) {
            visit(at_block + vector_names[v], b.vectors[v]);
        }
    }
}

std::unique_ptr<Adapter> FullWeights::copy() const {
    auto out = std::make_unique<FullWeights>(*this);
    for_each(*out, [](const std::string&, Tensor& t) { t = t.detach().clone(); });
    return out;
}

std::vector<Tensor> FullWeights::tensors() const {
    std::vector<Tensor> out;
    for_each(*this, [&](const std::string&, const Tensor& t) { out.push_back(t); });
    return out;
}

std::vector<std::string> FullWeights::tensor_names() const {
    std::vector<std::string> out;
    for_each(*this, [&](const std::string& name, const Tensor&) { out.push_back(name); });
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

Tensor FullWeights::vector(const Tensor&, int block, BlockVector which) const { return blocks_[block].vector(which); }

}  // namespace plumbline
