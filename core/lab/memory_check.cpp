#include "core/lab/memory_check.h"

#include <algorithm>

#include "core/api/algorithms.h"
#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/memory_forecast.h"
#include "core/api/recommended.h"
#include "core/formats/model_files.h"
#include "core/lab/bench_runs.h"
#include "core/lab/machine.h"
#include "core/model/language_model.h"
#include "core/model/lora.h"
#include "core/model/processor.h"
#include "core/model/stored_loops.h"
#include "core/training/passes.h"

namespace plumbline {

namespace {

std::string megabytes(std::int64_t bytes) {
    return std::to_string((bytes + 500'000) / 1'000'000) + " MB";
}

}  // namespace

std::int64_t reachable_memory() {
    return available_bytes() + resident_bytes();
}

std::int64_t memory_limit(const EngineOptions& options) {
    if (options.memory_limit > 0) {
        return options.memory_limit;
    }
    const at::Device device = find_device(options.device);
    return device.is_cpu() ? reachable_memory() : free_device_bytes(device).value_or(reachable_memory());
}

void require_memory(const std::string& operation, const std::string& what, std::int64_t need,
                    std::int64_t limit) {
    if (need > limit) {
        throw Error(operation,
                    what + " needs about " + megabytes(need) + " of memory where " + megabytes(limit) +
                        " can be had; close other programs, or choose bf16, shorter or fewer replies, or a "
                        "smaller model");
    }
}

bool runs_samples(BenchWhat what) {
    return what == BenchWhat::sample || what == BenchWhat::reinforce || what == BenchWhat::rloo ||
           what == BenchWhat::grpo || what == BenchWhat::ppo;
}

MemoryWork bench_memory(BenchWhat what, const BenchConfig& config, const DecoderConfig& model) {
    MemoryWork work;
    if (what == BenchWhat::logprobs) {
        return work;
    }
    if (what == BenchWhat::click) {
        return session_memory({}, model);
    }
    if (runs_samples(what)) {
        work.prompts = 1;
        work.prompt_tokens = config.prompt_tokens;
        work.rows = config.candidates;
        work.reply_tokens = config.max_new_tokens;
    }
    if (what == BenchWhat::sample) {
        return work;
    }
    work.lora_rank = config.lora_rank;
    work.output_layer = what != BenchWhat::reward;
    if (runs_samples(what)) {
        work.graph_rows = config.prompt_tokens + std::int64_t{config.candidates} * config.max_new_tokens;
    } else {
        const bool single = what == BenchWhat::kto || what == BenchWhat::sft;
        const std::int64_t pair = 2 * std::int64_t{config.pair_tokens} - config.pair_prompt_tokens();
        // All are as long as the longest: a pass takes whole ones.
        const std::int64_t pairs = std::clamp<std::int64_t>(rows_of_a_pass() / pair, 1, config.pairs);
        work.graph_rows = single ? config.pair_tokens : pairs * pair;
    }
    return work;
}

MemoryWork stage_memory(const StageConfig& config, const DecoderConfig& model, std::int64_t graph_rows) {
    MemoryWork work;
    work.graph_rows = graph_rows;
    work.kept_states = 2;  // of the last step and of the one before it, for what a guard goes back to
    std::visit(
        [&](const auto& c) {
            using Config = std::decay_t<decltype(c)>;
            work.lora_rank = c.lora_rank;
            work.first_block = first_lora_block(c, model);
            work.output_layer = !std::is_same_v<Config, RewardConfig>;
            work.all_weights = work.output_layer && trains_all_weights(c, model.parameters());
            if constexpr (std::is_base_of_v<OnPolicyConfig, Config>) {
                work.prompts = c.batch_size * c.accumulate;
                work.rows = work.prompts * c.group_size;
                work.reply_tokens = c.max_new_tokens;
                work.prompt_tokens = std::max<std::int64_t>(0, graph_rows - c.group_size * c.max_new_tokens);
            }
        },
        config);
    return work;
}

MemoryWork session_memory(const SessionConfig& config, const DecoderConfig& model) {
    constexpr std::int64_t letters_a_token = 4, question_tokens = 32;
    MemoryWork work;
    work.prompts = 1;
    work.prompt_tokens =
        static_cast<std::int64_t>(config.system_prompt.size()) / letters_a_token + question_tokens;
    work.rows = config.sampling.candidates;
    work.reply_tokens = config.sampling.max_new_tokens;
    const bool samples = info(config.live.algorithm).learns_from == LearnsFrom::samples;
    if (config.live.steps_per_click > 0) {
        const int replies = samples ? config.live.group_size : 2;
        work.graph_rows = work.prompt_tokens + replies * work.reply_tokens;
        if (!samples) {
            work.graph_rows = most_rows_of_a_pass(work.graph_rows, 1 + config.live.replay_pairs);
        }
        if (samples) {
            work.prompts = config.live.prompts;
            work.rows = std::max<std::int64_t>(work.rows, config.live.prompts * config.live.group_size);
        }
    }
    work.lora_rank = config.lora.lora_rank;
    work.first_block = first_lora_block(config.lora, model);
    work.all_weights = trains_all_weights(config.lora, model.parameters());
    work.kept_states = 2;
    if (!samples && !work.all_weights) {
        work.kept_rows = static_cast<std::int64_t>(memory::kept_replies) * (work.prompt_tokens + work.reply_tokens);
    }
    return work;
}

namespace {

/// What sampling keeps of a file beside the packed weights (stored_weight.h); the embedding is kept anyway.
std::int64_t stored_bytes(const ModelFiles& files, Precision precision) {
    std::int64_t out = 0;
    const auto add = [&](Part part, int block) {
        if (files.gguf() == nullptr || shape_of(files.config(), part, false).rows == 0) {
            return;
        }
        const auto rows = files.stored_rows({part, block, false});
        if (rows && loops::multiplies_stored(rows->type, precision == Precision::bf16)) {
            out += rows->rows * rows->row_bytes();
        }
    };
    for (int block = 0; block < files.config().blocks; ++block) {
        for (const Part part : {Part::q, Part::k, Part::v, Part::o, Part::gate, Part::up, Part::down}) {
            add(part, block);
        }
    }
    add(Part::output, 0);
    return out;
}

MemoryWork with_files(MemoryWork work, const ModelFiles& files, Precision precision) {
    work.file_bytes = files.bytes();
    work.stored_bytes = stored_bytes(files, precision);
    work.one_copy = has_tiles();
    return work;
}

}  // namespace

std::int64_t require_memory_for(const std::string& operation, const std::string& what,
                                const std::filesystem::path& file, const std::string& dtype,
                                const std::function<MemoryWork(const DecoderConfig&)>& work,
                                std::int64_t limit) {
    const ModelFiles files(file);
    const DecoderConfig& config = files.config();
    const Precision precision = precision_of(dtype);
    const std::int64_t need = memory_need(config, precision, with_files(work(config), files, precision)).peak();
    require_memory(operation, what, need, limit);
    return need;
}

std::vector<MemoryForecast> forecast_memory(const std::string& model, const std::string& dtype) {
    const ModelFiles files(resolve_model(model));
    const DecoderConfig& config = files.config();
    const Precision precision = precision_of(dtype);
    const BenchConfig usual;
    const std::string samples =
        std::to_string(usual.candidates) + " x " + std::to_string(usual.max_new_tokens) + " tokens";
    const std::string pairs =
        std::to_string(usual.pairs) + " pairs of 2 x " + std::to_string(usual.pair_tokens) + " tokens";
    const auto need = [&](const MemoryWork& work) {
        return memory_need(config, precision, with_files(work, files, precision)).peak();
    };
    std::vector<MemoryForecast> out{{"open", "the weights alone", need({})}};
    const auto add = [&](const char* name, BenchWhat what, const std::string& summary) {
        out.push_back({name, summary, need(bench_memory(what, usual, config))});
    };
    add("sample", BenchWhat::sample, samples);
    add("reward", BenchWhat::reward, pairs);
    add("dpo", BenchWhat::dpo, pairs);
    add("rloo", BenchWhat::rloo, samples);
    return out;
}

}  // namespace plumbline
