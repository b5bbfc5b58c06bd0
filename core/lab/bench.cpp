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

std::int64_t sample_once(const OpenedModel& opened, const Adapter* adapter, int candidates,
                         int max_new_tokens, std::uint32_t stream) {
    const GenerationPrompt prompt{some_ids(bench_prompt_tokens, opened.model->tokenizer().vocab_size(), 7),
                                  0};
    GenerationRequest request;
    request.prompts = {&prompt, 1};
    request.samples = candidates;
    request.sampling.max_new_tokens = max_new_tokens;
    request.stream = stream;
    request.eos = -1;  // every reply runs its full length
    std::int64_t tokens = 0;
    for (const Reply& reply : generate_replies(opened.model->decoder(), adapter, request, opened.pulse)) {
        tokens += static_cast<std::int64_t>(reply.ids.size());
    }
    return tokens;
}

}  // namespace

BenchResult bench(BenchWhat what, const std::string& model, int repeats, int candidates, int max_new_tokens,
                  const EngineOptions& options, const Job& job) {
    if (repeats < 1 || candidates < 2 || max_new_tokens < 1) {
        throw ConfigError("bench",
                          "repeats, candidates or max_new_tokens is too small; choose at least 1, 2 and 1");
    }
    require_memory_for(
        "bench", "this", resolve_model(model), options.dtype,
        [&](const DecoderConfig&) { return bench_memory(what, candidates, max_new_tokens); }, options.memory_limit);
    BenchResult result;
    if (what == BenchWhat::click) {
        result = bench_click(model, repeats, options, job);
        result.threads = options.threads > 0 ? options.threads : physical_cores();
    } else {
        const OpenedModel opened(model, options, job);
        if (what == BenchWhat::sample) {
            std::uint32_t stream = 0;
            result = repeat(repeats, job, [&] {
                return sample_once(opened, nullptr, candidates, max_new_tokens, ++stream);
            });
        } else if (what == BenchWhat::logprobs) {
            at::NoGradGuard no_grad;
            const Sequence sequence{some_ids(512, opened.model->tokenizer().vocab_size(), 3), 1};
            result = repeat(repeats, job, [&]() -> std::int64_t {
                policy_logprobs(opened.model->decoder(), nullptr, pack({&sequence, 1}), {}, 1.0,
                                opened.pulse);
                return 511;
            });
        } else {
            result = bench_training(what, opened, repeats, candidates, max_new_tokens, job);
        }
        result.threads = opened.threads;
    }
    result.rss_mb = static_cast<double>(peak_bytes()) / (1 << 20);
    result.dtype = options.dtype;
    return result;
}

}  // namespace plumbline
