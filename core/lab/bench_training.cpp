// What a training step of each stage costs.

#include <algorithm>
#include <string_view>

#include "core/api/errors.h"
#include "core/lab/bench_runs.h"
#include "core/model/lora.h"
#include "core/training/adamw.h"
#include "core/training/grpo.h"
#include "core/training/kto.h"
#include "core/training/ppo.h"
#include "core/training/preference.h"
#include "core/training/reinforce.h"
#include "core/training/reward_model.h"
#include "core/training/rloo.h"
#include "core/training/rollouts.h"
#include "core/training/sft.h"

namespace plumbline {

namespace {

constexpr double rate = 1e-4;

/// A reply of a pair with its prompt; `stream`: which.
Sequence some_sequence(const BenchConfig& config, int vocabulary, std::uint32_t stream) {
    return {some_ids(config.pair_tokens, vocabulary, stream), config.pair_prompt_tokens()};
}

/// Chosen and rejected: two replies to one prompt.
std::pair<Sequence, Sequence> some_pair(const BenchConfig& config, int vocabulary, std::uint32_t number) {
    const Sequence chosen = some_sequence(config, vocabulary, 2 * number);
    Sequence rejected = some_sequence(config, vocabulary, 2 * number + 1);
    std::copy_n(chosen.ids.begin(), chosen.prompt_length, rejected.ids.begin());
    return {chosen, rejected};
}

std::int64_t tokens_of_pairs(const BenchConfig& config) {
    return std::int64_t{2} * config.pairs * config.pair_tokens;
}

/// LoRA on every linear layer, as the peers' figures have it.
LoraConfig bench_lora(const BenchConfig& config) {
    LoraConfig lora;
    lora.lora_rank = config.lora_rank;
    lora.lora_alpha = 2 * config.lora_rank;
    lora.lora_first_block = 0;
    return lora;
}

/// A policy that trains.
struct BenchPolicy {
    BenchPolicy(const OpenedModel& model, const BenchConfig& bench_config)
        : opened(model),
          config(bench_config),
          decoder(model.model->decoder()),
          vocabulary(model.model->tokenizer().vocab_size()),
          adapter(LoraAdapter::fresh(decoder.config(), bench_lora(config), 0, decoder.device())) {
        adapter.require_grad(true);
        optimizer.emplace(adapter.tensors(), adapter.tensor_names());
    }
    void step() { optimizer->step(rate, 0, 1); }

    const OpenedModel& opened;
    const BenchConfig& config;
    const Decoder& decoder;
    const int vocabulary;
    LoraAdapter adapter;
    std::optional<AdamW> optimizer;
};

std::int64_t reward_step(RewardModel& model, AdamW& optimizer, const OpenedModel& opened,
                         const BenchConfig& config) {
    const int vocabulary = opened.model->tokenizer().vocab_size();
    std::vector<RewardPair> batch;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(config.pairs); ++i) {
        const auto [chosen, rejected] = some_pair(config, vocabulary, i);
        batch.push_back({chosen, rejected});
    }
    reward_gradients(opened.model->decoder(), model, batch, 0, opened.pulse);
    optimizer.step(rate, 0, 1);
    return tokens_of_pairs(config);
}

// The reference's pass is part of a step: rows are new each time.
std::int64_t pair_step(BenchPolicy& policy, const PairLoss& loss) {
    std::vector<Sequence> sequences;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(policy.config.pairs); ++i) {
        const auto [chosen, rejected] = some_pair(policy.config, policy.vocabulary, i);
        sequences.insert(sequences.end(), {chosen, rejected});
    }
    const std::vector<double> reference =
        loss.needs_reference ? reply_logprobs(policy.decoder, nullptr, sequences, policy.opened.pulse)
                             : std::vector<double>(sequences.size(), 0.0);
    std::vector<PreferencePair> batch;
    for (std::size_t i = 0; i < sequences.size(); i += 2) {
        batch.push_back({sequences[i], sequences[i + 1], {}, {}, reference[i], reference[i + 1]});
    }
    preference_gradients(policy.decoder, policy.adapter, batch, loss, {}, policy.opened.pulse);
    policy.step();
    return tokens_of_pairs(policy.config);
}

std::int64_t kto_step(BenchPolicy& policy) {
    std::vector<Sequence> sequences;
    for (std::uint32_t i = 0; i < 2 * static_cast<std::uint32_t>(policy.config.pairs); ++i) {
        sequences.push_back(some_sequence(policy.config, policy.vocabulary, i));
    }
    const std::vector<double> reference = reply_logprobs(policy.decoder, nullptr, sequences, policy.opened.pulse);
    std::vector<KtoReply> batch;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        batch.push_back({sequences[i], {}, reference[i], i % 2 == 0});
    }
    kto_gradients(policy.decoder, policy.adapter, nullptr, batch, {}, policy.opened.pulse);
    policy.step();
    return tokens_of_pairs(policy.config);
}

std::int64_t sft_step(BenchPolicy& policy) {
    std::vector<Demonstration> batch;
    for (std::uint32_t i = 0; i < 2 * static_cast<std::uint32_t>(policy.config.pairs); ++i) {
        batch.push_back({some_sequence(policy.config, policy.vocabulary, i), {}});
    }
    sft_gradients(policy.decoder, policy.adapter, batch, 0, policy.opened.pulse);
    policy.step();
    return tokens_of_pairs(policy.config);
}

/// Draws, scores and learns; `learn` takes the optimiser's steps.
std::int64_t sample_step(BenchPolicy& policy, const PolicyGradientSettings& settings, Passes passes,
                         std::uint32_t step, const std::function<void(std::span<const Rollout>)>& learn) {
    const GenerationPrompt prompt{some_ids(policy.config.prompt_tokens, policy.vocabulary, 7), 0};
    GenerationRequest request;
    request.prompts = {&prompt, 1};
    request.samples = settings.group_size;
    request.sampling.max_new_tokens = settings.max_new_tokens;
    request.sampling.temperature = settings.temperature;
    request.stream = step;
    std::int64_t tokens = 0;
    const auto score = [&](const Sequence& sequence, const ReferenceFacts&) {
        tokens += sequence.reply_length();
        return static_cast<double>(sequence.ids.back() % 7);  // any score costs the same
    };
    learn(
        draw_rollouts(policy.decoder, policy.adapter, nullptr, request, score, passes, policy.opened.pulse));
    return tokens;
}

/// One pass over one minibatch; a stage's epochs_per_batch take so many times the part after the samples.
void ppo_step(BenchPolicy& policy, ValueHead& head, AdamW& head_optimizer, std::span<const Rollout> rollouts,
              const PolicyGradientSettings& settings) {
    const Pulse& pulse = policy.opened.pulse;
    const PpoTargets targets = ppo_targets(policy.decoder, policy.adapter, head, rollouts, settings, pulse);
    const auto take_step = [&] {
        policy.step();
        head_optimizer.step(rate, 0, 1);
    };
    ppo_pass(policy.decoder, policy.adapter, head, rollouts, targets,
             ppo_minibatches(rollouts.size(), 1, 0, 0), settings, take_step, pulse);
}

BenchResult bench_samples(BenchWhat what, BenchPolicy& policy, const PolicyGradientSettings& settings,
                          const Job& job) {
    ValueHead head = ValueHead::zeros(policy.decoder.config().hidden, policy.decoder.device());
    AdamW head_optimizer(head.tensors(), head.tensor_names());
    RunningBaseline baseline;
    const Pulse& pulse = policy.opened.pulse;
    const auto learn = [&](std::span<const Rollout> rollouts) {
        if (what == BenchWhat::ppo) {
            ppo_step(policy, head, head_optimizer, rollouts, settings);
            return;
        }
        if (what == BenchWhat::grpo) {
            grpo_gradients(policy.decoder, policy.adapter, rollouts, settings, pulse);
        } else if (what == BenchWhat::reinforce) {
            reinforce_gradients(policy.decoder, policy.adapter, rollouts, settings, baseline, pulse);
        } else {
            rloo_gradients(policy.decoder, policy.adapter, rollouts, settings, pulse);
        }
        policy.step();
    };
    const Passes passes = what == BenchWhat::ppo ? Passes::many : Passes::one;
    std::uint32_t step = 0;
    return repeat(policy.config.repeats, job,
                  [&] { return sample_step(policy, settings, passes, ++step, learn); });
}

/// Empty for what is no loss on pairs.
std::string_view pair_loss_name(BenchWhat what) {
    switch (what) {
        case BenchWhat::dpo:
            return "dpo";
        case BenchWhat::ipo:
            return "ipo";
        case BenchWhat::cdpo:
            return "cdpo";
        case BenchWhat::robust_dpo:
            return "robust-dpo";
        case BenchWhat::hinge:
            return "hinge";
        case BenchWhat::orpo:
            return "orpo";
        case BenchWhat::simpo:
            return "simpo";
        default:
            return {};
    }
}

}  // namespace

BenchResult bench_training(BenchWhat what, const OpenedModel& opened, const BenchConfig& config,
                           const Job& job) {
    if (what == BenchWhat::reward) {
        RewardModel model = RewardModel::fresh(opened.model->decoder().config(), bench_lora(config), 0,
                                               opened.model->decoder().device());
        model.require_grad(true);
        AdamW optimizer(model.tensors(), model.tensor_names());
        return repeat(config.repeats, job, [&] { return reward_step(model, optimizer, opened, config); });
    }
    BenchPolicy policy(opened, config);
    if (const std::string_view name = pair_loss_name(what); !name.empty()) {
        const PairLoss& loss = pair_loss(name);
        return repeat(config.repeats, job, [&] { return pair_step(policy, loss); });
    }
    if (what == BenchWhat::kto) {
        return repeat(config.repeats, job, [&] { return kto_step(policy); });
    }
    if (what == BenchWhat::sft) {
        return repeat(config.repeats, job, [&] { return sft_step(policy); });
    }
    PolicyGradientSettings settings;
    settings.group_size = config.candidates;
    settings.max_new_tokens = config.max_new_tokens;
    if (what == BenchWhat::grpo) {
        settings.kl_in = KlPlace::loss;
        settings.kl_estimator = KlEstimator::k3;
    }
    return bench_samples(what, policy, settings, job);
}

}  // namespace plumbline
