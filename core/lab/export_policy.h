#pragma once
// The policy of a project that is open, written out as core/api/export_model.h does for one that is not.

#include "core/api/offline.h"
#include "core/store/project_file.h"

namespace plumbline {

/// As it was saved last, which is after every lesson.
ExportModelResult export_policy(const ProjectFile& file, const ExportModel& command, const Job& job);

}  // namespace plumbline
