// Models out: a policy as an adapter, or worked into a whole model.

#include <optional>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/export_model.h"
#include "core/formats/folder_export.h"
#include "core/formats/gguf_export.h"
#include "core/formats/peft.h"
#include "core/formats/weight_types.h"
#include "core/lab/export_policy.h"
#include "core/lab/learner.h"
#include "core/model/full_weights_source.h"
#include "core/model/lora.h"
#include "core/model/pulse.h"
#include "core/store/project_file.h"

namespace plumbline {

namespace {

constexpr const char* operation = "export";
constexpr std::uint64_t shard_bytes = 5'000'000'000;   // as the transformers library cuts

std::uint64_t bytes_of_folder(const std::filesystem::path& folder) {
    std::uint64_t out = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        out += entry.is_regular_file() ? entry.file_size() : 0;
    }
    return out;
}

/// What is written: a policy on a model, or a model alone.
struct Policy {
    std::unique_ptr<ModelFiles> model;
    std::string name;                       // of the model
    std::unique_ptr<FullWeights> weights;   // all of them, in place of the model's; or
    std::optional<PeftAdapter> adapter;
    std::string chat_template;              // that it was trained with; empty: the model's own
};

Policy policy_of_project(const ProjectFile& file) {
    const ModelInfo stored = file.model();
    const auto state = file.latest();
    if (!state) {
        throw Error(operation, file.path().string() + ": there is no saved policy; the file is damaged");
    }
    Policy out;
    out.model = std::make_unique<ModelFiles>(resolve_model(stored.path));
    out.name = stored.name;
    out.chat_template = file.config().chat_template;
    if (out.model->identity() != stored.sha256) {
        throw Error(operation, "the model " + stored.path + " has changed since; locate the original file");
    }
    std::unique_ptr<Adapter> policy = policy_of(state->state, out.model->config(), file.config());
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

ExportModelResult write_policy(const Policy& policy, ModelFormat format, GgufType type,
                               const std::filesystem::path& out, const Job& job) {
    std::error_code none_there;
    if (std::filesystem::equivalent(out, policy.model->path(), none_there)) {
        throw Error(operation, out.string() + " is the model that the policy stands on; choose another place");
    }
    if (format == ModelFormat::peft) {
        write_adapter(policy, out);
        ExportModelResult result{"", static_cast<std::int64_t>(policy.adapter->lora.size()), bytes_of_folder(out)};
        if (!policy.chat_template.empty()) {
            result.notes.emplace_back("the session's own chat template is no part of an adapter; take it along");
        }
        return result;
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
    WrittenModel written = format == ModelFormat::gguf
                               ? write_gguf(*policy.model, *source, type, name, out, before_each, policy.chat_template)
                               : write_folder(*policy.model, *source, type, out, shard_bytes, before_each,
                                              policy.chat_template);
    return {name_in_options(type), written.tensors, written.bytes, std::move(written.notes)};
}

}  // namespace

ExportModelResult export_model(const ExportModelRequest& request, const Job& job) {
    const GgufType type = weight_type_named(request.format, request.type);
    const Policy policy = request.project.empty() ? policy_of_files(request.model, request.adapter)
                                                  : policy_of_project(*ProjectFile::open(request.project));
    return write_policy(policy, request.format, type, request.out, job);
}

ExportModelResult export_policy(const ProjectFile& file, const ExportModel& command, const Job& job) {
    const GgufType type = weight_type_named(command.format, command.type);
    return write_policy(policy_of_project(file), command.format, type, command.path, job);
}

}  // namespace plumbline
