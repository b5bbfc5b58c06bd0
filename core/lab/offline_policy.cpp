#include "core/lab/offline_policy.h"

#include <limits>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/formats/gguf_export.h"
#include "core/formats/peft.h"
#include "core/model/full_weights_source.h"
#include "core/training/policy.h"

namespace plumbline {

namespace {

void write_model(const OpenedModel& opened, const TrainRequest& request, const FullWeights& weights,
                 const std::filesystem::path& out) {
    if (out.has_parent_path()) {
        std::filesystem::create_directories(out.parent_path());
    }
    const ModelFiles model(resolve_model(request.model));
    write_gguf(model, FullWeightsSource(weights), GgufType::f32, opened.model->info().name + ", trained", out, {},
               opened.own_template);
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
    return reply_logprobs(decoder(), reference(), sequences, opened_.pulse);
}

}  // namespace plumbline
