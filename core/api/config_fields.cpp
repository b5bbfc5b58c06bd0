#include "core/api/config_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

#include "core/api/errors.h"

namespace plumbline {
namespace {

constexpr std::size_t text_limit = 20000;  // bytes, as the range of a text field says

std::vector<std::string_view> words_of(std::string_view range) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t bar = range.find('|');
        out.push_back(range.substr(0, bar));
        if (bar == std::string_view::npos) {
            return out;
        }
        range.remove_prefix(bar + 1);
    }
}

template <class T>
bool parse_number(std::string_view text, T& out) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return false;
    }
    out = value;
    return true;
}

/// The range text is the only place that states the bounds.
template <class T>
bool within(const T& value, std::string_view range) {
    if constexpr (std::is_same_v<T, std::string>) {
        return value.size() <= text_limit && value.find('\0') == std::string::npos;
    } else if constexpr (std::is_same_v<T, bool>) {
        return true;
    } else if constexpr (std::is_enum_v<T>) {
        return static_cast<std::size_t>(value) < words_of(range).size();
    } else {
        const std::size_t dots = range.find("..");
        T least{};
        T most{};
        return parse_number(range.substr(0, dots), least) && parse_number(range.substr(dots + 2), most) &&
               value >= least && value <= most;
    }
}

std::string text_of(double value) {
    std::array<char, 64> fixed{};
    std::array<char, 64> shortest{};
    const auto f = std::to_chars(fixed.data(), fixed.data() + fixed.size(), value, std::chars_format::fixed);
    const auto s = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value);
    // 1e-05 reads better as 0.00001, 1e-12 does not; both read back as the same number.
    if (f.ec == std::errc() && f.ptr - fixed.data() <= 8) {
        return {fixed.data(), f.ptr};
    }
    return {shortest.data(), s.ptr};
}

template <class T>
std::string to_text(const T& value, std::string_view range) {
    if constexpr (std::is_same_v<T, std::string>) {
        return value;
    } else if constexpr (std::is_same_v<T, bool>) {
        return value ? "true" : "false";
    } else if constexpr (std::is_enum_v<T>) {
        const auto words = words_of(range);
        const auto index = static_cast<std::size_t>(value);
        return index < words.size() ? std::string(words[index]) : std::to_string(index);
    } else if constexpr (std::is_floating_point_v<T>) {
        return text_of(value);
    } else {
        return std::to_string(value);
    }
}

template <class T>
bool from_text(std::string_view text, std::string_view range, T& out) {
    T value{};
    if constexpr (std::is_same_v<T, std::string>) {
        value = std::string(text);
    } else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
        const auto words = words_of(range);
        const auto found = std::find(words.begin(), words.end(), text);
        if (found == words.end()) {
            return false;
        }
        if constexpr (std::is_same_v<T, bool>) {
            value = *found == "true";
        } else {
            value = static_cast<T>(found - words.begin());
        }
    } else if (!parse_number(text, value)) {
        return false;
    }
    if (!within(value, range)) {
        return false;
    }
    out = std::move(value);
    return true;
}

/// `access` maps a Config, const or not, to a reference to its member.
template <class Config, class Access>
Field<Config> field(std::string_view key, std::string_view range, std::string_view help, Access access) {
    return {key,
            help,
            range,
            [access, range](const Config& config) { return to_text(access(config), range); },
            [access, range](Config& config, std::string_view text) {
                return from_text(text, range, access(config));
            },
            [access, range](const Config& config) { return within(access(config), range); }};
}

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

template <class Config, class Group>
void add_lora(std::vector<Field<Config>>& out, Group group) {
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<Config>(
            key, range, help, [=](auto& config) -> auto& { return group(config).*member; }));
    };
    using L = LoraConfig;
    add("weights", "auto|lora|all", "what trains: low-rank adapters, or every weight of a small model; auto: all up to "
        "5 million weights",
        &L::weights);
    add("lora_rank", "1..256", "rank of the low-rank adapters", &L::lora_rank);
    add("lora_alpha", "0..4096", "adapter scale times the rank", &L::lora_alpha);
    add("lora_first_block", "-1..4095", "first adapted block; -1: the upper half of the blocks",
        &L::lora_first_block);
}

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

template <class Config>
void add_own_lora(std::vector<Field<Config>>& out) {
    add_lora<Config>(
        out, [](auto& config) -> auto& { return config; });
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

/// A value as an error shows it: long ones are cut.
std::string shown(std::string_view value) {
    return value.size() <= 60 ? std::string(value) : std::string(value.substr(0, 57)) + "...";
}

template <class Config>
void check(const std::vector<Field<Config>>& table, const Config& config) {
    for (const Field<Config>& f : table) {
        if (!f.in_range(config)) {
            throw ConfigError("settings", std::string(f.key) + " is " + shown(f.get(config)) + "; use " +
                                              std::string(f.range));
        }
    }
}

}  // namespace

template <>
const std::vector<Field<RewardConfig>>& fields<RewardConfig>() {
    static const auto table = reward_fields();
    return table;
}

template <>
const std::vector<Field<DpoConfig>>& fields<DpoConfig>() {
    static const auto table = dpo_fields();
    return table;
}

template <>
const std::vector<Field<RlooConfig>>& fields<RlooConfig>() {
    static const auto table = rloo_fields();
    return table;
}

template <>
const std::vector<Field<SessionConfig>>& fields<SessionConfig>() {
    static const auto table = session_fields();
    return table;
}

template <class Config>
void set_field(Config& config, std::string_view key, std::string_view value) {
    std::string keys;
    for (const Field<Config>& f : fields<Config>()) {
        if (f.key == key) {
            if (!f.set(config, value)) {
                throw ConfigError(
                    "settings", std::string(key) + " is '" + shown(value) + "'; use " + std::string(f.range));
            }
            return;
        }
        keys += (keys.empty() ? "" : ", ") + std::string(f.key);
    }
    throw ConfigError("settings", "there is no key '" + shown(key) + "'; use one of " + keys);
}

template void set_field(RewardConfig&, std::string_view, std::string_view);
template void set_field(DpoConfig&, std::string_view, std::string_view);
template void set_field(RlooConfig&, std::string_view, std::string_view);
template void set_field(SessionConfig&, std::string_view, std::string_view);

void validate(const SamplingConfig& config) {
    static const auto table = sampling_fields();
    check(table, config);
}

void validate(const LoraConfig& config) {
    static const auto table = lora_fields();
    check(table, config);
}

void validate(const RewardConfig& config) {
    check(fields<RewardConfig>(), config);
}

void validate(const DpoConfig& config) {
    check(fields<DpoConfig>(), config);
}

void validate(const RlooConfig& config) {
    check(fields<RlooConfig>(), config);
}

void validate(const SessionConfig& config) {
    check(fields<SessionConfig>(), config);
}

}  // namespace plumbline
