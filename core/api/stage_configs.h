#pragma once
// Settings of the training stages, one struct a stage, on the terms of configs.h. `stage` is the stage's name on the
// command line.

#include <cstdint>
#include <string_view>
#include <variant>

#include "core/api/configs.h"

namespace plumbline {

enum class Schedule { constant, linear, cosine };

/// What every stage has. A step is one batch, or `accumulate` of them, of rows or of prompts.
struct OptimizerConfig {
    double lr = 1e-4;          // 0..10
    int batch_size = 4;        // rows or prompts a batch, 1..1024
    int accumulate = 1;        // batches whose gradients make one step, 1..1024
    int steps = 0;             // 0..1000000; 0: `epochs` decide
    int epochs = 1;            // passes over the data, 1..1000
    bool shuffle = true;       // a seeded order each epoch; false keeps the file's order
    Schedule schedule = Schedule::constant;
    int warmup_steps = 0;      // linear warm-up from 0, steps, 0..1000000
    double weight_decay = 0;   // decoupled (1711.05101), a step, times lr, 0..1
    double clip_norm = 1.0;    // global gradient norm, 0..1e6; 0: no clipping
    OptimizerKind optimizer = OptimizerKind::adamw;
    double adam_beta1 = 0.9;   // decay of the mean gradient, a step, 0..0.9999 (1412.6980)
    double adam_beta2 = 0.999; // decay of the mean squared gradient, a step, 0..0.999999
    double adam_epsilon = 1e-8;              // 1e-12..1
    AdamForm adam_form = AdamForm::pytorch;  // tensorflow: smaller first steps, as the original PPO from preferences
    int max_length = 1024;     // tokens of prompt and reply, 8..131072; a longer row is refused
    std::uint64_t seed = 0;    // initial weights, order and samples
};

/// Supervised fine-tuning on demonstrations, the loss on the reply only.
struct SftConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "sft";
};

/// Reward model of LoRA + scalar head: -log sigmoid(r_c - r_r - margin) + center (r_c + r_r)^2 on pairs, Rao-Kupper on
/// ties, Plackett-Luce on rankings.
struct RewardConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "reward";
    double center = 0;          // 0..1; 0.01 keeps rewards near zero (2312.09244)
    bool use_margins = true;    // the rows' "margin" counts (2307.09288 eq. 2)
    double tie_threshold = 2;   // Rao-Kupper's theta on tie rows, 1..1000
    int normalise = 0;          // samples of the untrained model that the rewards are scaled on to mean 0 and
                                // deviation 1, 0..4096; 0: as trained; 256 in 1909.08593
    int normalise_tokens = 48;  // longest of those samples, tokens, 1..4096
};

/// Direct preference optimisation (2305.18290, eq. 7).
struct DpoConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "dpo";
    double beta = 0.1;          // KL weight, 0..100
};

/// DPO that expects a share of wrong labels (label smoothing; Mitchell 2023).
struct CdpoConfig : DpoConfig {
    static constexpr std::string_view stage = "cdpo";
    double label_smoothing = 0.1;  // share of wrong labels assumed, 0..0.49
};

/// DPO whose loss is unbiased when labels flip (2403.00409).
struct RobustDpoConfig : DpoConfig {
    static constexpr std::string_view stage = "robust-dpo";
    double label_smoothing = 0.1;  // share of wrong labels assumed, 0..0.49
};

/// Identity preference optimisation (2310.12036, eq. 17), log-ratios as means over tokens.
struct IpoConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "ipo";
    double beta = 0.1;          // its tau: the log-ratio margin aimed at is 1/(2 beta), 1e-4..100
};

/// Hinge on the log-ratio margin (SLiC, 2305.10425).
struct HingeConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "hinge";
    double beta = 0.1;          // 1/beta is the margin from which a pair teaches no more, 0..100
};

/// Learning from single replies that are desirable or not (2402.01306, eq. 8).
struct KtoConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "kto";
    double beta = 0.1;              // KL weight, 0..100
    double desirable_weight = 1;    // 0..100
    double undesirable_weight = 1;  // 0..100
};

/// Likelihood of the chosen reply with an odds-ratio penalty, no reference (2403.07691, eq. 6).
struct OrpoConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "orpo";
    double orpo_lambda = 0.1;   // weight of the odds ratio, 0..100
};

/// Mean log-probabilities with a target margin, no reference (2405.14734, eq. 6).
struct SimpoConfig : OptimizerConfig, LoraConfig {
    static constexpr std::string_view stage = "simpo";
    double beta = 2;            // scale of the mean log-probabilities, 0..100
    double simpo_gamma = 1;     // margin that the chosen reply must win by, 0..100
};

/// What the stages have in common whose replies the policy writes itself. A step draws `group_size` replies to each of
/// `batch_size` prompts.
struct OnPolicyConfig : OptimizerConfig, LoraConfig {
    int group_size = 4;             // samples a prompt, 1..64; rloo and grpo 2..64
    int max_new_tokens = 48;        // 1..4096
    double temperature = 0.9;       // sampling and log-probs, 0.05..5
    double beta = 0.05;             // KL weight, a nat, 0..100
    KlPlace kl_in = KlPlace::reward;
    KlEstimator kl_estimator = KlEstimator::k1;
    double kl_target = 0;           // nats a reply, 0..1000; 0: beta stays fixed, else it adapts (1909.08593 section 2.2)
    int kl_horizon = 10000;         // samples over which beta adapts, 1..1000000000
    double kl_stop = 0;             // nats a reply, 0..1e6; 0: no stop
    double entropy_bonus = 0;       // reward of a nat of surprise, 0..10
    double missing_eos_reward = -1; // replaces the score of a reply without EOS, -100..100 (1909.08593)
};

/// REINFORCE (Williams 1992) with a running mean of the rewards as its baseline.
struct ReinforceConfig : OnPolicyConfig {
    static constexpr std::string_view stage = "reinforce";
    double baseline_decay = 0.9;    // of the running mean, a step, 0..0.9999
};

/// REINFORCE leave-one-out (2402.14740) with the KL penalty in the reward.
struct RlooConfig : OnPolicyConfig {
    static constexpr std::string_view stage = "rloo";
    double clip_range = 0.2;        // sequence ratio kept in 1 +- this, 0.01..10
    int epochs_per_batch = 1;       // optimiser steps on one batch of samples, 1..16
};

/// Group-relative policy optimisation (2402.03300), by default with the KL in the loss.
struct GrpoConfig : OnPolicyConfig {
    static constexpr std::string_view stage = "grpo";
    GrpoConfig() {
        group_size = 8;
        beta = 0.04;                // 2402.03300 section 4.2
        kl_in = KlPlace::loss;
        kl_estimator = KlEstimator::k3;
    }
    double clip_range = 0.2;        // token ratio kept in 1 +- this, 0.01..10
    int epochs_per_batch = 1;       // optimiser steps on one batch of samples, 1..16
    Averaging averaging = Averaging::grpo;
};

/// Proximal policy optimisation (1707.06347) as used on preferences (1909.08593): a value for every token, KL in the
/// reward of every token.
struct PpoConfig : OnPolicyConfig {
    static constexpr std::string_view stage = "ppo";
    PpoConfig() {
        adam_epsilon = 1e-5;
        adam_form = AdamForm::tensorflow;
        schedule = Schedule::linear;
    }
    double gamma = 1;               // discount a token, 0..1
    double gae_lambda = 0.95;       // 0..1 (1506.02438)
    double clip_range = 0.2;        // token ratio kept in 1 +- this, 0.01..10
    double value_clip_range = 0.2;  // a value moves at most this far in one step's batch, 0.001..1000
    double vf_coef = 0.1;           // weight of the value loss, 0..10
    double value_lr = 1e-2;         // learning rate of the value head, 0..10
    int epochs_per_batch = 4;       // passes over one batch of samples, 1..16
    int minibatches = 1;            // optimiser steps a pass, 1..16, not more than samples
    bool whiten_rewards = false;    // rewards to deviation 1 over the batch, mean kept
    double target_kl = 0;           // the passes end when approxkl exceeds 1.5 times this, nats a token, 0..10; 0: never
};

/// The stages that `train` knows. A new one is its struct, its table and one line here.
using StageConfig = std::variant<SftConfig, RewardConfig, DpoConfig, IpoConfig, CdpoConfig, RobustDpoConfig, HingeConfig,
                                 KtoConfig, OrpoConfig, SimpoConfig, PpoConfig, RlooConfig, GrpoConfig, ReinforceConfig>;

// Each throws ConfigError naming the field, the value and its range, or the two fields that do not fit.
void validate(const SftConfig& config);
void validate(const RewardConfig& config);
void validate(const DpoConfig& config);
void validate(const CdpoConfig& config);
void validate(const RobustDpoConfig& config);
void validate(const IpoConfig& config);
void validate(const HingeConfig& config);
void validate(const KtoConfig& config);
void validate(const OrpoConfig& config);
void validate(const SimpoConfig& config);
void validate(const ReinforceConfig& config);
void validate(const RlooConfig& config);
void validate(const GrpoConfig& config);
void validate(const PpoConfig& config);

}  // namespace plumbline
