// The tables of a session's settings.

#include "core/api/field_building.h"

namespace plumbline {

using namespace fields_of;

namespace {

template <class Config, class Group>
void add_sampling(std::vector<Field<Config>>& out, Group group) {
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<Config>(
            key, range, help, [=](auto& config) -> auto& { return group(config).*member; }));
    };
    using S = SamplingConfig;
    add("candidates", "2..16", "replies drawn for one prompt", &S::candidates);
    add("shown", "2..6", "of them on the screen, not more than are drawn", &S::shown);
    add("max_new_tokens", "1..4096", "longest reply, tokens", &S::max_new_tokens);
    add("temperature", "0..5", "sampling temperature; 0 always takes the likeliest token", &S::temperature);
    add("top_k", "0..1000000", "likeliest tokens kept; 0 keeps all", &S::top_k);
    add("top_p", "0..1", "probability mass kept; 1 keeps all", &S::top_p);
    add("min_p", "0..1", "least probability relative to the likeliest token; 0 keeps all", &S::min_p);
    add("pair_choice", "farthest|uncertainty|information|margin|random", "how the replies on the screen are chosen", &S::pair_choice);
}

void add_live(std::vector<Field<SessionConfig>>& out) {
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<SessionConfig>(
            key, range, help, [=](auto& config) -> auto& { return config.live.*member; }));
    };
    using L = LiveConfig;
    add("algorithm",
        "dpo|cdpo|robust-dpo|ipo|hinge|kto|orpo|simpo|online-dpo|reinforce|rloo|grpo|ppo|best-of-n",
        "how the policy learns from a click", &L::algorithm);
    add("optimizer", "adamw|sgd", "of the policy", &L::optimizer);
    add("lr", "0..10", "learning rate", &L::lr);
    add("beta", "0..100", "KL weight, a nat; IPO: its tau", &L::beta);
    add("steps_per_click", "0..64", "optimiser steps a click; 0 collects labels only", &L::steps_per_click);
    add("clip_norm", "0..1e6", "largest global gradient norm; 0: no clipping", &L::clip_norm);
    add("kl_limit", "0.1..1000",
        "KL from the reference, nats a reply; from half of it on the rate falls, above it the policy shrinks "
        "towards the reference",
        &L::kl_limit);
    add("replay_pairs", "0..64", "earlier pairs that join the new one in a step", &L::replay_pairs);
    add("label_smoothing", "0..0.49", "cdpo, robust-dpo: share of wrong clicks assumed", &L::label_smoothing);
    add("simpo_gamma", "0..100", "simpo: target margin of the mean log-probabilities, times beta", &L::simpo_gamma);
    add("orpo_lambda", "0..100", "orpo: weight of the odds ratio", &L::orpo_lambda);
    add("desirable_weight", "0..100", "kto: weight of good replies", &L::desirable_weight);
    add("undesirable_weight", "0..100", "kto: weight of bad replies", &L::undesirable_weight);
    add("reward", "up to 20000 bytes", "what samples are scored by: model, rules, or a sum of them", &L::reward);
    add("prompts", "1..64", "prompts a step of samples", &L::prompts);
    add("group_size", "2..64", "samples a prompt", &L::group_size);
    add("kl_in", "reward|loss", "where the KL penalty acts", &L::kl_in);
    add("kl_estimator", "k1|k3", "of the penalty: log-ratio, or exp(-k1) - 1 + k1", &L::kl_estimator);
    add("kl_target", "0..1000", "nats a reply for an adaptive KL weight; 0: it stays fixed", &L::kl_target);
    add("clip_range", "0.01..10", "the ratio to the sampling policy is kept in 1 +- this", &L::clip_range);
    add("epochs", "1..16", "grpo, ppo: passes over one batch of samples", &L::epochs);
    add("minibatches", "1..64", "ppo: minibatches a pass", &L::minibatches);
    add("averaging", "grpo|dr_grpo|dapo", "grpo: of token losses, by sequence, by a constant, by the batch's tokens",
        &L::averaging);
    add("entropy_bonus", "0..10", "reward of a nat of surprise", &L::entropy_bonus);
    add("missing_eos_reward", "-100..100", "replaces the score of a sample without EOS", &L::missing_eos_reward);
    add("value_lr", "0..10", "ppo: learning rate of the value head", &L::value_lr);
    add("gae_lambda", "0..1", "ppo: decay of generalised advantage estimation", &L::gae_lambda);
    add("collapse_guard", "0..10",
        "training stops when replies collapse; 0: never, larger values allow more drift of length, repetition and "
        "entropy",
        &L::collapse_guard);
}

std::vector<Field<SessionConfig>> session_fields() {
    std::vector<Field<SessionConfig>> out;
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto access) {
        out.push_back(field<SessionConfig>(key, range, help, access));
    };
    add(
        "seed", "0..18446744073709551615", "random numbers of the session",
        [](auto& config) -> auto& { return config.seed; });
    add(
        "system_prompt", "up to 20000 bytes", "instruction before every prompt",
        [](auto& config) -> auto& { return config.system_prompt; });
    add(
        "chat_template", "up to 20000 bytes", "Jinja text in place of the model's chat template; empty: that",
        [](auto& config) -> auto& { return config.chat_template; });
    add(
        "blind", "true|false", "rewards stay hidden until the vote",
        [](auto& config) -> auto& { return config.blind; });
    add(
        "shuffle_sides", "true|false", "which reply is left is drawn at random",
        [](auto& config) -> auto& { return config.shuffle_sides; });
    add_sampling<SessionConfig>(
        out, [](auto& config) -> auto& { return config.sampling; });
    add_lora<SessionConfig>(
        out, [](auto& config) -> auto& { return config.lora; });
    add(
        "ridge", "1e-6..1e6", "precision of the Gaussian prior on the reward head's standardised weights",
        [](auto& config) -> auto& { return config.reward.ridge; });
    add(
        "length_scale", "0..10", "weight of the standardised reply length as a feature of the reward head",
        [](auto& config) -> auto& { return config.reward.length_scale; });
    add(
        "strength_margin", "0..10", "margin of a much better reply; a slightly better one has minus this, a clear one none",
        [](auto& config) -> auto& { return config.reward.strength_margin; });
    add(
        "ties_as_half", "true|false", "a tie is half a preference each way, not Rao and Kupper's third outcome",
        [](auto& config) -> auto& { return config.reward.ties_as_half; });
    add(
        "tie_threshold", "0..1000", "Rao-Kupper's theta of ties, from 1; 0: learned",
        [](auto& config) -> auto& { return config.reward.tie_threshold; });
    add(
        "heldout_share", "0..0.5", "share of the labels kept from training to measure the reward model",
        [](auto& config) -> auto& { return config.reward.heldout_share; });
    add(
        "trained_from", "0..1000000", "labels from which the reward model trains LoRA on the lower blocks too; 0: never",
        [](auto& config) -> auto& { return config.reward.trained_from; });
    add_live(out);
    return out;
}

std::vector<Field<SamplingConfig>> sampling_fields() {
    std::vector<Field<SamplingConfig>> out;
    add_sampling<SamplingConfig>(
        out, [](auto& config) -> auto& { return config; });
    return out;
}

std::vector<Field<LoraConfig>> lora_fields() {
    std::vector<Field<LoraConfig>> out;
    add_own_lora(out);
    return out;
}

}  // namespace

template <>
const std::vector<Field<SessionConfig>>& fields<SessionConfig>() {
    static const auto table = session_fields();
    return table;
}

template void set_field(SessionConfig&, std::string_view, std::string_view);

void validate(const SamplingConfig& config) {
    static const auto table = sampling_fields();
    check(table, config);
}

void validate(const LoraConfig& config) {
    static const auto table = lora_fields();
    check(table, config);
}

void validate(const SessionConfig& config) {
    check(fields<SessionConfig>(), config);
    if (config.sampling.shown > config.sampling.candidates) {
        throw ConfigError("settings", "shown is " + std::to_string(config.sampling.shown) + " but candidates is " +
                                          std::to_string(config.sampling.candidates) + "; draw as many as are shown");
    }
    if (config.reward.tie_threshold > 0 && config.reward.tie_threshold <= 1) {
        throw ConfigError("settings", "tie_threshold is " + std::to_string(config.reward.tie_threshold) +
                                          ", where no answer can be a tie; use 0, or above 1 up to 1000");
    }
}

}  // namespace plumbline
