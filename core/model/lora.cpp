#include "core/model/lora.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <set>

#include "core/api/errors.h"
#include "core/formats/peft.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::array<std::string_view, linear_sites> names = {"q_proj", "k_proj",  "v_proj",   "o_proj",
                                                             "gate_proj", "up_proj", "down_proj"};

std::string module_path(int block, LinearSite site) {
    const char* parent = site <= LinearSite::o ? ".self_attn." : ".mlp.";
    return "model.layers." + std::to_string(block) + parent + std::string(peft_name(site));
}

PeftMatrix to_matrix(const Tensor& t) {
    const Tensor plain = t.detach().to(at::kCPU, at::kFloat).contiguous();
    const float* data = plain.const_data_ptr<float>();
    return {plain.sizes().vec(), std::vector<float>(data, data + plain.numel())};
}

Tensor to_tensor(const PeftMatrix& matrix) {
    return at::from_blob(const_cast<float*>(matrix.values.data()), matrix.shape, at::kFloat).clone();
}

}  // namespace

std::string_view peft_name(LinearSite site) { return names[static_cast<int>(site)]; }

std::int64_t in_features(const DecoderConfig& config, LinearSite site) {
    switch (site) {
        case LinearSite::o: return config.heads * config.head_dim;
        case LinearSite::down: return config.mlp;
        default: return config.hidden;
    }
}

std::int64_t out_features(const DecoderConfig& config, LinearSite site) {
    switch (site) {
        case LinearSite::q: return config.heads * config.head_dim;
        case LinearSite::k:
        case LinearSite::v: return config.kv_heads * config.head_dim;
        case LinearSite::gate:
        case LinearSite::up: return config.mlp;
        default: return config.hidden;
    }
}

int first_lora_block(const LoraConfig& config, const DecoderConfig& model) {
    return config.lora_first_block < 0 ? model.blocks / 2 : config.lora_first_block;
}

LoraAdapter LoraAdapter::fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed, at::Device device) {
    LoraAdapter adapter;
    adapter.rank_ = config.lora_rank;
    adapter.alpha_ = config.lora_alpha;
    adapter.scale_ = config.lora_alpha / config.lora_rank;
    adapter.first_block_ = first_lora_block(config, model);
    if (adapter.first_block_ >= model.blocks) {
        throw ConfigError("settings", "lora_first_block " + std::to_string(adapter.first_block_) +
                                          " is not below the model's " + std::to_string(model.blocks) +
                                          " blocks; choose a smaller one");
    }
    auto generator = at::detail::createCPUGenerator(seed);
    for (int block = 0; block < model.blocks; ++block) {
        std::array<Pair, linear_sites> pairs;
        for (int i = 0; block >= adapter.first_block_ && i < linear_sites; ++i) {
            const auto site = static_cast<LinearSite>(i);
            const std::int64_t in = in_features(model, site);
            const double bound = 1.0 / std::sqrt(static_cast<double>(in));   // kaiming_uniform with a = sqrt 5
            pairs[i] = {
                at::empty({config.lora_rank, in}, at::kFloat).uniform_(-bound, bound, generator).to(device),
                at::zeros({out_features(model, site), config.lora_rank}, at::TensorOptions(at::kFloat).device(device))};
        }
        adapter.add_block(model, pairs);
    }
    return adapter;
}

LoraAdapter LoraAdapter::from_peft(const DecoderConfig& model, const PeftAdapter& peft) {
    LoraAdapter adapter;
    adapter.rank_ = peft.rank;
    adapter.alpha_ = peft.alpha;
    adapter.rslora_ = peft.rslora;
    adapter.scale_ = peft.alpha / (peft.rslora ? std::sqrt(static_cast<double>(peft.rank)) : peft.rank);
    adapter.first_block_ = model.blocks;
    std::set<std::string> known;
    for (int block = 0; block < model.blocks; ++block) {
        std::array<Pair, linear_sites> pairs;
        for (int i = 0; i < linear_sites; ++i) {
            const auto site = static_cast<LinearSite>(i);
            const std::string path = module_path(block, site);
            const auto a = peft.lora.find(path + ".lora_A");
            const auto b = peft.lora.find(path + ".lora_B");
            if (a == peft.lora.end() && b == peft.lora.end()) {
                continue;
            }
            if (a == peft.lora.end() || b == peft.lora.end()) {
                throw Error("read adapter", path + " has one of lora_A and lora_B only; the file is damaged");
            }
            const std::vector<std::int64_t> want_a{peft.rank, in_features(model, site)};
            const std::vector<std::int64_t> want_b{out_features(model, site), peft.rank};
            if (a->second.shape != want_a || b->second.shape != want_b) {
                throw Error("read adapter", path + " does not have the model's shape; it was made for another model");
            }
            pairs[i] = {to_tensor(a->second), to_tensor(b->second)};
            adapter.first_block_ = std::min(adapter.first_block_, block);
            known.insert(a->first);
            known.insert(b->first);
        }
        adapter.add_block(model, pairs);
    }
    for (const auto& [path, matrix] : peft.lora) {
        if (!known.contains(path)) {
            throw Error("read adapter", path + " is not a linear layer of this model; it was made for another model");
        }
    }
    return adapter;
}

// The sites of each product read one input, and add to columns of it that follow each other.
void LoraAdapter::add_block(const DecoderConfig& model, const std::array<Pair, linear_sites>& pairs) {
    constexpr std::array<int, block_products + 1> sites_from = {0, 3, 4, 6, 7};
    auto& products = stacks_.emplace_back();
    for (int product = 0; product < block_products; ++product) {
        std::int64_t column = 0;
        for (int site = sites_from[product]; site < sites_from[product + 1]; ++site) {
            if (const auto& [a, b] = pairs[site]; a.defined()) {
                products[product].parts.push_back({a, b, column, site});
            }
            column += out_features(model, static_cast<LinearSite>(site));
        }
        products[product].join();
    }
}

template <typename Work>
void LoraAdapter::for_each(const Work& work) const {
    for (std::size_t block = 0; block < stacks_.size(); ++block) {
        for (const LoraStack& stack : stacks_[block]) {
            for (const LoraStack::Part& part : stack.parts) {
                work(static_cast<int>(block), part);
            }
        }
    }
}

void LoraAdapter::to_peft(PeftAdapter& peft) const {
    peft.rank = rank_;
    peft.alpha = alpha_;
    peft.rslora = rslora_;
    std::set<std::string> modules;
    std::set<int> blocks;
    for_each([&](int block, const LoraStack::Part& part) {
        const auto site = static_cast<LinearSite>(part.site);
        peft.lora[module_path(block, site) + ".lora_A"] = to_matrix(part.a);
        peft.lora[module_path(block, site) + ".lora_B"] = to_matrix(part.b);
        modules.insert(std::string(peft_name(site)));
        blocks.insert(block);
    });
    if (first_block_ > 0) {
        peft.layers_to_transform.assign(blocks.begin(), blocks.end());
    }
    peft.target_modules.assign(modules.begin(), modules.end());
}

LoraAdapter LoraAdapter::clone() const {
    LoraAdapter out = *this;
    for (auto& products : out.stacks_) {
        for (LoraStack& stack : products) {
            for (LoraStack::Part& part : stack.parts) {
                part.b = part.b.detach().clone();
            }
            stack.join();
        }
    }
    return out;
}

Tensor LoraAdapter::linear(const FrozenLinear& frozen, const LinearInput& input, int block, BlockProduct which) const {
    const LoraStack& stack = stacks_[block][static_cast<int>(which)];
    return stack.parts.empty() ? frozen(input.value()) : lora_product(frozen, input, stack, scale_);
}

std::vector<Tensor> LoraAdapter::tensors() const {
    std::vector<Tensor> out;
    for_each([&](int, const LoraStack::Part& part) { out.insert(out.end(), {part.a, part.b}); });
    return out;
}

std::vector<std::string> LoraAdapter::tensor_names() const {
    std::vector<std::string> out;
    for_each([&](int block, const LoraStack::Part& part) {
        const std::string path = "blocks." + std::to_string(block) + "." + std::string(names[part.site]);
        out.insert(out.end(), {path + ".lora_A", path + ".lora_B"});
    });
    return out;
}

std::unique_ptr<Adapter> LoraAdapter::copy() const { return std::make_unique<LoraAdapter>(clone()); }

void LoraAdapter::shrink(double factor) {
    at::NoGradGuard no_grad;
    for_each([&](int, const LoraStack::Part& part) { part.b.mul_(factor); });
}

}  // namespace plumbline
