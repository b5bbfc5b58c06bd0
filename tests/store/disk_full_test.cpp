// The disk fills up at every single write in turn: the user is told, and the file is as it was.

#include <gtest/gtest.h>

#include "core/store/project_file.h"
#include "tests/store/failing_disk.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::error_of;
using testing::FailingDisk;

void one_click(ProjectFile& file) {
    ProjectFile::Transaction transaction(file);
    file.add_label(testing::label_of(file.generation(3), Choice::tie));
    file.add_event({0, "label", "{}", ""});
    file.save_latest(testing::state_of(file.last_event(), 40000, 77));
    transaction.commit();
}

TEST(DiskFull, AtAnyWriteOfAClickLeavesTheFileAsItWas) {
    const testing::TempFolder folder;
    const fs::path original = testing::filled_project(folder.path());
    FailingDisk disk;
    int failed = 0;
    bool succeeded = false;
    for (int writes = 0; !succeeded && writes < 200; ++writes) {
        const fs::path path = folder / "try.plumb";
        fs::copy_file(original, path, fs::copy_options::overwrite_existing);
        {
            const auto file = ProjectFile::open(path);
            FailingDisk::writes_left = writes;
            const std::string error = error_of([&] { one_click(*file); });
            FailingDisk::writes_left = FailingDisk::unlimited;
            succeeded = error.empty();
            if (!succeeded) {
                ++failed;
                EXPECT_TRUE(contains(error, "try.plumb: the disk is full; free some space and try again"))
                    << error;
                EXPECT_EQ(file->labels().size(), 4U) << writes;
                EXPECT_EQ(file->last_event(), 3) << writes;
                EXPECT_EQ(file->latest()->state.size(), 3000U) << writes;
                EXPECT_NO_THROW(one_click(*file)) << "once there is space again";
            }
            EXPECT_EQ(file->labels().size(), 5U) << writes;
            EXPECT_EQ(file->latest()->state.size(), 40000U) << writes;
        }
        EXPECT_EQ(find_problems(path), std::vector<std::string>()) << writes;
    }
    EXPECT_TRUE(succeeded);
    EXPECT_GT(failed, 10) << "a click of 40 kB takes more writes than that";
}

TEST(DiskFull, WhileCreatingOrCopyingLeavesNothing) {
    const testing::TempFolder folder;
    const fs::path original = testing::filled_project(folder.path());
    const auto source = ProjectFile::open(original);
    FailingDisk disk;
    for (const int writes : {0, 1, 5}) {
        FailingDisk::writes_left = writes;
        EXPECT_TRUE(contains(
            error_of([&] { ProjectFile::create(folder / "new.plumb", testing::sample_model(), {}); }),
            "the disk is full"));
        EXPECT_FALSE(fs::exists(folder / "new.plumb"));
        EXPECT_FALSE(fs::exists(folder / "new.plumb.part"));
    }
    FailingDisk::writes_left = FailingDisk::unlimited;
    const auto reopened = ProjectFile::create(folder / "other.plumb", testing::sample_model(), {});
    testing::fill(*reopened);
    FailingDisk::writes_left = 3;
    EXPECT_TRUE(contains(error_of([&] { reopened->save_copy(folder / "copy.plumb"); }), "the disk is full"));
    FailingDisk::writes_left = FailingDisk::unlimited;
    EXPECT_FALSE(fs::exists(folder / "copy.plumb"));
    EXPECT_FALSE(fs::exists(folder / "copy.plumb.part"));
    EXPECT_EQ(reopened->labels().size(), 4U);
}

}  // namespace
}  // namespace plumbline
