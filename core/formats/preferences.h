#pragma once
// Preference data as JSON lines, also compressed with gzip: {"prompt","chosen","rejected"}, each part text or a
// list of messages. Without a prompt, chosen and rejected are whole dialogues: message lists, or texts in which
// "\n\nAssistant:" stands before the reply (HH-RLHF).

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

using PromptPart = std::variant<std::string, std::vector<Message>>;   // text goes in as it is; messages are rendered

struct PreferenceRow {
    int line = 0;
    PromptPart prompt;
    std::string chosen, rejected;        // the reply's text
};
struct Preferences {
    std::vector<PreferenceRow> rows;
    std::vector<std::string> skipped;    // "line 7: rejected is missing"
};
/// Bad rows are listed and skipped, and rows whose two replies are the same. Throws Error when the file cannot be
/// read or has no good row.
Preferences read_preferences(const std::filesystem::path& file);

/// Prompts: JSON lines with "prompt", or plain text, one prompt a line. Empty lines are skipped. Throws Error
/// for a file without a prompt.
std::vector<PromptPart> read_prompts(const std::filesystem::path& file);
/// The same as plain texts (messages are refused): what the window's "prompts from a file" takes.
std::vector<std::string> read_prompt_texts(const std::filesystem::path& file);

}  // namespace plumbline
