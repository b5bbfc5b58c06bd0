#pragma once
// Replies to imitate, as JSON lines, also compressed with gzip: {"prompt","completion"},
// {"prompt","response"} or
// {"messages"}, whose last message is the reply. prompt and completion are text or lists of messages.

#include "core/formats/preferences.h"

namespace plumbline {

struct DemonstrationRow {
    int line = 0;
    PromptPart prompt;
    std::string reply;
};
struct Demonstrations {
    std::vector<DemonstrationRow> rows;
    std::vector<std::string> skipped;  // "line 7: prompt is missing"
};
/// Bad rows are listed and skipped. Throws Error when the file cannot be read or has no good row.
Demonstrations read_demonstrations(const std::filesystem::path& file);

}  // namespace plumbline
