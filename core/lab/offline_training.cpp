// `train`: the stage that the settings name, from its start or from a saved state, to what it writes.

#include "core/api/catalog.h"
#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/gguf_export.h"
#include "core/lab/memory_check.h"
#include "core/lab/offline_policy.h"
#include "core/lab/offline_run.h"
#include "core/lab/offline_score.h"

namespace plumbline {

namespace {

std::unique_ptr<TrainingStage> make_stage(const TrainRequest& request, const OpenedModel& opened) {
    for (const auto make :
         {make_pair_stage, make_kto_stage, make_sft_stage, make_reward_stage, make_policy_gradient_stage}) {
        if (auto stage = make(request, opened)) {
            return stage;
        }
    }
    throw ConfigError("train", "there is no such stage; choose one that `train --help` lists");
}

/// All that can be said before a model is read.
template <class Config>
void check(const TrainRequest& request, const Config& config) {
    validate(config);
    if constexpr (std::is_same_v<Config, RewardConfig>) {
        if (is_model_file(request.out) || config.weights == Weights::all) {
            throw ConfigError("train reward",
                              "a reward model is an adapter with a head; give --out a folder and leave "
                              "weights at auto");
        }
    } else {
        check_policy(request, config);
    }
    if constexpr (std::is_base_of_v<OnPolicyConfig, Config>) {
        check_score(request);
    }
}

SavedTraining asked_by(const TrainRequest& request, const EngineOptions& options) {
    SavedTraining out;
    std::visit(
        [&](const auto& config) {
            out.stage = config.stage;
            for (const FieldInfo& field : describe(config)) {
                out.settings[field.key] = field.value;
            }
        },
        request.config);
    out.data = request.data.string();
    out.init_adapter = request.init_adapter.string();
    out.reward_adapter = request.reward_adapter.string();
    out.reward = request.reward;
    out.chat_template = options.chat_template;
    return out;
}

std::vector<ChangedSetting> changes(const SavedTraining& before, const SavedTraining& now) {
    std::vector<ChangedSetting> out;
    const auto compare = [&](const std::string& key, const std::string& old_value, const std::string& value) {
        if (old_value != value) {
            out.push_back({key, old_value, value});
        }
    };
    for (const auto& [key, value] : now.settings) {
        const auto saved = before.settings.find(key);
        compare(key, saved == before.settings.end() ? "" : saved->second, value);
    }
    compare("data", before.data, now.data);
    compare("init-adapter", before.init_adapter, now.init_adapter);
    compare("reward-adapter", before.reward_adapter, now.reward_adapter);
    compare("reward", before.reward, now.reward);
    if (before.chat_template != now.chat_template) {   // too long to be shown
        compare("chat-template", before.chat_template.empty() ? "the model's" : "another file's",
                now.chat_template.empty() ? "the model's" : "a file's");
    }
    return out;
}

}  // namespace

TrainResult train(const TrainRequest& request, const EngineOptions& options, const Job& job,
                  const std::function<void(const StepMetrics&)>& on_step) {
    std::visit([&](const auto& config) { check(request, config); }, request.config);
    if (request.checkpoint_every < 0) {
        throw ConfigError(
            "train", "checkpoint-every is " + std::to_string(request.checkpoint_every) + "; use 0 or more");
    }
    const SavedTraining asked = asked_by(request, options);
    std::optional<SavedState> saved;
    if (request.resume) {
        saved = read_training_state(request.out);
        if (saved->asked.stage != asked.stage) {
            throw ConfigError("resume training", request.out.string() + " holds a stopped `" +
                                                     saved->asked.stage + "`, not `" + asked.stage +
                                                     "`; choose that stage or another --out");
        }
    }
    const auto require_room = [&](std::int64_t graph_rows) {
        require_memory_for(
            "train", asked.stage, resolve_model(request.model), options.dtype,
            [&](const DecoderConfig& model) { return stage_memory(request.config, model, graph_rows); },
            memory_limit(options));
    };
    require_room(1);   // before the weights are read
    std::vector<std::string> notes;
    if (is_model_file(request.out)) {   // nothing is trained that could not be written
        notes = check_gguf(ModelFiles(resolve_model(request.model)));
    }
    const OpenedModel opened(request.model, options, job);
    const std::unique_ptr<TrainingStage> stage = make_stage(request, opened);
    require_room(stage->graph_rows());

    RunSettings run{std::visit([](const auto& config) -> OptimizerConfig { return config; }, request.config),
                    request.checkpoint_every,
                    {},
                    0};
    if (saved) {
        restore(*stage, saved->state);
        run.place = saved->state.place;
        run.steps = saved->state.steps;
    }
    const auto save = [&](const TrainingState& state) { write_training_state(request.out, state, asked); };
    TrainResult result = run_steps(
        *stage, run, save, [&] { stage->write(request.out); }, opened.pulse, job, on_step);
    stage->write(request.out);
    if (request.checkpoint_every == 0 && result.ended_by.empty()) {
        remove_training_state(request.out);  // of a training that is now complete
    }
    result.skipped = stage->skipped();
    result.notes = std::move(notes);
    result.resumed_from = run.steps;
    if (saved) {
        result.changed = changes(saved->asked, asked);
    }
    return result;
}

}  // namespace plumbline
