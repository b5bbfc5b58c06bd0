#pragma once
// config.json of a Hugging Face folder: typed access that names key and value of what does not fit.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Immutable. A key that is null counts as absent. Throws Error "open model: <file>: …".
class HfConfig {
  public:
    explicit HfConfig(const std::filesystem::path& file);

    bool has(std::string_view key) const;
    std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most) const;
    std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most) const;
    double positive_or(std::string_view key, double fallback) const;   // finite and above 0
    bool flag_or(std::string_view key, bool fallback) const;
    std::string text_or(std::string_view key, const std::string& fallback) const;
    std::vector<double> positives(std::string_view key) const;         // empty: absent; each above 0
    std::vector<std::int64_t> integers(std::string_view key) const;    // empty: absent
    std::vector<std::string> texts(std::string_view key) const;
    /// The object under the key, nullopt when absent.
    std::optional<HfConfig> section(std::string_view key) const;

    std::string named(std::string_view key) const;   // "rope_scaling.factor 3"
    [[noreturn]] void fail(const std::string& what) const;
    /// For a value that is well-formed but of something that this version does not do.
    [[noreturn]] void not_supported(std::string_view key) const;

  private:
    HfConfig(const std::filesystem::path& file, std::string section, std::shared_ptr<const nlohmann::json> values);
    const nlohmann::json* find(std::string_view key) const;

    std::filesystem::path file_;
    std::string section_;
    std::shared_ptr<const nlohmann::json> values_;
};

}  // namespace plumbline
