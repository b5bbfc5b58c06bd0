#pragma once
// A text file in parts, which may be compressed with gzip: a large one never stands in memory as a whole.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace plumbline {

/// Calls with the text from its beginning to its end, in parts of any size, and with the share of the file that has
/// been read, 0..1. A UTF-8 byte order mark is left out. Throws Error "<operation>: <file>: …" when the file cannot be
/// read, is damaged or of a kind that is no text, or unpacks to more than 4 GiB.
void for_each_part(const std::filesystem::path& file, const std::string& operation,
                   const std::function<void(std::string_view part, double fraction)>& visit);

}  // namespace plumbline
