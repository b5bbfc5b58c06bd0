// The training stages of the command line: one loop, three kinds of gradient.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/model/lora.h"
#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/peft.h"
#include "core/formats/preferences.h"
#include "core/lab/opened_model.h"
#include "core/training/adamw.h"
#include "core/training/reward_model.h"
#include "core/training/rloo.h"

namespace plumbline {

using at::Tensor;

namespace {

// A file's reply ends with EOS, appended when it is not there already.
std::vector<int> reply_ids(const LanguageModel& model, const std::string& text) {
    std::vector<int> ids = model.tokenizer().encode(text, SpecialTokens::parse);
    const int eos = model.tokenizer().eos();
    if (eos >= 0 && (ids.empty() || ids.back() != eos)) {
        ids.push_back(eos);
    }
    return ids;
}

std::vector<int> prompt_ids(const LanguageModel& model, const PromptPart& prompt) {
    const auto* text = std::get_if<std::string>(&prompt);
    return text ? model.plain_prompt(*text) : model.render(std::get<std::vector<Message>>(prompt));
}

struct PairRow {
    Sequence chosen, rejected;
};

std::vector<PairRow> read_pairs(const OpenedModel& opened, const TrainRequest& request, int max_length,
                                std::vector<std::string>& skipped) {
    const Preferences data = read_preferences(request.data);
    skipped = data.skipped;
    std::vector<PairRow> rows;
    for (const PreferenceRow& row : data.rows) {
        try {
            const std::vector<int> prompt = prompt_ids(*opened.model, row.prompt);
            rows.push_back({opened.sequence(prompt, reply_ids(*opened.model, row.chosen), max_length),
                            opened.sequence(prompt, reply_ids(*opened.model, row.rejected), max_length)});
        } catch (const Error& error) {
            skipped.push_back("line " + std::to_string(row.line) + ": " + error.what());
        }
    }
    if (rows.empty()) {
        throw Error("train", request.data.string() + ": no row can be used (" +
                                 (skipped.empty() ? "the file is empty" : skipped.front()) + ")");
    }
    return rows;
}

// Indexes of one epoch; Fisher-Yates with counter-based numbers, so that the order is a function of seed and epoch.
std::vector<std::size_t> epoch_order(std::size_t rows, const OptimizerConfig& config, int epoch) {
    std::vector<std::size_t> order(rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = rows; config.shuffle && i > 1; --i) {
        const double u = uniform(config.seed, Use::shuffle, static_cast<std::uint64_t>(epoch), static_cast<std::uint32_t>(i));
        std::swap(order[i - 1], order[static_cast<std::size_t>(u * static_cast<double>(i))]);
    }
    return order;
}

double learning_rate(const OptimizerConfig& config, int step, int total) {
    if (step < config.warmup_steps) {
        return config.lr * step / config.warmup_steps;
    }
    const double progress = static_cast<double>(step - config.warmup_steps) / std::max(1, total - config.warmup_steps);
    switch (config.schedule) {
        case Schedule::linear: return config.lr * (1 - progress);
        case Schedule::cosine: return config.lr * 0.5 * (1 + std::cos(M_PI * progress));
        default: return config.lr;
    }
}

/// Adds a batch's gradient and returns its metrics; `step` counts from 0.
using Gradients = std::function<Metrics(const std::vector<std::size_t>& batch, int step)>;

TrainResult run_steps(const OptimizerConfig& config, std::size_t rows, int steps_a_batch, AdamW& optimizer,
                      const Gradients& gradients, const Pulse& pulse, const Job& job,
                      const std::function<void(const StepMetrics&)>& on_step) {
    const auto batch_size = static_cast<std::size_t>(config.batch_size);
    const auto steps_an_epoch = static_cast<int>((rows + batch_size - 1) / batch_size);
    const int total = config.steps > 0 ? config.steps : steps_an_epoch * config.epochs * steps_a_batch;
    TrainResult result;
    for (int epoch = 0; result.steps < total; ++epoch) {
        const std::vector<std::size_t> order = epoch_order(rows, config, epoch);
        int step_of_batch = 0;
        for (std::size_t begin = 0; begin < rows && result.steps < total;) {
            pulse.check();
            const std::vector<std::size_t> batch(order.begin() + begin,
                                                 order.begin() + std::min(rows, begin + batch_size));
            try {
                StepMetrics metrics{result.steps + 1, gradients(batch, result.steps)};
                const double lr = learning_rate(config, result.steps, total);
                metrics.values["grad_norm"] = optimizer.step(lr, config.weight_decay, config.clip_norm).gradient_norm;
                metrics.values["lr"] = lr;
                ++result.steps;
                result.last = metrics.values;
                on_step(metrics);
            } catch (const NonFinite& error) {
                throw Error("train", "step " + std::to_string(result.steps + 1) + ": " + error.what() +
                                         "; lower lr or check the data");
            }
            if (job.progress) {
                job.progress(static_cast<double>(result.steps) / total, "training");
            }
            step_of_batch = (step_of_batch + 1) % steps_a_batch;
            begin += step_of_batch == 0 ? batch_size : 0;
        }
    }
    return result;
}

PeftAdapter new_peft(const OpenedModel& opened) {
    PeftAdapter peft;
    peft.base_model = opened.model->info().name;
    return peft;
}

TrainResult train_dpo(const DpoConfig& config, const TrainRequest& request, const OpenedModel& opened, const Job& job,
                      const std::function<void(const StepMetrics&)>& on_step) {
    const Decoder& decoder = opened.model->decoder();
    std::vector<std::string> skipped;
    const std::vector<PairRow> rows = read_pairs(opened, request, config.max_length, skipped);
    LoraAdapter adapter = request.init_adapter.empty()
                              ? LoraAdapter::fresh(decoder.config(), config, config.seed)
                              : *opened.adapter(request.init_adapter.string());
    adapter.require_grad(true);
    AdamW optimizer(adapter.tensors(), adapter.tensor_names());

    // The reference is the policy as training starts, as TRL has it: the backbone for a fresh adapter, the given adapter
    // otherwise. Its log-probs are computed once a row: (chosen, rejected).
    const LoraAdapter initial = adapter.clone();
    std::vector<std::optional<std::pair<double, double>>> reference(rows.size());
    const auto reference_of = [&](std::size_t row) {
        if (!reference[row]) {
            at::NoGradGuard no_grad;
            const PackedBatch batch = pack(std::array{rows[row].chosen, rows[row].rejected});
            const Tensor sums = sum_replies(batch, policy_logprobs(decoder, &initial, batch, {}, 1.0, opened.pulse));
            reference[row] = {sums[0].item<double>(), sums[1].item<double>()};
        }
        return *reference[row];
    };
    const auto gradients = [&](const std::vector<std::size_t>& batch, int) {
        std::vector<PreferencePair> pairs;
        for (const std::size_t row : batch) {
            const auto [chosen, rejected] = reference_of(row);
            pairs.push_back({rows[row].chosen, rows[row].rejected, {}, {}, chosen, rejected});
        }
        return dpo_gradients(decoder, adapter, pairs, config.beta, opened.pulse);
    };
    TrainResult result = run_steps(config, rows.size(), 1, optimizer, gradients, opened.pulse, job, on_step);
    result.skipped = std::move(skipped);
    PeftAdapter peft = new_peft(opened);
    adapter.to_peft(peft);
    write_peft(request.out, peft);
    return result;
}

TrainResult train_reward(const RewardConfig& config, const TrainRequest& request, const OpenedModel& opened,
                         const Job& job, const std::function<void(const StepMetrics&)>& on_step) {
    const Decoder& decoder = opened.model->decoder();
    std::vector<std::string> skipped;
    const std::vector<PairRow> rows = read_pairs(opened, request, config.max_length, skipped);
    RewardModel model = request.init_adapter.empty()
                            ? RewardModel::fresh(decoder.config(), config, config.seed)
                            : RewardModel::from_peft(decoder.config(), read_peft(request.init_adapter));
    model.require_grad(true);
    AdamW optimizer(model.tensors(), model.tensor_names());
    const auto gradients = [&](const std::vector<std::size_t>& batch, int) {
        std::vector<RewardPair> pairs;
        for (const std::size_t row : batch) {
            pairs.push_back({rows[row].chosen, rows[row].rejected});
        }
        return reward_gradients(decoder, model, pairs, config.center, opened.pulse);
    };
    TrainResult result = run_steps(config, rows.size(), 1, optimizer, gradients, opened.pulse, job, on_step);
    result.skipped = std::move(skipped);
    PeftAdapter peft = new_peft(opened);
    model.to_peft(peft);
    write_peft(request.out, peft);
    return result;
}

TrainResult train_rloo(const RlooConfig& config, const TrainRequest& request, const OpenedModel& opened, const Job& job,
                       const std::function<void(const StepMetrics&)>& on_step) {
    const Decoder& decoder = opened.model->decoder();
    if (request.reward_adapter.empty()) {
        throw ConfigError("train rloo", "there is no reward model; give one with --reward-adapter");
    }
    const RewardModel reward = RewardModel::from_peft(decoder.config(), read_peft(request.reward_adapter));
    std::vector<GenerationPrompt> prompts;
    for (const PromptPart& prompt : read_prompts(request.data)) {
        prompts.push_back({prompt_ids(*opened.model, prompt), static_cast<std::uint32_t>(prompts.size())});
        opened.model->require_room(prompts.back().ids.size(), config.max_new_tokens);
    }
    LoraAdapter adapter = request.init_adapter.empty()
                              ? LoraAdapter::fresh(decoder.config(), config, config.seed)
                              : *opened.adapter(request.init_adapter.string());
    adapter.require_grad(true);
    AdamW optimizer(adapter.tensors(), adapter.tensor_names());
    const LoraAdapter initial = adapter.clone();   // the reference: the policy as training starts
    PolicyGradientSettings settings;
    settings.beta = config.beta;
    settings.temperature = config.temperature;
    settings.clip_range = config.clip_range;
    settings.missing_eos_reward = config.missing_eos_reward;
    settings.group_size = config.group_size;

    const auto sample = [&](const std::vector<std::size_t>& batch, int step) {
        std::vector<GenerationPrompt> chosen;
        for (const std::size_t row : batch) {
            chosen.push_back(prompts[row]);
        }
        GenerationRequest generation;
        generation.prompts = chosen;
        generation.samples = config.group_size;
        generation.sampling.temperature = config.temperature;
        generation.sampling.max_new_tokens = config.max_new_tokens;
        generation.seed = config.seed;
        generation.stream = static_cast<std::uint32_t>(step);
        generation.eos = opened.model->tokenizer().eos();
        const auto score = [&](const Sequence& sequence, const ReferenceFacts&) {
            return token_rewards(decoder, reward, pack({&sequence, 1}), opened.pulse)[-1].item<double>();
        };
        return draw_rollouts(decoder, adapter, &initial, generation, score, opened.pulse);
    };
    std::vector<Rollout> rollouts;
    const auto gradients = [&](const std::vector<std::size_t>& batch, int step) {
        if (step % config.epochs_per_batch == 0) {
            rollouts = sample(batch, step);
        }
        return rloo_gradients(decoder, adapter, rollouts, settings, opened.pulse);
    };
    TrainResult result = run_steps(config, prompts.size(), config.epochs_per_batch, optimizer, gradients, opened.pulse, job, on_step);
    PeftAdapter peft = new_peft(opened);
    adapter.to_peft(peft);
    write_peft(request.out, peft);
    return result;
}

}  // namespace

TrainResult train(const TrainRequest& request, const EngineOptions& options, const Job& job,
                  const std::function<void(const StepMetrics&)>& on_step) {
    std::visit([](const auto& config) { validate(config); }, request.config);
    const OpenedModel opened(request.model, options, job);
    if (const auto* dpo = std::get_if<DpoConfig>(&request.config)) {
        return train_dpo(*dpo, request, opened, job, on_step);
    }
    if (const auto* reward = std::get_if<RewardConfig>(&request.config)) {
        return train_reward(*reward, request, opened, job, on_step);
    }
    return train_rloo(std::get<RlooConfig>(request.config), request, opened, job, on_step);
}

}  // namespace plumbline
