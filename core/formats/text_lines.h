#pragma once
// The lines of a text file, which may be compressed with gzip.

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace plumbline {

/// A text file's content. A UTF-8 byte order mark is left out. Throws Error "<operation>: <file>: …" when the
/// file cannot be read, is damaged, or unpacks to more than 4 GiB.
std::string read_text(const std::filesystem::path& file, const std::string& operation);

/// Calls with each line that is not blank, without its end, and its number from 1.
void for_each_line(std::string_view text, const std::function<void(int, std::string_view)>& visit);

/// A JSON object, or a discarded value for anything else.
nlohmann::json object_of(std::string_view line);

}  // namespace plumbline
