#include "core/formats/peft.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>

#include "core/api/errors.h"
#include "core/formats/atomic_file.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_file.h"
#include "core/formats/safetensors.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr const char* config_file = "adapter_config.json";
constexpr const char* weights_file = "adapter_model.safetensors";
constexpr std::string_view key_prefix = "base_model.model.", key_suffix = ".weight";
constexpr std::size_t longest_config = 16u << 20;
constexpr int highest_rank = 4096, highest_block = 4095;

struct Fail {
    std::filesystem::path folder;
    [[noreturn]] void operator()(const std::string& what) const {
        throw Error("read adapter", folder.string() + ": " + what);
    }
};

// Settings that change neither the shape nor the arithmetic of a saved adapter, or that are read below.
constexpr std::array neutral_settings = {"alpha_pattern",     "auto_mapping",
                                         "fan_in_fan_out",    "rank_pattern",
                                         "base_model_name_or_path",
                                         "corda_config",      "ensure_weight_tying",
                                         "eva_config",        "exclude_modules",
                                         "inference_mode",    "init_lora_weights",
                                         "layers_pattern",    "layers_to_transform",
                                         "loftq_config",      "lora_alpha",
                                         "lora_dropout",      "lora_ga_config",
                                         "megatron_core",     "modules_to_save",
                                         "peft_type",         "peft_version",
                                         "qalora_group_size", "r",
                                         "revision",          "target_modules",
                                         "task_type",         "use_rslora"};
// Ways to initialise that change the model's own weights, so that the adapter alone is not the whole.
constexpr std::array inits_that_change_the_model = {"pissa", "olora", "corda", "loftq", "lora_ga"};

bool is_off(const json& value) {
    return value.is_null() || value == false || value == "none" || (value.is_structured() && value.empty());
}

void check_settings(const json& config, const Fail& fail) {
    const std::string advice = "; save the adapter as plain LoRA";
    const json type = config.value("peft_type", json());
    if (type != "LORA") fail("peft_type " + type.dump() + " is not supported, only \"LORA\"" + advice);
    for (const auto& [key, value] : config.items()) {
        const bool neutral =
            std::find(neutral_settings.begin(), neutral_settings.end(), key) != neutral_settings.end();
        if (!neutral && !is_off(value)) fail(key + " " + value.dump() + " is not supported" + advice);
    }
    const json init = config.value("init_lora_weights", json());
    if (init.is_string()) {
        const auto name = init.get<std::string>();
        for (const char* changing : inits_that_change_the_model) {
            if (name.starts_with(changing)) {
                fail("init_lora_weights \"" + name +
                     "\" changes the model's own weights, which is not supported" + advice);
            }
        }
    }
}

std::string text_of(const json& config, const char* key, const std::string& fallback, const Fail& fail) {
    const json value = config.value(key, json());
    if (value.is_null()) return fallback;
    if (!value.is_string())
        fail(std::string(key) + " " + value.dump() + " is not a text; the file is damaged");
    return value.get<std::string>();
}

/// A number or a list of them, or nothing.
std::vector<int> blocks_of(const json& value, const Fail& fail) {
    std::vector<int> out;
    for (const json& block : value.is_array()  ? value
                             : value.is_null() ? json::array()
                                               : json::array({value})) {
        if (!block.is_number_integer() || block < 0 || block > highest_block) {
            fail("layers_to_transform holds " + block.dump() + ", not 0 to " + std::to_string(highest_block) +
                 "; the file is damaged");
        }
        out.push_back(block.get<int>());
    }
    return out;
}

PeftAdapter settings_of(const json& config, const Fail& fail) {
    PeftAdapter out;
    const json rank = config.value("r", json()), alpha = config.value("lora_alpha", json());
    if (!rank.is_number_integer() || rank < 1 || rank > highest_rank) {
        fail("r " + rank.dump() + " is not 1 to " + std::to_string(highest_rank) + "; the file is damaged");
    }
    if (!alpha.is_number() || !std::isfinite(alpha.get<double>())) {
        fail("lora_alpha " + alpha.dump() + " is not a number; the file is damaged");
    }
    out.rank = rank.get<int>();
    out.alpha = alpha.get<double>();
    const json rslora = config.value("use_rslora", json());
    if (!rslora.is_null() && !rslora.is_boolean())
        fail("use_rslora " + rslora.dump() + " is not true or false");
    out.rslora = rslora == true;
    out.task_type = text_of(config, "task_type", "CAUSAL_LM", fail);
    if (out.task_type != "CAUSAL_LM" && out.task_type != "SEQ_CLS") {
        fail("task_type \"" + out.task_type + "\" is not supported; use a CAUSAL_LM or SEQ_CLS adapter");
    }
    out.base_model = text_of(config, "base_model_name_or_path", "", fail);
    out.layers_to_transform = blocks_of(config.value("layers_to_transform", json()), fail);
    return out;
}

std::string leaf_of(std::string_view path) {
    return std::string(path.substr(path.rfind('.') + 1));
}

/// The block number of "model.layers.3.self_attn.q_proj", "transformer.h.3.attn.c_attn": the first part that is one.
std::optional<int> block_of_module(std::string_view path) {
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
        const std::string_view rest = path.substr(dot + 1);
        int block = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), block);
        if (error == std::errc() && end < rest.data() + rest.size() && *end == '.') {
            return block >= 0 && block <= highest_block ? std::optional(block) : std::nullopt;
        }
    }
    return std::nullopt;
}

/// What rank_pattern or alpha_pattern says of a module: a key is its path or the path's end, after "^" the whole path.
double by_pattern(const json& config, const char* pattern, std::string_view path, double fallback, const Fail& fail) {
    const json keys = config.value(pattern, json());
    if (!keys.is_null() && !keys.is_object()) fail(std::string(pattern) + " is not an object; the file is damaged");
    for (const auto& [key, value] : keys.items()) {
        const bool whole = key.starts_with('^');
        const std::string_view name = std::string_view(key).substr(whole ? 1 : 0);
        const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isalnum(c) || c == '_' || c == '.';
        });
        if (!plain) fail(std::string(pattern) + " " + shown(key) + " is not supported; name modules without wildcards");
        if (!value.is_number() || !(value > 0)) {
            fail(std::string(pattern) + " " + shown(key) + " is " + value.dump() + ", not a positive number");
        }
        const bool ends = path.ends_with(name) && path.size() > name.size() && path[path.size() - name.size() - 1] == '.';
        if (path == name || (ends && !whole)) return value.get<double>();
    }
    return fallback;
}

/// A's rows, or B's columns, up to `rank`, the new ones zero; B times `factor`.
void widen(PeftMatrix& matrix, bool is_a, std::int64_t rank, double factor) {
    if (is_a) {
        matrix.values.resize(static_cast<std::size_t>(rank * matrix.shape[1]));
        matrix.shape[0] = rank;
        return;
    }
    const std::int64_t own = matrix.shape[1];
    std::vector<float> out(static_cast<std::size_t>(matrix.shape[0] * rank));
    for (std::int64_t row = 0; row < matrix.shape[0]; ++row) {
        for (std::int64_t i = 0; i < own; ++i) {
            out[static_cast<std::size_t>(row * rank + i)] =
                static_cast<float>(matrix.values[static_cast<std::size_t>(row * own + i)] * factor);
        }
    }
    matrix.values = std::move(out);
    matrix.shape[1] = rank;
}

/// One rank and one alpha for all modules: the highest rank, and each B as large as its own scale asks.
void even_out(const json& config, PeftAdapter& adapter, const Fail& fail) {
    const auto scale_of = [&](double alpha, double rank) { return alpha / (adapter.rslora ? std::sqrt(rank) : rank); };
    const double scale = scale_of(adapter.alpha, adapter.rank);
    constexpr int most_stretch = 64;   // a small file must not ask for much memory
    int highest = adapter.rank, lowest = highest_rank;
    std::map<std::string, double> ranks;   // by matrix
    bool even = true;
    for (const auto& [path, matrix] : adapter.lora) {
        const std::string module = path.substr(0, path.rfind('.'));
        const double rank = by_pattern(config, "rank_pattern", module, adapter.rank, fail);
        if (rank != std::floor(rank) || rank > highest_rank) {
            fail("rank_pattern gives " + module + " a rank that is not 1 to " + std::to_string(highest_rank));
        }
        const std::int64_t own = matrix.shape[path.ends_with("lora_A") ? 0 : 1];
        if (static_cast<double>(own) != rank) {
            fail(path + " has rank " + std::to_string(own) + " where r is " + std::to_string(static_cast<int>(rank)) +
                 "; the folder is damaged");
        }
        even = even && rank == adapter.rank && by_pattern(config, "alpha_pattern", module, adapter.alpha, fail) == adapter.alpha;
        highest = std::max(highest, static_cast<int>(rank));
        lowest = std::min(lowest, static_cast<int>(rank));
        ranks[path] = rank;
    }
    if (even) return;
    if (highest > most_stretch * lowest) {
        fail("ranks from " + std::to_string(lowest) + " to " + std::to_string(highest) +
             " in one adapter are not supported; keep them within a factor of " + std::to_string(most_stretch));
    }
    for (auto& [path, matrix] : adapter.lora) {
        const std::string module = path.substr(0, path.rfind('.'));
        const double own = scale_of(by_pattern(config, "alpha_pattern", module, adapter.alpha, fail), ranks.at(path));
        if (scale == 0) fail("alpha_pattern with lora_alpha 0 is not supported; use a positive lora_alpha");
        widen(matrix, path.ends_with("lora_A"), highest, own / scale);
    }
    adapter.alpha = scale * (adapter.rslora ? std::sqrt(highest) : highest);
    adapter.rank = highest;
}

PeftMatrix matrix_of(const SafeTensor& tensor, const std::string& name, const Fail& fail) {
    if (tensor.shape.size() != 2) fail(name + " is not a matrix; the file is damaged");
    PeftMatrix out{tensor.shape, as_floats(tensor)};
    if (!std::all_of(out.values.begin(), out.values.end(),
                     [](float value) { return std::isfinite(value); })) {
        fail(name + " holds a value that is not finite; the adapter was damaged in training");
    }
    return out;
}

void read_weights(const std::filesystem::path& folder, PeftAdapter& adapter, const Fail& fail) {
    const SafetensorsFile file(folder / weights_file);
    for (const auto& [key, tensor] : file.tensors()) {
        const std::string unknown =
            "tensor " + shown(key) +
            " is of a part that is not supported; only LoRA matrices and a score head are";
        std::string_view path = key;
        if (!path.starts_with(key_prefix) || !path.ends_with(key_suffix)) fail(unknown);
        path.remove_prefix(key_prefix.size());
        path.remove_suffix(key_suffix.size());
        const std::string part = leaf_of(path);
        if (part == "lora_A" || part == "lora_B") {
            const auto block = block_of_module(path.substr(0, path.size() - part.size() - 1));
            if (!block) fail(unknown);
            const auto& blocks = adapter.layers_to_transform;
            if (!blocks.empty() && std::find(blocks.begin(), blocks.end(), *block) == blocks.end()) {
                fail("tensor " + shown(key) +
                     " is of a block that layers_to_transform leaves out; the folder is damaged");
            }
            adapter.lora[std::string(path)] = matrix_of(tensor, key, fail);
        } else if (path == "score" && adapter.task_type == "SEQ_CLS") {
            adapter.saved["score.weight"] = matrix_of(tensor, key, fail);
        } else {
            fail(unknown);
        }
    }
}

/// Each lora_A has its lora_B, and the modules are those that the configuration names.
void check_pairs(const json& config, PeftAdapter& adapter, const Fail& fail) {
    std::set<std::string> modules;
    std::set<int> blocks;
    for (const auto& [path, matrix] : adapter.lora) {
        const bool is_a = path.ends_with("lora_A");
        const std::string module = path.substr(0, path.rfind('.'));
        const std::string other = module + (is_a ? ".lora_B" : ".lora_A");
        if (!adapter.lora.contains(other)) fail(other + " is missing; the file is damaged");
        modules.insert(leaf_of(module));
        blocks.insert(block_of_module(module).value());
    }
    if (modules.empty()) fail("no LoRA matrices; the file is damaged");
    adapter.target_modules.assign(modules.begin(), modules.end());
    // A list of paths may leave blocks out without layers_to_transform.
    const bool from_the_first_on = *blocks.rbegin() + 1 == static_cast<int>(blocks.size());
    if (adapter.layers_to_transform.empty() && !from_the_first_on) {
        adapter.layers_to_transform.assign(blocks.begin(), blocks.end());
    }

    // target_modules may be a pattern; a list names modules, by path or by the path's end.
    const json targets = config.value("target_modules", json());
    for (const json& target : targets.is_array() ? targets : json::array()) {
        if (!target.is_string())
            fail("target_modules holds " + target.dump() + ", not a text; the file is damaged");
        if (!modules.contains(leaf_of(target.get<std::string>()))) {
            fail("target module " + target.dump() + " has no LoRA matrices; the folder is damaged");
        }
    }
}

void check_head(const PeftAdapter& adapter, const Fail& fail) {
    if (adapter.task_type != "SEQ_CLS") return;
    const auto score = adapter.saved.find("score.weight");
    if (score == adapter.saved.end())
        fail("the score head of a SEQ_CLS adapter is missing; save it in modules_to_save");
    if (score->second.shape[0] != 1) {
        fail("the score head has " + std::to_string(score->second.shape[0]) +
             " outputs where a reward model has 1; use a reward model's adapter");
    }
}

json config_of(const PeftAdapter& adapter) {
    json config = {
        {"alpha_pattern", json::object()},
        {"auto_mapping", nullptr},
        {"base_model_name_or_path", adapter.base_model.empty() ? json() : json(adapter.base_model)},
        {"bias", "none"},
        {"exclude_modules", nullptr},
        {"fan_in_fan_out", adapter.fan_in_fan_out},
        {"inference_mode", true},
        {"init_lora_weights", true},
        {"layer_replication", nullptr},
        {"layers_pattern", nullptr},
        {"layers_to_transform",
         adapter.layers_to_transform.empty() ? json() : json(adapter.layers_to_transform)},
        {"loftq_config", json::object()},
        {"lora_alpha", adapter.alpha},
        {"lora_bias", false},
        {"lora_dropout", 0.0},
        {"modules_to_save", nullptr},
        {"peft_type", "LORA"},
        {"r", adapter.rank},
        {"rank_pattern", json::object()},
        {"revision", nullptr},
        {"target_modules", adapter.target_modules},
        {"task_type", adapter.task_type},
        {"use_dora", false},
        {"use_rslora", adapter.rslora},
    };
    if (adapter.alpha == std::floor(adapter.alpha) && std::abs(adapter.alpha) < 1e9) {
        config["lora_alpha"] = static_cast<std::int64_t>(adapter.alpha);  // as peft writes it
    }
    if (!adapter.saved.empty()) config["modules_to_save"] = {"classifier", "score"};
    return config;
}

}  // namespace

PeftAdapter read_peft(const std::filesystem::path& folder) {
    const Fail fail{folder};
    if (!std::filesystem::is_directory(folder)) {
        fail("this is not a folder; name the folder that holds " + std::string(config_file));
    }
    const json config = read_json_object(folder / config_file, "read adapter", longest_config);
    check_settings(config, fail);
    PeftAdapter adapter = settings_of(config, fail);
    try {
        read_weights(folder, adapter, fail);
    } catch (const Error& error) {
        const std::string_view what = error.what();
        if (what.starts_with("read adapter: ")) throw;
        throw Error("read adapter", std::string(what));
    }
    check_pairs(config, adapter, fail);
    even_out(config, adapter, fail);
    check_head(adapter, fail);
    return adapter;
}

void write_peft(const std::filesystem::path& folder, const PeftAdapter& adapter) {
    std::map<std::string, SafeTensor> tensors;
    const auto add = [&](const std::string& key, const PeftMatrix& matrix) {
        tensors[key] = {"F32", matrix.shape, std::as_bytes(std::span(matrix.values))};
    };
    for (const auto& [path, matrix] : adapter.lora)
        add(std::string(key_prefix) + path + std::string(key_suffix), matrix);
    for (const auto& [path, matrix] : adapter.saved) add(std::string(key_prefix) + path, matrix);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        throw Error("write adapter",
                    folder.string() + ": " + error.message() + "; choose a folder that can be written");
    }
    write_safetensors(folder / weights_file, tensors, {{"format", "pt"}});
    write_atomically(folder / config_file, {config_of(adapter).dump(2) + "\n"}, "write adapter");
}

}  // namespace plumbline
