#include "core/formats/weight_source.h"

#include <cmath>
#include <set>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"

namespace plumbline {

namespace {

[[noreturn]] void refuse(const std::string& path) {
    throw Error("export", "the adapter's " + shown(path) + " does not fit this model; it was made for another one");
}

double scale_of(const PeftAdapter& adapter) {
    return adapter.alpha / (adapter.rslora ? std::sqrt(static_cast<double>(adapter.rank)) : adapter.rank);
}

}  // namespace

MergedWeights::MergedWeights(const ModelFiles& model, const PeftAdapter* adapter) : model_(model), adapter_(adapter) {
    if (adapter == nullptr) {
        return;
    }
    std::set<std::string, std::less<>> known;
    for (const LinearModule& module : linear_modules(model.config())) {
        for (int block = 0; block < model.config().blocks; ++block) {
            const std::string path = name_in_block(*module.module, block);
            const auto a = adapter->lora.find(path + ".lora_A"), b = adapter->lora.find(path + ".lora_B");
            if (a == adapter->lora.end() || b == adapter->lora.end()) {
                continue;
            }
            if (a->second.shape != std::vector<std::int64_t>{adapter->rank, module.in} ||
                b->second.shape != std::vector<std::int64_t>{module.out, adapter->rank}) {
                refuse(path);
            }
            known.insert({a->first, b->first});
        }
    }
    for (const auto& [path, matrix] : adapter->lora) {
        if (!known.contains(path)) {
            refuse(path);
        }
    }
}

void MergedWeights::read(const TensorId& id, std::span<float> out) const {
    model_.read(id, 0, out);
    if (adapter_ != nullptr && is_of_block(id.part) && !id.bias) {
        add_product(id, out);
    }
}

// A module's B has rows for all of its parts, as they lie in a folder's tensor.
void MergedWeights::add_product(const TensorId& id, std::span<float> out) const {
    const DecoderConfig& config = model_.config();
    const Module* module = find_module(model_.family().folder, id.part);
    const std::string path = name_in_block(*module, id.block);
    const auto b = adapter_->lora.find(path + ".lora_B");
    if (b == adapter_->lora.end()) {
        return;
    }
    const std::vector<float>&a = adapter_->lora.at(path + ".lora_A").values, &columns = b->second.values;
    const std::vector<std::int64_t> places = places_of_rows(*module, config);
    std::size_t first = 0;   // of the part's rows among the module's
    for (auto part = module->parts.begin(); *part != id.part; ++part) {
        first += static_cast<std::size_t>(shape_of(config, *part, false).rows);
    }
    const auto rank = static_cast<std::size_t>(adapter_->rank), width = a.size() / rank;
    const auto scale = static_cast<float>(scale_of(*adapter_));
    std::vector<float> sum(width);
    for (std::size_t row = 0; row < out.size() / width; ++row) {
        const float* weights = &columns[static_cast<std::size_t>(places[first + row]) * rank];
        std::fill(sum.begin(), sum.end(), 0.0f);
        for (std::size_t r = 0; r < rank; ++r) {
            for (std::size_t i = 0; i < width; ++i) {
                sum[i] += weights[r] * a[r * width + i];
            }
        }
        for (std::size_t i = 0; i < width; ++i) {
            out[row * width + i] += scale * sum[i];
        }
    }
}

}  // namespace plumbline
