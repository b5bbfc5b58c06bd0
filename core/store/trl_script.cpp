#include "core/store/trl_script.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/api/config_fields.h"
#include "core/api/errors.h"
#include "core/api/recommended.h"
#include "core/formats/atomic_file.h"
#include "core/store/export_data.h"
#include "embedded/trl_script.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

constexpr const char* exporting = "export";

/// A folder beside its place that is removed unless it was renamed to it.
class AsideFolder {
  public:
    explicit AsideFolder(const fs::path& target)
        : target_(target), path_(target.string() + ".part" + std::to_string(::getpid())) {
        std::error_code error;
        if (!fs::create_directory(path_, error)) {
            throw Error(exporting, target.string() + ": " + (error ? error.message() : path_.string() + " is in the way") +
                                       "; choose another place");
        }
    }
    ~AsideFolder() {
        std::error_code ignored;
        if (!renamed_) fs::remove_all(path_, ignored);
    }
    AsideFolder(const AsideFolder&) = delete;
    AsideFolder& operator=(const AsideFolder&) = delete;

    const fs::path& path() const { return path_; }
    void put_in_place() {
        std::error_code error;
        fs::rename(path_, target_, error);
        if (error) throw Error(exporting, target_.string() + ": " + error.message() + "; choose another place");
        renamed_ = true;
    }

  private:
    const fs::path target_, path_;
    bool renamed_ = false;
};

/// What of the session TRL does otherwise; empty: nothing but what every script says.
std::string deviation(const SessionConfig& config) {
    switch (config.live.algorithm) {
        case Algorithm::cdpo: return "TRL's DPO smooths no labels: this trains plain DPO.";
        case Algorithm::reinforce: return "TRL has no REINFORCE: this trains RLOO, whose baseline is the group's mean.";
        case Algorithm::ppo: return "TRL has no PPO any more: this trains RLOO, without a value head.";
        case Algorithm::best_of_n: return "TRL has no best of N: this trains GRPO on the same groups.";
        default: break;
    }
    const bool samples = info(config.live.algorithm).learns_from == LearnsFrom::samples;
    return samples && config.live.reward != "model" ? "The reward was " + config.live.reward + ": its rules are left out." : "";
}

nlohmann::ordered_json settings_of(const ModelInfo& model, const SessionConfig& config) {
    static constexpr const char* learns_from[] = {"pairs", "replies", "samples"};
    const LiveConfig& live = config.live;
    nlohmann::ordered_json out{{"model", model.path},
                               {"model_sha256", model.sha256},
                               {"algorithm", info(live.algorithm).name},
                               {"learns_from", learns_from[static_cast<int>(info(live.algorithm).learns_from)]},
                               {"all_weights", trains_all_weights(config.lora, model.parameters)},
                               {"seed", config.seed},
                               {"lora_rank", config.lora.lora_rank},
                               {"lora_alpha", config.lora.lora_alpha},
                               {"lora_first_block", config.lora.lora_first_block},
                               {"lr", live.lr},
                               {"beta", live.beta},
                               {"steps_per_click", live.steps_per_click},
                               {"clip_norm", live.clip_norm},
                               {"replay_pairs", live.replay_pairs},
                               {"label_smoothing", live.label_smoothing},
                               {"simpo_gamma", live.simpo_gamma},
                               {"orpo_lambda", live.orpo_lambda},
                               {"desirable_weight", live.desirable_weight},
                               {"undesirable_weight", live.undesirable_weight},
                               {"reward", live.reward},
                               {"prompts", live.prompts},
                               {"group_size", live.group_size},
                               {"clip_range", live.clip_range},
                               {"epochs", live.epochs},
                               {"max_new_tokens", config.sampling.max_new_tokens},
                               {"temperature", config.sampling.temperature},
                               {"top_k", config.sampling.top_k},
                               {"top_p", config.sampling.top_p},
                               {"min_p", config.sampling.min_p}};
    for (const FieldInfo& field : describe(config)) {   // enums by their words
        if (field.key == "optimizer" || field.key == "averaging") out[field.key] = field.value;
    }
    return out;
}

}  // namespace

ExportDataResult write_trl_script(const ProjectFile& file, const fs::path& out, const Job& job) {
    if (fs::exists(fs::symlink_status(out))) {
        throw Error(exporting, out.string() + ": it exists; name a new folder for the script and its data");
    }
    const SessionConfig config = file.config();
    AsideFolder folder(out);
    ExportDataResult result = export_data(file, DataFormat::trl, folder.path() / "preferences.jsonl", job);
    if (result.rows == 0) {
        throw Error(exporting, file.path().string() + ": no answer in it prefers a reply, so that there is nothing to train on; vote first");
    }
    const std::string settings = settings_of(file.model(), config).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    write_atomically(folder.path() / "settings.json", {settings}, exporting);
    const std::string lacking = deviation(config);
    std::string head = "# " + file.path().filename().string() + ", " + std::string(info(config.live.algorithm).title) + "." +
                       (lacking.empty() ? "" : " Not the same: " + lacking);
    std::replace(head.begin(), head.end(), '\n', ' ');
    write_atomically(folder.path() / "train.py", {head, "\n", resources::trl_script}, exporting);
    folder.put_in_place();
    return result;
}

}  // namespace plumbline
