// The tables of the stages that train on the policy's own replies.

#include "core/api/stage_field_building.h"

namespace plumbline {

using namespace fields_of;

namespace {

template <class Config>
Table<Config> on_policy_table(std::string_view group_range) {
    auto out = stage_table<Config>();
    using C = OnPolicyConfig;
    add(out, "group_size", group_range, "samples a prompt", &C::group_size);
    add(out, "max_new_tokens", "1..4096", "longest sample, tokens", &C::max_new_tokens);
    add(out, "temperature", "0.05..5", "temperature of sampling and log-probabilities", &C::temperature);
    add(out, "beta", "0..100", "KL weight, a nat", &C::beta);
    add(out, "kl_in", "reward|loss", "where the KL penalty acts", &C::kl_in);
    add(out, "kl_estimator", "k1|k3", "of the penalty: log-ratio, or exp(-k1) - 1 + k1", &C::kl_estimator);
    add(out, "kl_target", "0..1000", "KL that beta adapts towards, nats a reply; 0: beta stays fixed",
        &C::kl_target);
    add(out, "kl_horizon", "1..1000000000", "samples over which beta adapts", &C::kl_horizon);
    add(out, "kl_stop", "0..1e6", "KL that ends the training, nats a reply; 0: none does", &C::kl_stop);
    add(out, "entropy_bonus", "0..10", "reward of a nat of surprise", &C::entropy_bonus);
    add(out, "missing_eos_reward", "-100..100", "replaces the score of a reply without EOS",
        &C::missing_eos_reward);
    return out;
}

template <class Config>
Table<Config> clipped_table(std::string_view group_range, std::string_view clip_help) {
    auto out = on_policy_table<Config>(group_range);
    add(out, "clip_range", "0.01..10", clip_help, &Config::clip_range);
    add(out, "epochs_per_batch", "1..16", "passes over one batch of samples", &Config::epochs_per_batch);
    return out;
}

Table<ReinforceConfig> reinforce_table() {
    auto out = on_policy_table<ReinforceConfig>("1..64");
    add(out, "baseline_decay", "0..0.9999", "decay of the running mean of the rewards, a step",
        &ReinforceConfig::baseline_decay);
    return out;
}

Table<GrpoConfig> grpo_table() {
    auto out = clipped_table<GrpoConfig>("2..64", "a token's ratio is kept in 1 +- this");
    add(out, "averaging", "grpo|dr_grpo|dapo",
        "of token losses: by the reply's length, by a constant, by the batch's tokens",
        &GrpoConfig::averaging);
    return out;
}

Table<PpoConfig> ppo_table() {
    auto out = clipped_table<PpoConfig>("1..64", "a token's ratio is kept in 1 +- this");
    using P = PpoConfig;
    add(out, "minibatches", "1..16", "optimiser steps a pass, not more than samples", &P::minibatches);
    add(out, "gamma", "0..1", "discount a token", &P::gamma);
    add(out, "gae_lambda", "0..1", "decay of generalised advantage estimation", &P::gae_lambda);
    add(out, "value_clip_range", "0.001..1000", "a value moves at most this far in the passes over a batch",
        &P::value_clip_range);
    add(out, "vf_coef", "0..10", "weight of the value loss", &P::vf_coef);
    add(out, "value_lr", "0..10", "learning rate of the value head", &P::value_lr);
    add(out, "whiten_rewards", "true|false", "rewards to deviation 1 over the batch, their mean kept",
        &P::whiten_rewards);
    add(out, "target_kl", "0..10",
        "the passes end when approxkl exceeds 1.5 times this, nats a token; 0: they do not", &P::target_kl);
    return out;
}

}  // namespace

template <>
const Table<ReinforceConfig>& fields<ReinforceConfig>() {
    static const auto table = reinforce_table();
    return table;
}

template <>
const Table<RlooConfig>& fields<RlooConfig>() {
    static const auto table = clipped_table<RlooConfig>("2..64", "a reply's ratio is kept in 1 +- this");
    return table;
}

template <>
const Table<GrpoConfig>& fields<GrpoConfig>() {
    static const auto table = grpo_table();
    return table;
}

template <>
const Table<PpoConfig>& fields<PpoConfig>() {
    static const auto table = ppo_table();
    return table;
}

void validate(const ReinforceConfig& config) {
    check(fields<ReinforceConfig>(), config);
}
void validate(const RlooConfig& config) {
    check(fields<RlooConfig>(), config);
}
void validate(const GrpoConfig& config) {
    check(fields<GrpoConfig>(), config);
}

void validate(const PpoConfig& config) {
    check(fields<PpoConfig>(), config);
    const int samples = config.batch_size * config.group_size;
    if (config.minibatches > samples) {
        misfit("minibatches is " + std::to_string(config.minibatches) +
                   ", but batch_size times group_size are only " + std::to_string(samples) + " samples",
               "use 1.." + std::to_string(std::min(samples, 16)));
    }
    if (config.kl_in == KlPlace::loss) {
        misfit("kl_in is loss, but a PPO step has the KL in the reward of every token", "use kl_in=reward");
    }
}

template void set_field(ReinforceConfig&, std::string_view, std::string_view);
template void set_field(RlooConfig&, std::string_view, std::string_view);
template void set_field(GrpoConfig&, std::string_view, std::string_view);
template void set_field(PpoConfig&, std::string_view, std::string_view);

}  // namespace plumbline
