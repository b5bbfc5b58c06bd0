#pragma once
// How a field of a settings struct becomes a row of its table: text in and out, range, help.

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/config_fields.h"
#include "core/api/errors.h"

namespace plumbline::fields_of {

inline constexpr std::size_t text_limit = 20000;  // bytes, as the range of a text field says

inline std::vector<std::string_view> words_of(std::string_view range) {
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

inline std::string text_of(double value) {
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
void add_own_lora(std::vector<Field<Config>>& out) {
    add_lora<Config>(
        out, [](auto& config) -> auto& { return config; });
}

/// A value as an error shows it: long ones are cut.
inline std::string shown(std::string_view value) {
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

}  // namespace plumbline::fields_of

namespace plumbline {

template <class Config>
void set_field(Config& config, std::string_view key, std::string_view value) {
    std::string keys;
    for (const Field<Config>& f : fields<Config>()) {
        if (f.key == key) {
            if (!f.set(config, value)) {
                throw ConfigError(
                    "settings", std::string(key) + " is '" + fields_of::shown(value) + "'; use " + std::string(f.range));
            }
            return;
        }
        keys += (keys.empty() ? "" : ", ") + std::string(f.key);
    }
    throw ConfigError("settings", "there is no key '" + fields_of::shown(key) + "'; use one of " + keys);
}

}  // namespace plumbline
