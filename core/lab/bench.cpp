// What the machine gives: tokens per second, seconds a step, and what a click costs.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/model/lora.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/lab/machine.h"
#include "core/lab/opened_model.h"
#include "core/lab/temporary_folder.h"
#include "core/training/adamw.h"
#include "core/training/dpo.h"
#include "core/training/reward_model.h"
#include "core/training/rloo.h"

namespace plumbline {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int prompt_tokens = 40, pair_tokens = 55, pairs = 4;

/// Ids that mean nothing but cost what real ones do; the same on every run.
std::vector<int> some_ids(int count, int vocabulary, std::uint32_t stream) {
    std::vector<int> out(count);
    for (int i = 0; i < count; ++i) {
        out[i] = static_cast<int>(uniform({1, stream, 0, 0, static_cast<std::uint32_t>(i)}) * vocabulary);
    }
    return out;
}

Sequence some_sequence(int vocabulary, std::uint32_t stream) {
    return {some_ids(pair_tokens, vocabulary, stream), prompt_tokens / 2};
}

/// Runs `work` repeats + 1 times, the first not counted; it returns the tokens it handled.
BenchResult repeat(int repeats, const Job& job, const std::function<std::int64_t()>& work) {
    std::vector<double> seconds;
    std::int64_t tokens = 0;
    for (int i = 0; i <= repeats; ++i) {
        if (job.stop.stop_requested()) {
            throw Stopped();
        }
        const auto start = Clock::now();
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

std::int64_t sample_once(const OpenedModel& opened, const Adapter* adapter, int candidates, int max_new_tokens,
                         std::uint32_t stream) {
    const GenerationPrompt prompt{some_ids(prompt_tokens, opened.model->tokenizer().vocab_size(), 7), 0};
    GenerationRequest request;
    request.prompts = {&prompt, 1};
    request.samples = candidates;
    request.sampling.max_new_tokens = max_new_tokens;
    request.stream = stream;
    request.eos = -1;   // every reply runs its full length
    std::int64_t tokens = 0;
    for (const Reply& reply : generate_replies(opened.model->decoder(), adapter, request, opened.pulse)) {
        tokens += static_cast<std::int64_t>(reply.ids.size());
    }
    return tokens;
}

/// LoRA r 16 on every linear layer, as the peers' figures have it.
LoraConfig bench_lora() {
    LoraConfig config;
    config.lora_rank = 16;
    config.lora_alpha = 32;
    config.lora_first_block = 0;
    return config;
}

BenchResult bench_training(BenchWhat what, const OpenedModel& opened, int repeats, int candidates, int max_new_tokens,
                           const Job& job) {
    const Decoder& decoder = opened.model->decoder();
    const int vocabulary = opened.model->tokenizer().vocab_size();
    if (what == BenchWhat::reward) {
        RewardModel model = RewardModel::fresh(decoder.config(), bench_lora(), 0);
        model.require_grad(true);
        AdamW optimizer(model.tensors(), model.tensor_names());
        std::vector<RewardPair> batch;
        for (std::uint32_t i = 0; i < pairs; ++i) {
            batch.push_back({some_sequence(vocabulary, 2 * i), some_sequence(vocabulary, 2 * i + 1)});
        }
        return repeat(repeats, job, [&]() -> std::int64_t {
            reward_gradients(decoder, model, batch, 0, opened.pulse);
            optimizer.step(1e-4, 0, 1);
            return pairs * 2 * pair_tokens;
        });
    }
    LoraAdapter adapter = LoraAdapter::fresh(decoder.config(), bench_lora(), 0);
    adapter.require_grad(true);
    AdamW optimizer(adapter.tensors(), adapter.tensor_names());
    if (what == BenchWhat::dpo) {
        // The reference's pass is part of the step: pairs are new each time.
        return repeat(repeats, job, [&]() -> std::int64_t {
            std::vector<PreferencePair> batch;
            for (std::uint32_t i = 0; i < pairs; ++i) {
                PreferencePair pair{some_sequence(vocabulary, 2 * i), some_sequence(vocabulary, 2 * i + 1), {}, {}, 0, 0};
                const auto facts = reference_facts(decoder, std::array{pair.chosen, pair.rejected}, 0, 1.0,
                                                   Want::everything, opened.pulse);
                pair.reference_chosen = facts[0].sum();
                pair.reference_rejected = facts[1].sum();
                batch.push_back(std::move(pair));
            }
            dpo_gradients(decoder, adapter, batch, 0.1, opened.pulse);
            optimizer.step(1e-4, 0, 1);
            return pairs * 2 * pair_tokens;
        });
    }
    PolicyGradientSettings settings;
    settings.group_size = candidates;
    std::uint32_t step = 0;
    return repeat(repeats, job, [&]() -> std::int64_t {
        const GenerationPrompt prompt{some_ids(prompt_tokens, vocabulary, 7), 0};
        GenerationRequest request;
        request.prompts = {&prompt, 1};
        request.samples = candidates;
        request.sampling.max_new_tokens = max_new_tokens;
        request.sampling.temperature = settings.temperature;
        request.stream = ++step;
        std::int64_t tokens = 0;
        const auto score = [&](const Sequence& sequence, const ReferenceFacts&) {
            tokens += sequence.reply_length();
            return static_cast<double>(sequence.ids.back() % 7);   // any score costs the same
        };
        const std::vector<Rollout> rollouts = draw_rollouts(decoder, adapter, nullptr, request, score, opened.pulse);
        rloo_gradients(decoder, adapter, rollouts, settings, opened.pulse);
        optimizer.step(1e-4, 0, 1);
        return tokens;
    });
}

/// A person who reads until two pairs wait, then votes twice, the second time while the first vote is being learned.
/// label_ms and next_pair_ms are the second vote's, as a window sees them; step_s is the first one's whole way.
BenchResult bench_click(const std::string& model, int repeats, const EngineOptions& options, const Job& job) {
    const TemporaryFolder folder("bench");
    Engine engine(options);
    const std::filesystem::path project = folder.path() / "session.plumb";
    engine.post(NewSession{project.string(), model, {}, {}});

    std::vector<double> label, pair, click;
    std::vector<Event> events;
    const auto next = [&]() -> Event {
        while (events.empty()) {
            if (job.stop.stop_requested()) {
                engine.stop();
                throw Stopped();
            }
            engine.wait_for_events(20);
            events = engine.take_events();
        }
        Event event = std::move(events.front());
        events.erase(events.begin());
        if (const auto* failed = std::get_if<CommandFailed>(&event.body)) {
            throw std::runtime_error(failed->message);
        }
        return event;
    };
    const auto until_pair = [&] {
        for (;;) {
            Event event = next();
            if (auto* ready = std::get_if<PairReady>(&event.body)) {
                return ready->pair;
            }
        }
    };
    Pair shown = until_pair();
    for (int i = 0; i < repeats; ++i) {
        while (engine.snapshot().pairs_ahead < 2 || engine.snapshot().pending_clicks > 0) {   // the person reads
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            if (job.stop.stop_requested()) {
                throw Stopped();
            }
        }
        events.clear();
        engine.take_events();
        const auto start = Clock::now();
        engine.post(Vote{shown.id, {Choice::left, Strength::clear, {}}});
        shown = until_pair();
        std::this_thread::sleep_for(std::chrono::milliseconds(150));   // into the training
        const auto second = Clock::now();
        engine.post(Vote{shown.id, {Choice::right, Strength::clear, {}}});
        bool recorded = false, ready = false;
        int done = 0;
        while (!recorded || !ready || done < 2) {
            Event event = next();
            if (std::holds_alternative<LabelRecorded>(event.body)) {
                label.push_back(seconds_since(second));
                recorded = true;
            } else if (auto* pair_ready = std::get_if<PairReady>(&event.body)) {
                pair.push_back(seconds_since(second));
                shown = pair_ready->pair;
                ready = true;
            } else if (std::holds_alternative<ClickDone>(event.body)) {
                ++done;
                if (done == 1) {
                    click.push_back(seconds_since(start));
                }
            }
        }
        if (job.progress) {
            job.progress(static_cast<double>(i + 1) / repeats, "clicking");
        }
    }
    BenchResult result;
    for (auto* times : {&label, &pair, &click}) {
        std::sort(times->begin(), times->end());
    }
    result.step_median = click[click.size() / 2];
    result.step_min = click.front();
    result.step_max = click.back();
    result.extra["label_ms"] = 1000 * label[label.size() / 2];
    result.extra["label_ms_max"] = 1000 * label.back();
    result.extra["next_pair_ms"] = 1000 * pair[pair.size() / 2];
    result.extra["next_pair_ms_max"] = 1000 * pair.back();
    return result;
}

}  // namespace

BenchResult bench(BenchWhat what, const std::string& model, int repeats, int candidates, int max_new_tokens,
                  const EngineOptions& options, const Job& job) {
    if (repeats < 1 || candidates < 2 || max_new_tokens < 1) {
        throw ConfigError("bench", "repeats, candidates or max_new_tokens is too small; choose at least 1, 2 and 1");
    }
    BenchResult result;
    if (what == BenchWhat::click) {
        result = bench_click(model, repeats, options, job);
        result.threads = options.threads > 0 ? options.threads : physical_cores();
    } else {
        const OpenedModel opened(model, options, job);
        if (what == BenchWhat::sample) {
            std::uint32_t stream = 0;
            result = repeat(repeats, job, [&] { return sample_once(opened, nullptr, candidates, max_new_tokens, ++stream); });
        } else if (what == BenchWhat::logprobs) {
            at::NoGradGuard no_grad;
            const Sequence sequence{some_ids(512, opened.model->tokenizer().vocab_size(), 3), 1};
            result = repeat(repeats, job, [&]() -> std::int64_t {
                policy_logprobs(opened.model->decoder(), nullptr, pack({&sequence, 1}), {}, 1.0, opened.pulse);
                return 511;
            });
        } else {
            result = bench_training(what, opened, repeats, candidates, max_new_tokens, job);
        }
        result.threads = opened.threads;
    }
    result.rss_mb = static_cast<double>(resident_bytes()) / (1 << 20);
    result.dtype = options.dtype;
    return result;
}

}  // namespace plumbline
