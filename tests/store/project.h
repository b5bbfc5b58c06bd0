#pragma once
// A new project file with one prompt, closed and opened again at will.

#include <gtest/gtest.h>

#include "core/store/project_file.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline::testing {

class Project : public ::testing::Test {
  protected:
    void reopen() {
        file_.reset();
        file_ = ProjectFile::open(path_);
    }
    StoredGeneration add_pair() {
        StoredGeneration generation = sample_generation(prompt_);
        file_->add_generation(generation);
        return generation;
    }

    TempFolder folder_;
    std::filesystem::path path_ = folder_ / "a session.plumb";
    std::unique_ptr<ProjectFile> file_ = ProjectFile::create(path_, sample_model(), {});
    std::int64_t prompt_ = file_->add_prompt("Why?");
};

}  // namespace plumbline::testing
