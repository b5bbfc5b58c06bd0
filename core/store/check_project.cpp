#include "core/api/offline.h"
#include "core/store/project_file.h"

namespace plumbline {

CheckResult check_project(const std::filesystem::path& project) {
    CheckResult result;
    result.problems = find_problems(project);
    result.ok = result.problems.empty();
    return result;
}

}  // namespace plumbline
