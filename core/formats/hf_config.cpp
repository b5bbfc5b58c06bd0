#include "core/formats/hf_config.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/json_file.h"

namespace plumbline {

using nlohmann::json;

namespace {

constexpr std::size_t longest_config = 16u << 20;
constexpr const char* damaged = "; the file is damaged or not a supported family";

bool is_positive(const json& value) {
    return value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() > 0;
}

bool is_between(const json& value, std::int64_t least, std::int64_t most) {
    if (value.is_number_unsigned()) {
        return std::cmp_greater_equal(value.get<std::uint64_t>(), least) &&
               std::cmp_less_equal(value.get<std::uint64_t>(), most);
    }
    return value.is_number_integer() && value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most;
}

}  // namespace

HfConfig::HfConfig(const std::filesystem::path& file)
    : HfConfig(file, "", std::make_shared<const json>(read_json_object(file, "open model", longest_config))) {}

HfConfig::HfConfig(const std::filesystem::path& file, std::string section, std::shared_ptr<const json> values)
    : file_(file), section_(std::move(section)), values_(std::move(values)) {}

const json* HfConfig::find(std::string_view key) const {
    const auto found = values_->find(key);
    return found == values_->end() || found->is_null() ? nullptr : &*found;
}

std::string HfConfig::named(std::string_view key) const {
    const json* value = find(key);
    const std::string text = value == nullptr ? "missing" : value->dump(-1, ' ', true, json::error_handler_t::replace);
    return section_ + std::string(key) + " " + (text.size() <= 80 ? text : text.substr(0, 80) + "…");
}

void HfConfig::fail(const std::string& what) const {
    throw Error("open model", file_.string() + ": " + what + damaged);
}

void HfConfig::not_supported(std::string_view key) const {
    throw Error("open model", file_.string() + ": " + named(key) + " is not supported; use another model");
}

bool HfConfig::has(std::string_view key) const { return find(key) != nullptr; }

std::int64_t HfConfig::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
    const json* value = find(key);
    if (value == nullptr || !is_between(*value, least, most)) {
        fail(named(key) + (value == nullptr ? "" : " is not " + std::to_string(least) + " to " + std::to_string(most)));
    }
    return value->get<std::int64_t>();
}

std::int64_t HfConfig::integer_or(std::string_view key, std::int64_t fallback, std::int64_t least,
                                  std::int64_t most) const {
    return has(key) ? integer(key, least, most) : fallback;
}

double HfConfig::positive_or(std::string_view key, double fallback) const {
    const json* value = find(key);
    if (value != nullptr && !is_positive(*value)) {
        fail(named(key) + " is not a positive number");
    }
    return value == nullptr ? fallback : value->get<double>();
}

bool HfConfig::flag_or(std::string_view key, bool fallback) const {
    const json* value = find(key);
    if (value != nullptr && !value->is_boolean()) {
        fail(named(key) + " is not true or false");
    }
    return value == nullptr ? fallback : value->get<bool>();
}

std::string HfConfig::text_or(std::string_view key, const std::string& fallback) const {
    const json* value = find(key);
    if (value != nullptr && !value->is_string()) {
        fail(named(key) + " is not a text");
    }
    return value == nullptr ? fallback : value->get<std::string>();
}

std::vector<double> HfConfig::positives(std::string_view key) const {
    std::vector<double> out;
    if (const json* value = find(key)) {
        for (const json& entry : value->is_array() ? *value : json::array({nullptr})) {
            if (!is_positive(entry)) {
                fail(named(key) + " is not a list of positive numbers");
            }
            out.push_back(entry.get<double>());
        }
    }
    return out;
}

std::vector<std::int64_t> HfConfig::integers(std::string_view key) const {
    std::vector<std::int64_t> out;
    if (const json* value = find(key)) {
        for (const json& entry : value->is_array() ? *value : json::array({nullptr})) {
            if (!entry.is_number_integer()) {
                fail(named(key) + " is not a list of whole numbers");
            }
            out.push_back(entry.get<std::int64_t>());
        }
    }
    return out;
}

std::vector<std::string> HfConfig::texts(std::string_view key) const {
    std::vector<std::string> out;
    if (const json* value = find(key)) {
        for (const json& entry : value->is_array() ? *value : json::array({nullptr})) {
            if (!entry.is_string()) {
                fail(named(key) + " is not a list of texts");
            }
            out.push_back(entry.get<std::string>());
        }
    }
    return out;
}

std::optional<HfConfig> HfConfig::section(std::string_view key) const {
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_object()) {
        fail(named(key) + " is not an object");
    }
    return HfConfig(file_, section_ + std::string(key) + ".", std::shared_ptr<const json>(values_, value));
}

}  // namespace plumbline
