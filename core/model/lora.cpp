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

PeftMatrix to_matrix(const Tensor& t) {
    const Tensor plain = t.detach().to(at::kCPU, at::kFloat).contiguous();
    const float* data = plain.const_data_ptr<float>();
    return {plain.sizes().vec(), std::vector<float>(data, data + plain.numel())};
}

Tensor to_tensor(const PeftMatrix& matrix) {
    return at::from_blob(const_cast<float*>(matrix.values.data()), matrix.shape, at::kFloat).clone();
}

}  // namespace

int first_lora_block(const LoraConfig& config, const DecoderConfig& model) {
    return config.lora_first_block < 0 ? model.blocks / 2 : config.lora_first_block;
}

LoraAdapter::LoraAdapter(const DecoderConfig& model) : modules_(linear_modules(model)), first_block_(model.blocks) {
    for (const LinearModule& module : modules_) {
        const bool moved = module.module->layout == Layout::by_head;
        places_.push_back(moved ? places_of_rows(*module.module, model) : std::vector<std::int64_t>());
    }
}

std::string LoraAdapter::path(int block, std::size_t module) const {
    return name_in_block(*modules_[module].module, block);
}

LoraAdapter LoraAdapter::fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed, at::Device device) {
    LoraAdapter adapter(model);
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
        std::vector<Pair> pairs(adapter.modules_.size());
        for (std::size_t i = 0; block >= adapter.first_block_ && i < pairs.size(); ++i) {
            const LinearModule& module = adapter.modules_[i];
            const double bound = 1.0 / std::sqrt(static_cast<double>(module.in));   // kaiming_uniform with a = sqrt 5
            pairs[i] = {
                at::empty({config.lora_rank, module.in}, at::kFloat).uniform_(-bound, bound, generator).to(device),
                at::zeros({module.out, config.lora_rank}, at::TensorOptions(at::kFloat).device(device))};
        }
        adapter.add_block(pairs);
    }
    return adapter;
}

LoraAdapter LoraAdapter::from_peft(const DecoderConfig& model, const PeftAdapter& peft, at::Device device) {
    LoraAdapter adapter(model);
    adapter.rank_ = peft.rank;
    adapter.alpha_ = peft.alpha;
    adapter.rslora_ = peft.rslora;
    adapter.scale_ = peft.alpha / (peft.rslora ? std::sqrt(static_cast<double>(peft.rank)) : peft.rank);
    std::set<std::string> known;
    for (int block = 0; block < model.blocks; ++block) {
        std::vector<Pair> pairs(adapter.modules_.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const LinearModule& module = adapter.modules_[i];
            const std::string path = adapter.path(block, i);
            const auto a = peft.lora.find(path + ".lora_A");
            const auto b = peft.lora.find(path + ".lora_B");
            if (a == peft.lora.end() && b == peft.lora.end()) {
                continue;
            }
            if (a == peft.lora.end() || b == peft.lora.end()) {
                throw Error("read adapter", path + " has one of lora_A and lora_B only; the file is damaged");
            }
            const std::vector<std::int64_t> want_a{peft.rank, module.in}, want_b{module.out, peft.rank};
            if (a->second.shape != want_a || b->second.shape != want_b) {
                throw Error("read adapter", path + " does not have the model's shape; it was made for another model");
            }
            Tensor rows = to_tensor(b->second);
            if (!adapter.places_[i].empty()) {
                rows = rows.index_select(0, at::tensor(adapter.places_[i], at::kLong));
            }
            pairs[i] = {to_tensor(a->second).to(device), rows.to(device)};
            adapter.first_block_ = std::min(adapter.first_block_, block);
            known.insert(a->first);
            known.insert(b->first);
        }
        adapter.add_block(pairs);
    }
    for (const auto& [path, matrix] : peft.lora) {
        if (!known.contains(path)) {
            throw Error("read adapter", path + " is not a linear layer of this model; it was made for another model");
        }
    }
    return adapter;
}

// The modules of each product read one input, and add to columns of it that follow each other.
void LoraAdapter::add_block(const std::vector<Pair>& pairs) {
    auto& products = stacks_.emplace_back();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (const auto& [a, b] = pairs[i]; a.defined()) {
            products[static_cast<std::size_t>(modules_[i].product)].parts.push_back(
                {a, b, modules_[i].column, static_cast<int>(i)});
        }
    }
    for (LoraStack& stack : products) {
        stack.join();
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
        const auto module = static_cast<std::size_t>(part.site);
        const std::string at_path = path(block, module);
        const std::vector<std::int64_t>& places = places_[module];
        peft.lora[at_path + ".lora_A"] = to_matrix(part.a);
        const Tensor rows = part.b.detach().cpu();
        peft.lora[at_path + ".lora_B"] =
            to_matrix(places.empty() ? rows : at::empty_like(rows).index_copy_(0, at::tensor(places, at::kLong), rows));
        modules.insert(at_path.substr(at_path.rfind('.') + 1));
        blocks.insert(block);
        peft.fan_in_fan_out |= modules_[module].module->layout == Layout::columns;
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
    return stack.parts.empty() ? frozen(input) : lora_product(frozen, input, stack, scale_);
}

std::vector<Tensor> LoraAdapter::tensors() const {
    std::vector<Tensor> out;
    for_each([&](int, const LoraStack::Part& part) { out.insert(out.end(), {part.a, part.b}); });
    return out;
}

std::vector<std::string> LoraAdapter::tensor_names() const {
    std::vector<std::string> out;
    for_each([&](int block, const LoraStack::Part& part) {
        const std::string path = "blocks." + std::to_string(block) + "." + modules_[static_cast<std::size_t>(part.site)].label;
        out.insert(out.end(), {path + ".lora_A", path + ".lora_B"});
    });
    return out;
}

std::unique_ptr<Adapter> LoraAdapter::copy() const { return std::make_unique<LoraAdapter>(clone()); }

std::unique_ptr<Adapter> LoraAdapter::laid_out() const {
    auto out = std::make_unique<LoraAdapter>(*this);
    for (auto& products : out->stacks_) {
        for (LoraStack& stack : products) {
            stack.turn();
        }
    }
    return out;
}

void LoraAdapter::shrink(double factor) {
    at::NoGradGuard no_grad;
    for_each([&](int, const LoraStack::Part& part) { part.b.mul_(factor); });
}

}  // namespace plumbline
