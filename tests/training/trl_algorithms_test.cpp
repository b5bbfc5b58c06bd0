// The first ten losses and gradient norms of TRL's trainers, from the same adapter and token ids, within 1%
// and 2%. What each trainer did stands in tests/golden/make_trl_parity.py.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "core/formats/peft.h"
#include "core/model/lora.h"
#include "core/training/adamw.h"
#include "core/training/grpo.h"
#include "core/training/kto.h"
#include "core/training/preference.h"
#include "core/training/rloo.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using testing::golden_json;
using testing::golden_model;
using testing::golden_path;
using testing::still;

const nlohmann::json& golden() {
    static const nlohmann::json content = golden_json("tiny_trl.json");
    return content;
}

const Decoder& decoder() {
    return golden_model().decoder();
}

Sequence sequence_of(const nlohmann::json& prompt, const nlohmann::json& reply) {
    return join(prompt.get<std::vector<int>>(), reply.get<std::vector<int>>());
}

/// The policy as TRL's trainers had it: tiny_adapter, its frozen copy as reference, Adam.
struct Trainer {
    LoraAdapter initial = LoraAdapter::from_peft(decoder().config(), read_peft(golden_path("tiny_adapter")));
    LoraAdapter policy = initial.clone();
    AdamW optimizer{policy.tensors(), policy.tensor_names()};
    std::vector<Metrics> steps;

    Trainer() { policy.require_grad(true); }
    void step(Metrics metrics, double lr) {
        metrics["grad_norm"] = optimizer.step(lr, 0, 1).gradient_norm;
        steps.push_back(std::move(metrics));
    }
    std::vector<float> logprobs(const Adapter& adapter, const Sequence& sequence, double temperature) const {
        const at::NoGradGuard no_grad;
        const at::Tensor t =
            policy_logprobs(decoder(), &adapter, pack({&sequence, 1}), {}, temperature, still).contiguous();
        return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
    }
    double logprob(const Adapter& adapter, const Sequence& sequence) const {
        const std::vector<float> all = logprobs(adapter, sequence, 1);
        return std::accumulate(all.begin(), all.end(), 0.0);
    }
};

/// The largest difference relative to their number, which counts as at least `floor`.
double worst(const std::vector<Metrics>& ours, const nlohmann::json& theirs, const char* our_name,
             const char* their_name, double floor = 1e-3) {
    EXPECT_EQ(ours.size(), 10u);
    EXPECT_EQ(theirs.size(), 10u);
    double out = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (theirs.at(i).contains(their_name)) {
            const double expected = theirs.at(i).at(their_name).get<double>();
            out = std::max(out,
                           std::abs(ours[i].at(our_name) - expected) / std::max(std::abs(expected), floor));
        }
    }
    return out;
}

// Pairs.

enum class Reference { initial, none };

std::vector<Metrics> pair_steps(const char* rows, const char* name, const PairLossSettings& settings,
                                Reference reference) {
    Trainer trainer;
    std::vector<PreferencePair> pairs;
    for (const auto& row : golden().at(rows)) {
        PreferencePair pair;
        pair.chosen = sequence_of(row.at("prompt_ids"), row.at("chosen_ids"));
        pair.rejected = sequence_of(row.at("prompt_ids"), row.at("rejected_ids"));
        if (reference == Reference::initial) {
            pair.reference_chosen = trainer.logprob(trainer.initial, pair.chosen);
            pair.reference_rejected = trainer.logprob(trainer.initial, pair.rejected);
        }
        pairs.push_back(std::move(pair));
    }
    for (std::size_t i = 0; i < 10; ++i) {
        const auto batch = std::span(pairs).subspan(i % 6 * 4, 4);
        trainer.step(preference_gradients(decoder(), trainer.policy, batch, pair_loss(name), settings, still),
                     1e-3);
    }
    return trainer.steps;
}

void expect_same(const std::vector<Metrics>& ours, const char* name) {
    const auto& theirs = golden().at(name).at("steps");
    EXPECT_LT(worst(ours, theirs, "loss/policy", "loss"), 0.01) << name;
    EXPECT_LT(worst(ours, theirs, "grad_norm", "grad_norm"), 0.02) << name;
}

void expect_other(const std::vector<Metrics>& ours, const char* name) {
    EXPECT_GT(worst(ours, golden().at(name).at("steps"), "loss/policy", "loss"), 0.01)
        << name << ": a slightly other setting is told apart";
}

TEST(TrlAlgorithms, Ipo) {
    expect_same(pair_steps("pairs", "ipo", {.beta = 0.1}, Reference::initial), "ipo");
    expect_other(pair_steps("pairs", "ipo", {.beta = 0.102}, Reference::initial), "ipo");
}

TEST(TrlAlgorithms, Hinge) {
    expect_same(pair_steps("pairs", "hinge", {.beta = 0.1}, Reference::initial), "hinge");
    expect_other(pair_steps("pairs", "hinge", {.beta = 0.105}, Reference::initial), "hinge");
}

TEST(TrlAlgorithms, RobustDpo) {
    expect_same(pair_steps("pairs", "robust-dpo", {.beta = 0.1, .label_smoothing = 0.1}, Reference::initial),
                "robust-dpo");
    expect_other(
        pair_steps("pairs", "robust-dpo", {.beta = 0.1, .label_smoothing = 0.105}, Reference::initial),
        "robust-dpo");
}

TEST(TrlAlgorithms, ConservativeDpo) {
    expect_same(pair_steps("cpo_pairs", "cdpo", {.beta = 0.1, .label_smoothing = 0.1}, Reference::none),
                "cdpo");
    expect_other(pair_steps("cpo_pairs", "cdpo", {.beta = 0.1, .label_smoothing = 0.115}, Reference::none),
                 "cdpo");
}

TEST(TrlAlgorithms, SimPo) {
    expect_same(pair_steps("cpo_pairs", "simpo", {.beta = 2, .simpo_gamma = 1}, Reference::none), "simpo");
    expect_other(pair_steps("cpo_pairs", "simpo", {.beta = 2, .simpo_gamma = 1.03}, Reference::none),
                 "simpo");
}

TEST(TrlAlgorithms, Orpo) {
    expect_same(pair_steps("orpo_pairs", "orpo", {.orpo_lambda = 0.1}, Reference::none), "orpo");
    expect_other(pair_steps("orpo_pairs", "orpo", {.orpo_lambda = 0.2}, Reference::none), "orpo");
}

// Single replies.

std::vector<Metrics> kto_steps(double undesirable_weight) {
    Trainer trainer;
    std::vector<KtoReply> replies;
    const auto& rows = golden().at("kto").at("replies");
    for (const auto& row : rows) {
        KtoReply reply;
        reply.sequence = sequence_of(row.at("prompt_ids"), row.at("response_ids"));
        reply.reference_logprob = trainer.logprob(trainer.initial, reply.sequence);
        reply.desirable = row.at("label").get<bool>();
        replies.push_back(std::move(reply));
    }
    const auto first = std::span(replies).subspan(0, 4);
    for (std::size_t i = 0; i < 4; ++i) {  // reply i stands behind prompt i + 1, in which row TRL keeps it
        const auto& row = rows.at((i + 1) % 4);
        EXPECT_EQ(mismatched(first)[i].ids, sequence_of(row.at("prompt_ids"), row.at("mismatched_ids")).ids);
    }
    const KtoSettings settings{
        .beta = 0.1, .desirable_weight = 1.2, .undesirable_weight = undesirable_weight};
    for (std::size_t i = 0; i < 10; ++i) {
        const auto batch = std::span(replies).subspan(i % 6 * 4, 4);
        trainer.step(kto_gradients(decoder(), trainer.policy, &trainer.initial, batch, settings, still),
                     1e-3);
    }
    return trainer.steps;
}

TEST(TrlAlgorithms, Kto) {
    const auto ours = kto_steps(0.8);
    expect_same(ours, "kto");
    EXPECT_LT(worst(ours, golden().at("kto").at("steps"), "objective/kl", "kl", 0.1), 0.01);
    expect_other(kto_steps(0.82), "kto");
}

// Samples.

using SampledGradients = Metrics (*)(const Decoder&, const Adapter&, std::span<const Rollout>,
                                     const PolicyGradientSettings&, const Pulse&);

std::vector<Metrics> sampled_steps(SampledGradients gradients, const PolicyGradientSettings& settings) {
    Trainer trainer;
    const auto& rows = golden().at("rollouts");
    const std::size_t batch = 8, iterations = golden().at("iterations").get<std::size_t>();
    std::vector<Rollout> rollouts;
    for (std::size_t i = 0; i < 10; ++i) {
        if (i % iterations == 0) {  // as if just sampled
            rollouts.clear();
            for (std::size_t r = i / iterations * batch; r < (i / iterations + 1) * batch; ++r) {
                Rollout rollout;
                rollout.sequence = sequence_of(rows.at(r).at("prompt_ids"), rows.at(r).at("response_ids"));
                rollout.logprobs = trainer.logprobs(trainer.policy, rollout.sequence, settings.temperature);
                rollout.reference_logprobs =
                    trainer.logprobs(trainer.initial, rollout.sequence, settings.temperature);
                rollout.score = rows.at(r).at("reward").get<double>();
                rollout.ended = rollout.sequence.ids.back() == 2;
                rollouts.push_back(std::move(rollout));
            }
        }
        trainer.step(gradients(decoder(), trainer.policy, rollouts, settings, still), 2e-4);
    }
    return trainer.steps;
}

PolicyGradientSettings sampled_settings() {
    PolicyGradientSettings settings;
    settings.temperature = 0.9;
    settings.clip_range = 0.2;
    settings.keep_score_without_eos = true;
    settings.group_size = golden().at("samples").get<int>();
    settings.max_new_tokens = golden().at("max_completion_length").get<int>();
    return settings;
}

TEST(TrlAlgorithms, Rloo) {
    PolicyGradientSettings settings = sampled_settings();
    settings.beta = 0.05;
    const auto ours = sampled_steps(rloo_gradients, settings);
    expect_same(ours, "rloo");
    EXPECT_LT(worst(ours, golden().at("rloo").at("steps"), "policy/clipfrac", "clipped"), 0.01);
    settings.clip_range = 0.205;
    expect_other(sampled_steps(rloo_gradients, settings), "rloo");
}

TEST(TrlAlgorithms, GrpoInThreeAverages) {
    PolicyGradientSettings settings = sampled_settings();
    settings.beta = 0.04;
    settings.kl_in = KlPlace::loss;
    settings.kl_estimator = KlEstimator::k3;
    const std::array averages{std::pair{Averaging::grpo, "grpo"}, std::pair{Averaging::dr_grpo, "dr_grpo"},
                              std::pair{Averaging::dapo, "dapo"}};
    for (const auto& [averaging, name] : averages) {
        settings.averaging = averaging;
        settings.temperature = 0.9;
        const auto ours = sampled_steps(grpo_gradients, settings);
        const auto& theirs = golden().at(name).at("steps");
        expect_same(ours, name);
        EXPECT_LT(worst(ours, theirs, "policy/clipfrac", "clipped", 0.1), 0.1) << name;
        EXPECT_EQ(worst(ours, theirs, "frac_reward_zero_std", "zero_std"), 0) << name;
        settings.temperature = 0.93;
        expect_other(sampled_steps(grpo_gradients, settings), name);
    }
}

}  // namespace
}  // namespace plumbline
