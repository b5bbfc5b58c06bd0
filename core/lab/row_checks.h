#pragma once
// What a session demands of the rows that a project file gives it, before it computes with them.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/store/project_file.h"

namespace plumbline {

class LanguageModel;

/// What is wrong with an answer to `shown` replies on the screen; empty: nothing.
std::string fault_of(const Verdict& verdict, int shown);

/// Throws Error naming the row when a reply does not fit the model (tokens, sizes, finite numbers), or a pair
/// or label refers to what is not there.
void require_sound_rows(const std::filesystem::path& file, const LanguageModel& model,
                        const std::map<std::int64_t, std::string>& prompts,
                        const std::map<std::int64_t, StoredGeneration>& generations,
                        const std::vector<StoredLabel>& labels);

}  // namespace plumbline
