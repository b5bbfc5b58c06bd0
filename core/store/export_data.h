#pragma once
// A project's data in the forms that other programs read; core/api/offline.h says which.

#include "core/store/project_file.h"

namespace plumbline {

ExportDataResult export_data(const ProjectFile& file, DataFormat format, const std::filesystem::path& out, const Job& job);

}  // namespace plumbline
