#pragma once
// Settings of the training stages, one struct a stage, on the terms of configs.h.

#include <cstdint>

#include "core/api/configs.h"

namespace plumbline {

enum class Schedule { constant, linear, cosine };

/// Adam with decoupled weight decay (1711.05101), betas 0.9 and 0.999, epsilon 1e-8.
struct OptimizerConfig {
    double lr = 1e-4;          // 0..10
    int batch_size = 4;        // pairs or prompts a step, 1..1024
    int steps = 0;             // 0..1000000; 0: `epochs` decide
    int epochs = 1;            // passes over the data, 1..1000
    bool shuffle = true;       // a seeded order each epoch; false keeps the file's order
    Schedule schedule = Schedule::constant;
    int warmup_steps = 0;      // linear warm-up from 0, steps, 0..1000000
    double weight_decay = 0;   // 0..1
    double clip_norm = 1.0;    // global gradient norm, 0..1e6; 0: no clipping
    int max_length = 1024;     // tokens of prompt and reply, 8..131072; a longer row is refused
    std::uint64_t seed = 0;    // initial weights, order and samples
};

/// Reward model of LoRA + scalar head on pairs: -log sigmoid(r_c - r_r - margin) + center (r_c + r_r)^2.
struct RewardConfig : OptimizerConfig, LoraConfig {
    double center = 0;         // 0..1; 0.01 keeps rewards near zero (2312.09244)
};

/// Direct preference optimisation (2305.18290, eq. 7).
struct DpoConfig : OptimizerConfig, LoraConfig {
    double beta = 0.1;         // KL weight, 0..100
};

/// REINFORCE leave-one-out (2402.14740) with the KL penalty in the reward.
struct RlooConfig : OptimizerConfig, LoraConfig {
    double beta = 0.05;        // KL weight in the reward, nats, 0..100
    int group_size = 4;        // samples a prompt, 2..64
    int max_new_tokens = 48;   // 1..4096
    double temperature = 0.9;  // sampling and log-probs, 0.05..5
    double clip_range = 0.2;   // sequence ratio kept in 1 +- this, 0.01..10
    double missing_eos_reward = -1;  // replaces the score of a reply without EOS, -100..100
    int epochs_per_batch = 1;  // optimiser steps on one batch of samples, 1..16
};

// Each throws ConfigError naming the field, the value and its range.
void validate(const RewardConfig& config);
void validate(const DpoConfig& config);
void validate(const RlooConfig& config);

}  // namespace plumbline
