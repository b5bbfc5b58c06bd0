#include "core/lab/offline_state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/safetensors.h"

namespace plumbline {

using at::Tensor;
using nlohmann::json;

namespace {

constexpr const char* operation = "resume training";
constexpr const char* state_key = "plumbline_training";  // of the file's metadata
constexpr int version = 1;

json json_of(const TrainingState& state, const SavedTraining& asked) {
    return {{"version", version},
            {"stage", asked.stage},
            {"steps", state.steps},
            {"epoch", state.place.epoch},
            {"row", state.place.row},
            {"numbers", state.numbers},
            {"data", asked.data},
            {"init_adapter", asked.init_adapter},
            {"reward_adapter", asked.reward_adapter},
            {"reward", asked.reward},
            {"chat_template", asked.chat_template},
            {"settings", asked.settings}};
}

/// Throws json::exception for what is missing or of another type.
SavedState state_of(const json& saved) {
    SavedState out;
    out.asked.stage = saved.at("stage").get<std::string>();
    out.asked.steps = out.state.steps = saved.at("steps").get<int>();
    out.state.place = {saved.at("epoch").get<int>(), saved.at("row").get<std::size_t>()};
    out.state.numbers = saved.at("numbers").get<std::map<std::string, double>>();
    out.asked.data = saved.at("data").get<std::string>();
    out.asked.init_adapter = saved.at("init_adapter").get<std::string>();
    out.asked.reward_adapter = saved.at("reward_adapter").get<std::string>();
    out.asked.reward = saved.at("reward").get<std::string>();
    out.asked.chat_template = saved.value("chat_template", "");   // states of earlier versions have none
    out.asked.settings = saved.at("settings").get<std::map<std::string, std::string>>();
    return out;
}

[[noreturn]] void damaged(const std::filesystem::path& file, const std::string& what) {
    throw Error(operation, file.string() + ": " + what + "; train again without --resume");
}

SavedState read_header(const std::filesystem::path& path, const SafetensorsFile& file) {
    const auto text = file.metadata().find(state_key);
    if (text == file.metadata().end()) {
        damaged(path, "it is not the state of a training");
    }
    const json saved = json::parse(text->second, nullptr, false);
    try {
        if (saved.at("version").get<int>() != version) {
            damaged(path,
                    "it is of version " + saved.at("version").dump() + ", not " + std::to_string(version));
        }
        SavedState out = state_of(saved);
        if (out.state.steps < 0 || out.state.place.epoch < 0) {
            damaged(path, "a count is below 0");
        }
        return out;
    } catch (const json::exception&) {
        damaged(path, "its description is damaged");
    }
}

std::filesystem::path existing_state_file(const std::filesystem::path& out) {
    std::filesystem::path path = training_state_file(out, ".safetensors");
    if (!std::filesystem::exists(path)) {
        throw Error(operation, path.string() +
                                   " does not exist; train without --resume, or choose the --out of the "
                                   "stopped training");
    }
    return path;
}

}  // namespace

std::filesystem::path training_state_file(const std::filesystem::path& out, const std::string& ending) {
    if (out.extension() == ".gguf") {
        return out.parent_path() / (out.stem().string() + ".training_state" + ending);
    }
    return out / ("training_state" + ending);
}

TrainingState capture(const TrainingStage& stage, int steps, DataPlace place) {
    TrainingState out{steps, place, {}, stage.numbers()};
    for (const auto& [name, tensor] : stage.tensors()) {
        out.tensors[name] = tensor.detach().to(at::kCPU, at::kFloat, false, true).contiguous();
    }
    return out;
}

void restore(TrainingStage& stage, const TrainingState& state) {
    at::NoGradGuard no_grad;
    const NamedTensors live = stage.tensors();
    for (const auto& [name, tensor] : live) {
        const auto saved = state.tensors.find(name);
        if (saved == state.tensors.end() || saved->second.sizes() != tensor.sizes()) {
            throw Error(operation, "the saved state has no " + name +
                                       " of this shape; use the model, the optimizer and "
                                       "the adapter's sizes of the stopped training");
        }
    }
    for (const auto& [name, number] : stage.numbers()) {
        const auto saved = state.numbers.find(name);
        if (saved == state.numbers.end() || !std::isfinite(saved->second)) {
            throw Error(operation, "the saved state has no " + name + "; train again without --resume");
        }
    }
    for (const auto& [name, tensor] : live) {
        tensor.copy_(state.tensors.at(name));
    }
    stage.set_numbers(state.numbers);
}

void write_training_state(const std::filesystem::path& out, const TrainingState& state,
                          const SavedTraining& asked) {
    const json description = json_of(state, asked);
    std::map<std::string, SafeTensor> tensors;
    for (const auto& [name, tensor] : state.tensors) {
        tensors[name] = {"F32", tensor.sizes().vec(),
                         std::as_bytes(std::span(tensor.const_data_ptr<float>(),
                                                 static_cast<std::size_t>(tensor.numel())))};
    }
    const std::filesystem::path file = training_state_file(out, ".safetensors");
    if (file.has_parent_path()) {
        std::filesystem::create_directories(file.parent_path());
    }
    // One file has all, so that a machine that stops between the two leaves no mixture.
    write_safetensors(file, tensors, {{state_key, description.dump()}});
    write_atomically(training_state_file(out, ".json"), {description.dump(2) + "\n"}, "save training");
}

void remove_training_state(const std::filesystem::path& out) {
    for (const char* ending : {".safetensors", ".json"}) {
        std::error_code ignored;  // what stays is only superfluous
        std::filesystem::remove(training_state_file(out, ending), ignored);
    }
}

SavedState read_training_state(const std::filesystem::path& out) {
    const std::filesystem::path path = existing_state_file(out);
    const SafetensorsFile file(path);
    SavedState saved = read_header(path, file);
    for (const auto& [name, tensor] : file.tensors()) {
        const std::vector<float> values = as_floats(tensor);
        for (const float value : values) {
            if (!std::isfinite(value)) {
                damaged(path, name + " holds a value that is not finite");
            }
        }
        saved.state.tensors[name] = at::tensor(values).view(tensor.shape);
    }
    return saved;
}

SavedTraining read_saved_training(const std::filesystem::path& out) {
    const std::filesystem::path path = existing_state_file(out);
    return read_header(path, SafetensorsFile(path)).asked;
}

}  // namespace plumbline
