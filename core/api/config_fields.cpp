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
    add("candidates", "2..16", "replies drawn for one prompt, two of which are shown", &S::candidates);
    add("max_new_tokens", "1..4096", "longest reply, tokens", &S::max_new_tokens);
    add("temperature", "0..5", "sampling temperature; 0 always takes the likeliest token", &S::temperature);
    add("top_k", "0..1000000", "likeliest tokens kept; 0 keeps all", &S::top_k);
    add("top_p", "0..1", "probability mass kept; 1 keeps all", &S::top_p);
    add("min_p", "0..1", "least probability relative to the likeliest token; 0 keeps all", &S::min_p);
    add("pair_choice", "farthest|random", "how two of the drawn replies are chosen", &S::pair_choice);
}

void add_live(std::vector<Field<SessionConfig>>& out) {
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<SessionConfig>(
            key, range, help, [=](auto& config) -> auto& { return config.live.*member; }));
    };
    using L = LiveConfig;
    add("algorithm", "dpo|rloo", "how the policy learns from a click", &L::algorithm);
    add("steps_per_click", "0..64", "optimiser steps a click; 0 collects labels only", &L::steps_per_click);
    add("kl_limit", "0.1..1000",
        "KL from the reference, nats a reply; from half of it on the rate falls, above it the policy shrinks "
        "towards the reference",
        &L::kl_limit);
    add("dpo_lr", "0..10", "learning rate of a DPO step", &L::dpo_lr);
    add("dpo_beta", "0..100", "KL weight of a DPO step", &L::dpo_beta);
    add("replay_pairs", "0..64", "earlier pairs that join the new one in a DPO step", &L::replay_pairs);
    add("rloo_lr", "0..10", "learning rate of an RLOO step", &L::rloo_lr);
    add("rloo_beta", "0..100", "KL weight in the reward of an RLOO step, a nat", &L::rloo_beta);
    add("rloo_prompts", "1..64", "prompts an RLOO step", &L::rloo_prompts);
    add("rloo_group", "2..64", "samples a prompt in an RLOO step", &L::rloo_group);
    add("missing_eos_reward", "-100..100", "replaces the score of a reply without EOS in an RLOO step",
        &L::missing_eos_reward);
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
}

}  // namespace plumbline
