#pragma once
// Numbers and texts of reference libraries, kept beside the scripts that made them.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace plumbline::testing {

/// tests/golden/<name>; throws when it is missing.
std::filesystem::path golden_path(const std::string& name);
nlohmann::json golden_json(const std::string& name);

/// The SmolLM2 135M Instruct file, when it is installed: tests that need it are skipped without.
std::optional<std::filesystem::path> installed_smollm2();

}  // namespace plumbline::testing
