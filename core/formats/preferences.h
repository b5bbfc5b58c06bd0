#pragma once
// What people said of replies, as JSON lines or CSV, also compressed with gzip (data_rows.h):
//
//   {"prompt","chosen","rejected"}           a pair; also "margin", a number, "strength" (slight, clear, much), and
//                                            "tie": true or "both_bad": true
//   {"prompt","completions","ranking"}       the numbers of the completions, from 0, the best first; those left out are
//                                            below, in no order
//   {"prompt","completion","label"}          one reply, true: good
//
// Each part is text or a list of messages. Without a prompt, chosen and rejected are whole dialogues: message lists,
// or texts in which "\n\nAssistant:" stands before the reply (HH-RLHF). Each row may have "unix_time", in seconds,
// "judge", and beside a text "system", the system prompt.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/api/labels.h"
#include "core/api/offline.h"

namespace plumbline {

using PromptPart = std::variant<std::string, std::vector<Message>>;   // text goes in as it is; messages are rendered

/// When an answer was given, by whom, and under which system prompt, where the file says so.
struct Circumstances {
    double unix_time = 0;
    std::string judge{};
    std::optional<std::string> system{};
};

/// Which of two replies is better; with `tie` neither is.
struct PreferenceRow {
    int line = 0;
    PromptPart prompt;
    std::string chosen, rejected;        // the reply's text
    double margin = 0;                   // strength, as the least difference of rewards that it asks for, 0..1000
    bool tie = false;
    bool both_bad = false;               // a tie of two bad ones
    Strength strength = Strength::clear;
    Circumstances circumstances{};
};
/// Two replies or more, all different, the best first; those from `ranked` on are below, in no order.
struct RankingRow {
    int line = 0;
    PromptPart prompt;
    std::vector<std::string> replies;
    int ranked = 0;                      // 1..replies
    Circumstances circumstances{};
};
struct LabelledRow {
    int line = 0;
    PromptPart prompt;
    std::string reply;
    bool good = true;
    Circumstances circumstances{};
};
using FeedbackRow = std::variant<PreferenceRow, RankingRow, LabelledRow>;
struct Feedback {
    std::vector<FeedbackRow> rows;
    std::vector<std::string> skipped;    // "line 7: rejected is missing"
};

/// Calls `use` with each row as it is read, and with the share of the file that has been, 0..1; `refuse` with "line 7:
/// rejected is missing" for each bad row, for one whose replies are the same, and for one that `use` refuses with RowError.
/// Throws Error when the file cannot be read or has no good row.
void for_each_feedback(const std::filesystem::path& file, const std::string& operation,
                       const std::function<void(FeedbackRow row, double fraction)>& use,
                       const std::function<void(const std::string& refused)>& refuse);

/// Rows of every kind. Bad rows are listed and skipped, and rows whose replies are the same. Throws Error when the file
/// cannot be read or has no good row.
Feedback read_feedback(const std::filesystem::path& file);

struct Preferences {
    std::vector<PreferenceRow> rows;     // no ties
    std::vector<std::string> skipped;
};
/// The same as pairs: a ranking gives all its pairs, ties and single replies are skipped. Throws as read_feedback.
Preferences read_preferences(const std::filesystem::path& file);

}  // namespace plumbline
