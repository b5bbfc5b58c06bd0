#pragma once
// Prompts: JSON lines or CSV with "prompt", or plain text, one prompt a line; also compressed with gzip. core/api has the
// same as plain texts.

#include <filesystem>
#include <string>
#include <vector>

#include "core/formats/preferences.h"

namespace plumbline {

struct PromptLine {
    int line = 0;
    PromptPart prompt;
};
struct PromptFile {
    std::vector<PromptLine> rows;
    std::vector<std::string> skipped;   // "line 7: prompt is missing"
};
/// Bad rows are listed and skipped. Throws Error when the file cannot be read or has no good row.
PromptFile read_prompts(const std::filesystem::path& file);

}  // namespace plumbline
