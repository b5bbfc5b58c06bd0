#pragma once
// What people said of replies, as JSON lines, also compressed with gzip, one row a line:
//
//   {"prompt","chosen","rejected"}           a pair; also "margin", a number, and "tie": true
//   {"prompt","completions","ranking"}       the numbers of the completions, from 0, the best first; those left out are
//                                            below, in no order
//   {"prompt","completion","label"}          one reply, true: good
//
// Each part is text or a list of messages. Without a prompt, chosen and rejected are whole dialogues: message lists,
// or texts in which "\n\nAssistant:" stands before the reply (HH-RLHF).

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "core/api/offline.h"

namespace plumbline {

using PromptPart = std::variant<std::string, std::vector<Message>>;   // text goes in as it is; messages are rendered

/// Which of two replies is better; with `tie` neither is.
struct PreferenceRow {
    int line = 0;
    PromptPart prompt;
    std::string chosen, rejected;        // the reply's text
    double margin = 0;                   // strength, as the least difference of rewards that it asks for, 0..1000
    bool tie = false;
};
/// Two replies or more, all different, the best first; those from `ranked` on are below, in no order.
struct RankingRow {
    int line = 0;
    PromptPart prompt;
    std::vector<std::string> replies;
    int ranked = 0;                      // 1..replies
};
struct LabelledRow {
    int line = 0;
    PromptPart prompt;
    std::string reply;
    bool good = true;
};
using FeedbackRow = std::variant<PreferenceRow, RankingRow, LabelledRow>;
struct Feedback {
    std::vector<FeedbackRow> rows;
    std::vector<std::string> skipped;    // "line 7: rejected is missing"
};
/// Rows of every kind. Bad rows are listed and skipped, and rows whose replies are the same. Throws Error when the file
/// cannot be read or has no good row.
Feedback read_feedback(const std::filesystem::path& file);

struct Preferences {
    std::vector<PreferenceRow> rows;     // no ties
    std::vector<std::string> skipped;
};
/// The same as pairs: a ranking gives all its pairs, ties and single replies are skipped. Throws as read_feedback.
Preferences read_preferences(const std::filesystem::path& file);

/// Prompts: JSON lines with "prompt", or plain text, one prompt a line. Empty lines are skipped. Throws Error
/// for a file without a prompt.
std::vector<PromptPart> read_prompts(const std::filesystem::path& file);
/// The same as plain texts (messages are refused): what the window's "prompts from a file" takes.
std::vector<std::string> read_prompt_texts(const std::filesystem::path& file);

}  // namespace plumbline
