// Models out: a policy as an adapter, or worked into a whole model.

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/export_model.h"
#include "core/formats/folder_export.h"
#include "core/formats/gguf_export.h"
#include "core/formats/peft.h"
#include "core/lab/learner.h"
#include "core/model/full_weights_source.h"
#include "core/model/lora.h"
#include "core/model/pulse.h"
#include "core/store/project_file.h"

namespace plumbline {

namespace {

constexpr const char* operation = "export";
constexpr std::uint64_t shard_bytes = 5'000'000'000;   // as the transformers library cuts

constexpr std::array all_types = {GgufType::f32,  GgufType::f16,  GgufType::bf16, GgufType::q8_0,
                                  GgufType::q5_1, GgufType::q5_0, GgufType::q4_1, GgufType::q4_0};

std::uint64_t bytes_of_folder(const std::filesystem::path& folder) {
    std::uint64_t out = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        out += entry.is_regular_file() ? entry.file_size() : 0;
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

GgufType type_named(ModelFormat format, const std::string& name) {
    const std::vector<std::string> types = weight_types(format);
    if (!name.empty() && std::ranges::find(types, name) == types.end()) {
        std::string list;
        for (const std::string& type : types) {
            list += (list.empty() ? "" : ", ") + type;
        }
        throw ConfigError(operation, "weights of type '" + name + "' are not written as " +
                                         std::string(name_of(format)) +
                                         (list.empty() ? "; leave the type out" : "; choose " + list));
    }
    const std::string wanted = name.empty() && !types.empty() ? types.front() : name;
    const auto found = std::ranges::find_if(all_types, [&](GgufType type) { return lower(name_of(type)) == wanted; });
    return found == all_types.end() ? GgufType::f32 : *found;
}

/// What is written: a policy on a model, or a model alone.
struct Policy {
    std::unique_ptr<ModelFiles> model;
    std::string name;                       // of the model
    std::unique_ptr<FullWeights> weights;   // all of them, in place of the model's; or
    std::optional<PeftAdapter> adapter;
};

Policy policy_of_project(const std::filesystem::path& project) {
    const auto file = ProjectFile::open(project);
    const ModelInfo stored = file->model();
    const auto state = file->latest();
    if (!state) {
        throw Error(operation, project.string() + ": there is no saved policy; the file is damaged");
    }
    Policy out;
    out.model = std::make_unique<ModelFiles>(resolve_model(stored.path));
    out.name = stored.name;
    if (out.model->identity() != stored.sha256) {
        throw Error(operation, "the model " + stored.path + " has changed since; locate the original file");
    }
    std::unique_ptr<Adapter> policy = policy_of(state->state, out.model->config(), file->config());
    if (const auto* lora = dynamic_cast<const LoraAdapter*>(policy.get())) {
        lora->to_peft(out.adapter.emplace());
        out.adapter->base_model = stored.name;
    } else {
        out.weights.reset(dynamic_cast<FullWeights*>(policy.release()));
    }
    return out;
}

Policy policy_of_files(const std::string& model, const std::filesystem::path& adapter) {
    Policy out;
    const std::filesystem::path path = resolve_model(model);
    out.model = std::make_unique<ModelFiles>(path);
    out.name = std::filesystem::exists(model) ? out.model->title() : model;
    if (!adapter.empty()) {
        out.adapter = read_peft(adapter);
        if (out.adapter->task_type != "CAUSAL_LM") {
            throw Error(operation, adapter.string() + " is a reward model's adapter, whose score is no part of a "
                                                      "language model; name a policy's");
        }
    }
    return out;
}

void write_adapter(const Policy& policy, const std::filesystem::path& out) {
    if (!policy.adapter) {
        throw Error(operation,
                    "the policy is all of the model's weights and no adapter; export it as safetensors or gguf");
    }
    write_peft(out, *policy.adapter);
}

}  // namespace

std::string_view name_of(ModelFormat format) {
    switch (format) {
        case ModelFormat::peft: return "peft";
        case ModelFormat::safetensors: return "safetensors";
        case ModelFormat::gguf: return "gguf";
    }
    return "";
}

std::vector<std::string> weight_types(ModelFormat format) {
    switch (format) {
        case ModelFormat::peft: return {};
        case ModelFormat::safetensors: return {"f32", "f16", "bf16"};
        case ModelFormat::gguf: return {"f16", "bf16", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"};
    }
    return {};
}

ExportModelResult export_model(const ExportModelRequest& request, const Job& job) {
    const GgufType type = type_named(request.format, request.type);
    const Policy policy = request.project.empty() ? policy_of_files(request.model, request.adapter)
                                                  : policy_of_project(request.project);
    if (request.format == ModelFormat::peft) {
        write_adapter(policy, request.out);
        return {"", static_cast<std::int64_t>(policy.adapter->lora.size()), bytes_of_folder(request.out), {}};
    }
    const Pulse pulse{{}, job.stop};
    const auto before_each = [&](double share) {
        pulse.check();
        if (job.progress) {
            job.progress(share, "writing");
        }
    };
    std::unique_ptr<WeightSource> source;
    if (policy.weights) {
        source = std::make_unique<FullWeightsSource>(*policy.weights);
    } else {
        source = std::make_unique<MergedWeights>(*policy.model, policy.adapter ? &*policy.adapter : nullptr);
    }
    const std::string name = policy.name + (policy.weights || policy.adapter ? ", trained" : "");
    WrittenModel written = request.format == ModelFormat::gguf
                               ? write_gguf(*policy.model, *source, type, name, request.out, before_each)
                               : write_folder(*policy.model, *source, type, request.out, shard_bytes, before_each);
    return {lower(name_of(type)), written.tensors, written.bytes, std::move(written.notes)};
}

}  // namespace plumbline
