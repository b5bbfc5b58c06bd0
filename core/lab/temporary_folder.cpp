#include "core/lab/temporary_folder.h"

#include <cstdlib>

#include "core/api/errors.h"

namespace plumbline {

TemporaryFolder::TemporaryFolder(const char* operation) {
    std::error_code error;
    const std::filesystem::path place = std::filesystem::temp_directory_path(error);
    std::string pattern = (place / "plumbline-XXXXXX").string();
    if (error || !mkdtemp(pattern.data())) {
        throw Error(operation, "no folder can be made in " + place.string() + "; set TMPDIR to a writable place");
    }
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace plumbline
