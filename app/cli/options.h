#pragma once
// The options that commands share, and how a value's range is stated and kept.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "core/api/config_fields.h"
#include "core/api/engine.h"

namespace plumbline::cli {

/// `value` is a number within least..most; anything else is wrong usage. Help shows range and default.
template <class Number>
CLI::Option* add_number(CLI::App& command, const std::string& name, Number& value, Number least, Number most,
                        const std::string& help) {
    const std::string range = std::to_string(least) + ".." + std::to_string(most);
    CLI::Option* option =
        command.add_option(name, value, help + ", " + range + " (default " + std::to_string(value) + ")");
    option->option_text("N");
    option->check([least, most, range](const std::string& text) {
        Number number{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool whole = error == std::errc() && end == text.data() + text.size();
        return whole && number >= least && number <= most ? std::string()
                                                          : "'" + text + "' is not within " + range;
    });
    return option;
}

/// MODEL, required.
void add_model(CLI::App& command, std::string& model);

enum class RandomNumbers { drawn, none };
/// --seed. Commands that draw no random numbers accept it too, so that scripts can treat all alike.
void add_seed(CLI::App& command, std::uint64_t& seed, RandomNumbers use);

/// --threads, --device and --dtype.
void add_engine_options(CLI::App& command, EngineOptions& options);
void add_dtype(CLI::App& command, std::string& dtype);

/// --adapter.
CLI::Option* add_adapter(CLI::App& command, std::string& adapter, const std::string& help);

/// --chat-template; reads the file.
void add_chat_template(CLI::App& command, std::string& chat_template);

/// --config key=value, any number of times.
void add_config(CLI::App& command, std::vector<std::string>& assignments);

/// A table of keys for help texts: key, default, range, meaning.
std::string key_table(const std::vector<FieldInfo>& fields);

/// Throws UsageError for text without '='.
std::pair<std::string, std::string> split_assignment(const std::string& text);

/// Sets every `key=value` in order. Throws UsageError, or ConfigError that lists what is right.
template <class Config>
void assign(Config& config, const std::vector<std::string>& assignments) {
    for (const std::string& text : assignments) {
        const auto [key, value] = split_assignment(text);
        set_field(config, key, value);
    }
}

}  // namespace plumbline::cli
