#pragma once
// A small JSON file of unknown origin.

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace plumbline {

/// The file's object. Throws Error "<operation>: <file>: …" for what is no JSON object, is larger than `most_bytes`, is
/// nested deeper than 64, or has a key twice.
nlohmann::json read_json_object(const std::filesystem::path& file, const std::string& operation,
                                std::size_t most_bytes);

}  // namespace plumbline
