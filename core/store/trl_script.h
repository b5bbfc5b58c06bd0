#pragma once
// A folder that repeats a project's training with TRL.

#include "core/store/project_file.h"

namespace plumbline {

/// OUT/train.py, with what TRL lacks of the project's algorithm in its first lines, OUT/settings.json and
/// OUT/preferences.jsonl. Throws Error when OUT exists, and when no answer prefers a reply.
ExportDataResult write_trl_script(const ProjectFile& file, const std::filesystem::path& out, const Job& job);

}  // namespace plumbline
