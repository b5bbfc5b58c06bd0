#include "core/formats/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "core/api/errors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

std::size_t files_in(const TempFolder& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(WriteAtomically, ReplacesTheWholeFile) {
    const TempFolder folder;
    write_atomically(folder / "f", {"first ", "and long"}, "write");
    write_atomically(folder / "f", {"", "second"}, "write");
    EXPECT_EQ(testing::read_whole(folder / "f"), "second");
    EXPECT_EQ(files_in(folder), 1u);
}

TEST(WriteAtomically, LeavesTheOldFileWhenTheDiskIsFull) {
    const TempFolder folder;
    write_atomically(folder / "f", {"old"}, "write");
    // A limit on the size of files stands for the full disk: write() fails half-way.
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 4096;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    std::string error;
    try {
        write_atomically(folder / "f", {std::string(3000, 'a'), std::string(3000, 'b')}, "write adapter");
    } catch (const Error& caught) {
        error = caught.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_EQ(error.rfind("write adapter: " + (folder / "f").string() + ": ", 0), 0u) << error;
    EXPECT_EQ(testing::read_whole(folder / "f"), "old");
    EXPECT_EQ(files_in(folder), 1u);
}

TEST(WriteAtomically, SaysWhyItCannotWrite) {
    const TempFolder folder;
    try {
        write_atomically(folder / "absent/f", {"x"}, "write adapter");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("make the folder first"), std::string::npos) << error.what();
    }
    std::filesystem::create_directory(folder / "f");
    EXPECT_THROW(write_atomically(folder / "f", {"x"}, "write"), Error);  // a folder stands there
    EXPECT_EQ(files_in(folder), 1u);
}

}  // namespace
}  // namespace plumbline
