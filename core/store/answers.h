#pragma once
// What somebody said of replies, with all that it was about: a label as it goes in and out of a project.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/store/project_file.h"

namespace plumbline {

struct Answer {
    std::string system_prompt;
    std::vector<Message> earlier;        // between the system prompt and the prompt
    std::string prompt;                  // the last message
    std::vector<std::string> replies;    // as shown; places of the verdict count them from 0
    Verdict verdict;
    double unix_time = 0;
    std::string judge;
};

/// Calls with the labels after `after` up to `last`, oldest first, in constant memory; those taken back are left out.
/// `share`: of the labels that have been read, 0..1.
void for_each_answer(const ProjectFile& file, std::int64_t after, std::int64_t last,
                     const std::function<void(std::int64_t label, const Answer& answer, double share)>& visit);

/// The messages before the reply, the system's first where there is one.
std::vector<Message> messages_before(const Answer& answer);

}  // namespace plumbline
