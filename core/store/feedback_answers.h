#pragma once
// Rows of a preference file as answers to import.

#include <string>

#include "core/formats/preferences.h"
#include "core/store/answers.h"

namespace plumbline {

/// What a row leaves open.
struct AnswerDefaults {
    std::string system_prompt;   // of a prompt that is a text: it is asked as a user's message
    double unix_time = 0;
    std::string judge;
};

/// Messages are taken as they are; a dialogue of the HH-RLHF set becomes messages. Throws RowError for a prompt that ends
/// with no question.
Answer answer_of(const FeedbackRow& row, const AnswerDefaults& defaults);

}  // namespace plumbline
