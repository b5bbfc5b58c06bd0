// The tables of the training stages' settings.

#include "core/api/field_building.h"
#include "core/api/stage_configs.h"

namespace plumbline {

using namespace fields_of;

namespace {

template <class Config>
void add_optimizer(std::vector<Field<Config>>& out) {
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<Config>(
            key, range, help, [=](auto& config) -> auto& { return config.*member; }));
    };
    using O = OptimizerConfig;
    add("lr", "0..10", "learning rate of Adam", &O::lr);
    add("batch_size", "1..1024", "pairs or prompts a step", &O::batch_size);
    add("steps", "0..1000000", "optimiser steps; 0: epochs decide", &O::steps);
    add("epochs", "1..1000", "passes over the data", &O::epochs);
    add("shuffle", "true|false", "a seeded order each epoch; false keeps the file's order", &O::shuffle);
    add("schedule", "constant|linear|cosine", "how the learning rate falls", &O::schedule);
    add("warmup_steps", "0..1000000", "linear warm-up from 0, steps", &O::warmup_steps);
    add("weight_decay", "0..1", "decoupled weight decay a step, times lr", &O::weight_decay);
    add("clip_norm", "0..1e6", "largest global gradient norm; 0: no clipping", &O::clip_norm);
    add("max_length", "8..131072", "longest prompt and reply, tokens; a longer row is refused",
        &O::max_length);
    add("seed", "0..18446744073709551615", "initial weights, order and samples", &O::seed);
}

std::vector<Field<RewardConfig>> reward_fields() {
    std::vector<Field<RewardConfig>> out;
    add_optimizer(out);
    add_own_lora(out);
    out.push_back(field<RewardConfig>(
        "center", "0..1", "weight of the penalty on the sum of a pair's rewards, squared",
        [](auto& config) -> auto& { return config.center; }));
    return out;
}

std::vector<Field<DpoConfig>> dpo_fields() {
    std::vector<Field<DpoConfig>> out;
    add_optimizer(out);
    add_own_lora(out);
    out.push_back(field<DpoConfig>(
        "beta", "0..100", "KL weight", [](auto& config) -> auto& { return config.beta; }));
    return out;
}

std::vector<Field<RlooConfig>> rloo_fields() {
    std::vector<Field<RlooConfig>> out;
    add_optimizer(out);
    add_own_lora(out);
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<RlooConfig>(
            key, range, help, [=](auto& config) -> auto& { return config.*member; }));
    };
    using R = RlooConfig;
    add("beta", "0..100", "KL weight in the reward, a nat", &R::beta);
    add("group_size", "2..64", "samples a prompt", &R::group_size);
    add("max_new_tokens", "1..4096", "longest sample, tokens", &R::max_new_tokens);
    add("temperature", "0.05..5", "temperature of sampling and log-probabilities", &R::temperature);
    add("clip_range", "0.01..10", "the sequence ratio is kept in 1 +- this", &R::clip_range);
    add("missing_eos_reward", "-100..100", "replaces the score of a reply without EOS",
        &R::missing_eos_reward);
    add("epochs_per_batch", "1..16", "optimiser steps on one batch of samples", &R::epochs_per_batch);
    return out;
}

}  // namespace

template <>
const std::vector<Field<RewardConfig>>& fields<RewardConfig>() {
    static const auto table = reward_fields();
    return table;
}

void validate(const RewardConfig& config) { check(fields<RewardConfig>(), config); }

template <>
const std::vector<Field<DpoConfig>>& fields<DpoConfig>() {
    static const auto table = dpo_fields();
    return table;
}

void validate(const DpoConfig& config) { check(fields<DpoConfig>(), config); }

template <>
const std::vector<Field<RlooConfig>>& fields<RlooConfig>() {
    static const auto table = rloo_fields();
    return table;
}

void validate(const RlooConfig& config) { check(fields<RlooConfig>(), config); }

template void set_field(RewardConfig&, std::string_view, std::string_view);
template void set_field(DpoConfig&, std::string_view, std::string_view);
template void set_field(RlooConfig&, std::string_view, std::string_view);

}  // namespace plumbline
