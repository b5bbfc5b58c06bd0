#pragma once
// Prompts: JSON lines or CSV with "prompt", or plain text, one prompt a line; also compressed with gzip. core/api has the
// same as plain texts.

#include <filesystem>
#include <vector>

#include "core/formats/preferences.h"

namespace plumbline {

/// Throws Error for the first bad row, and for a file without a prompt.
std::vector<PromptPart> read_prompts(const std::filesystem::path& file);

}  // namespace plumbline
