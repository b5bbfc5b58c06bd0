#pragma once
// Answers as rows of files that others read. What a form cannot say is left out with the reason.

#include <optional>
#include <string>
#include <vector>

#include "core/store/answers.h"

namespace plumbline {

struct AnswerRows {
    std::vector<std::string> lines;   // with their ends
    std::string left_out;             // why there are none; empty: nothing is missing
};

/// {"prompt", "chosen", "rejected"} as lists of messages, one row for each pair that the answer implies; beside them "tie",
/// "both_bad", "strength", "unix_time" and "judge".
AnswerRows trl_rows(const Answer& answer);
/// {"chosen", "rejected"} as whole dialogues, and "system" beside the same.
AnswerRows hh_rows(const Answer& answer);
/// Cells of csv_header: one row for an answer, or for each thumb.
AnswerRows csv_rows(const Answer& answer);
std::string csv_header();

}  // namespace plumbline
