#include "core/lab/offline_policy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <limits>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/formats/peft.h"
#include "core/model/full_weights.h"
#include "core/training/policy.h"
#include "core/training/pretrained_file.h"

namespace plumbline {

namespace {

template <class To, class From>
std::vector<To> narrowed(const std::vector<From>& values) {
    std::vector<To> out;
    out.reserve(values.size());
    for (const From& value : values) {
        out.push_back(static_cast<To>(value));
    }
    return out;
}

GgufMetadata scalar_of(const GgufScalar& scalar) {
    if (const auto* flag = std::get_if<bool>(&scalar)) {
        return *flag;
    }
    if (const auto* text = std::get_if<std::string>(&scalar)) {
        return *text;
    }
    if (const auto* real = std::get_if<double>(&scalar)) {
        return static_cast<float>(*real);
    }
    if (const auto* whole = std::get_if<std::uint64_t>(&scalar)) {
        return static_cast<std::uint32_t>(*whole);
    }
    return static_cast<std::int32_t>(std::get<std::int64_t>(scalar));
}

/// The keys of a tokenizer hold nothing that the writer's types would not.
void copy_tokenizer(const GgufFile& from, GgufWriter& to) {
    for (const auto& [key, value] : from.metadata()) {
        if (!key.starts_with("tokenizer.")) {
            continue;
        }
        if (const auto* scalar = std::get_if<GgufScalar>(&value)) {
            to.set(key, scalar_of(*scalar));
        } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
            to.set(key, *texts);
        } else if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&value)) {
            to.set(key, narrowed<std::int32_t>(*whole));
        } else if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
            to.set(key, narrowed<float>(*reals));
        }
    }
}

void write_model(const OpenedModel& opened, const TrainRequest& request, const FullWeights& weights,
                 const std::filesystem::path& out) {
    GgufWriter writer;
    const GgufFile source(resolve_model(request.model));
    add_decoder(writer, weights, GgufType::f32);
    copy_tokenizer(source, writer);
    writer.set("general.name", opened.model->info().name + ", trained");
    if (out.has_parent_path()) {
        std::filesystem::create_directories(out.parent_path());
    }
    writer.write(out);
}

/// add_decoder writes what the plain Llama family has, and the tokenizer comes from a GGUF file.
void require_writable(const OpenedModel& opened, const TrainRequest& request) {
    const DecoderConfig& c = opened.model->decoder().config();
    const bool plain = c.family == "llama" && !c.qkv_bias && !c.output_bias && !c.mlp_bias && c.rope.factors.empty() &&
                       c.rope.magnitude == 1;
    if (!plain || std::filesystem::is_directory(resolve_model(request.model))) {
        throw Error("write model", request.out.string() + ": only a plain llama model from a .gguf file is written as a "
                                                          "file; give --out a folder for an adapter");
    }
}

}  // namespace

bool is_model_file(const std::filesystem::path& out) {
    return out.extension() == ".gguf";
}

void check_policy(const TrainRequest& request, const LoraConfig& config) {
    if (is_model_file(request.out)) {
        if (config.weights == Weights::lora) {
            throw ConfigError("settings",
                              "weights is lora, but a .gguf file holds every weight; give --out a folder");
        }
        if (!request.init_adapter.empty()) {
            throw ConfigError("train",
                              "an initial adapter does not go with every weight; give --out a folder, or the "
                              "model to start from as MODEL");
        }
    } else if (config.weights == Weights::all) {
        throw ConfigError("settings", "weights is all, but " + request.out.string() +
                                          " is a folder for an adapter; give --out a .gguf file");
    }
}

TrainedPolicy start_policy(const OpenedModel& opened, const TrainRequest& request, const LoraConfig& config,
                           std::uint64_t seed) {
    const Decoder& decoder = opened.model->decoder();
    TrainedPolicy policy;
    if (is_model_file(request.out)) {
        require_writable(opened, request);
        policy.adapter = std::make_unique<FullWeights>(FullWeights::of(decoder));
    } else if (request.init_adapter.empty()) {
        policy.adapter = std::make_unique<LoraAdapter>(LoraAdapter::fresh(decoder.config(), config, seed, decoder.device()));
    } else {
        policy.adapter = std::make_unique<LoraAdapter>(*opened.adapter(request.init_adapter.string()));
        policy.reference = policy.adapter->copy();
    }
    policy.adapter->require_grad(true);
    return policy;
}

void write_policy(const OpenedModel& opened, const TrainRequest& request, const Adapter& policy,
                  const std::filesystem::path& out) {
    if (const auto* lora = dynamic_cast<const LoraAdapter*>(&policy)) {
        PeftAdapter peft;
        peft.base_model = opened.model->info().name;
        lora->to_peft(peft);
        write_peft(out, peft);
    } else {
        write_model(opened, request, dynamic_cast<const FullWeights&>(policy), out);
    }
}

PolicyStage::PolicyStage(const OptimizerConfig& optimizer, const LoraConfig& weights, const TrainRequest& request,
                         const OpenedModel& opened)
    : TrainingStage(optimizer),
      request_(request),
      opened_(opened),
      policy_(start_policy(opened, request, weights, optimizer.seed)) {
    train(policy_.adapter->tensors(), policy_.adapter->tensor_names());
}

void PolicyStage::write(const std::filesystem::path& out) const {
    write_policy(opened_, request_, *policy_.adapter, out);
}

std::vector<double> PolicyStage::reference_sums(std::span<const Sequence> sequences) const {
    at::NoGradGuard no_grad;
    const PackedBatch batch = pack(sequences);
    const at::Tensor sums = sum_replies(batch, policy_logprobs(decoder(), reference(), batch, {}, 1.0, opened_.pulse));
    std::vector<double> out;
    for (std::int64_t i = 0; i < sums.numel(); ++i) {
        out.push_back(sums[i].item<double>());
    }
    return out;
}

}  // namespace plumbline
