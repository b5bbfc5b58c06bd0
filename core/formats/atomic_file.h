#pragma once
// Output files appear whole or not at all.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// Writes `parts` one after the other to a new file beside `path`, waits for the disk, and renames it to
/// `path`. Throws Error "<operation>: <path>: …"; what stood at `path` is then as it was and nothing is left
/// beside it.
void write_atomically(const std::filesystem::path& path, const std::vector<std::string_view>& parts,
                      const std::string& operation);

}  // namespace plumbline
