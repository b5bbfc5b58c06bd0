// What the machine gives: tokens per second, seconds a step, and what a click costs.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/lab/bench_runs.h"
#include "core/lab/machine.h"
#include "core/lab/memory_check.h"
#include "core/sampling/generator.h"
#include "core/training/policy.h"

namespace plumbline {

std::vector<int> some_ids(int count, int vocabulary, std::uint32_t stream) {
    std::vector<int> out(static_cast<std::size_t>(count));
    for (std::uint32_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<int>(uniform({1, stream, 0, 0, i}) * vocabulary);
    }
    return out;
}

BenchResult repeat(int repeats, const Job& job, const std::function<std::int64_t()>& work) {
    std::vector<double> seconds;
    std::int64_t tokens = 0;
    for (int i = 0; i <= repeats; ++i) {
        if (job.stop.stop_requested()) {
            throw Stopped();
        }
        const auto start = std::chrono::steady_clock::now();
        const std::int64_t handled = work();
        if (i > 0) {
            seconds.push_back(seconds_since(start));
            tokens = handled;
        }
        if (job.progress) {
            job.progress(static_cast<double>(i + 1) / (repeats + 1), "measuring");
        }
    }
    std::sort(seconds.begin(), seconds.end());
    BenchResult result;
    result.step_median = seconds[seconds.size() / 2];
    result.step_min = seconds.front();
    result.step_max = seconds.back();
    result.tokens_per_s = static_cast<double>(tokens) / result.step_median;
    return result;
}

namespace {

std::int64_t sample_once(const OpenedModel& opened, const BenchConfig& config, std::uint32_t stream) {
    const GenerationPrompt prompt{some_ids(config.prompt_tokens, opened.model->tokenizer().vocab_size(), 7),
                                  0};
    GenerationRequest request;
    request.prompts = {&prompt, 1};
    request.samples = config.candidates;
    request.sampling.max_new_tokens = config.max_new_tokens;
    request.stream = stream;
    request.ends = {};  // every reply runs its full length
    std::int64_t tokens = 0;
    for (const Reply& reply : generate_replies(opened.model->decoder(), nullptr, request, opened.pulse)) {
        tokens += static_cast<std::int64_t>(reply.ids.size());
    }
    return tokens;
}

void require_range(const char* name, int value, int least, int most) {
    if (value < least || value > most) {
        throw ConfigError("bench", std::string(name) + " is " + std::to_string(value) + "; choose " +
                                       std::to_string(least) + ".." + std::to_string(most));
    }
}

/// Tokens of the longest row; 0 where the work has a length of its own.
int row_tokens(BenchWhat what, const BenchConfig& config) {
    if (what == BenchWhat::logprobs || what == BenchWhat::click) {
        return 0;
    }
    return runs_samples(what) ? config.prompt_tokens + config.max_new_tokens : config.pair_tokens;
}

void require_context(BenchWhat what, const BenchConfig& config, const DecoderConfig& model) {
    const int needed = row_tokens(what, config);
    if (needed > model.context) {
        throw Error("bench", "rows of " + std::to_string(needed) + " tokens exceed the model's context of " +
                                 std::to_string(model.context) +
                                 "; choose shorter prompts, replies or pairs");
    }
}

}  // namespace

void validate(const BenchConfig& config, BenchWhat what) {
    constexpr int most_tokens = 65536;
    require_range("repeats", config.repeats, 1, 1000);
    // A step on samples compares replies with each other.
    require_range("candidates", config.candidates, runs_samples(what) && what != BenchWhat::sample ? 2 : 1,
                  256);
    require_range("max_new_tokens", config.max_new_tokens, 1, 4096);
    require_range("prompt_tokens", config.prompt_tokens, 1, most_tokens);
    require_range("pairs", config.pairs, 1, 256);
    require_range("pair_tokens", config.pair_tokens, 2, most_tokens);
    require_range("lora_rank", config.lora_rank, 1, 256);
}

BenchResult bench(BenchWhat what, const std::string& model, const BenchConfig& config,
                  const EngineOptions& options, const Job& job) {
    validate(config, what);
    const auto work = [&](const DecoderConfig& sizes) {
        require_context(what, config, sizes);
        return bench_memory(what, config, sizes);
    };
    const std::int64_t foretold =
        require_memory_for("bench", "this", resolve_model(model), options.dtype, work, memory_limit(options));
    BenchResult result;
    if (what == BenchWhat::click) {
        result = bench_click(model, config.repeats, options, job);
        result.threads = options.threads > 0 ? options.threads : physical_cores();
    } else {
        const OpenedModel opened(model, options, job);
        if (what == BenchWhat::sample) {
            std::uint32_t stream = 0;
            result = repeat(config.repeats, job, [&] { return sample_once(opened, config, ++stream); });
        } else if (what == BenchWhat::logprobs) {
            at::NoGradGuard no_grad;
            const int row =
                static_cast<int>(std::min<std::int64_t>(512, opened.model->decoder().config().context));
            const Sequence sequence{some_ids(row, opened.model->tokenizer().vocab_size(), 3), 1};
            result = repeat(config.repeats, job, [&]() -> std::int64_t {
                policy_logprobs(opened.model->decoder(), nullptr, pack({&sequence, 1}), {}, 1.0,
                                opened.pulse);
                return row - 1;
            });
        } else {
            result = bench_training(what, opened, config, job);
        }
        result.threads = opened.threads;
    }
    result.rss_mb = static_cast<double>(peak_bytes()) / (1 << 20);
    result.forecast_mb = static_cast<double>(foretold) / (1 << 20);
    result.dtype = options.dtype;
    return result;
}

}  // namespace plumbline
