// Every way in which a project file does not open, each with its own message; the file stays as it was.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "core/formats/sha256.h"
#include "core/store/migrations.h"
#include "core/store/project_file.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::error_of;

class Opening : public ::testing::Test {
  protected:
    std::string open_error(const fs::path& path) const {
        return error_of([&] { ProjectFile::open(path); });
    }
    testing::TempFolder folder_;
};

TEST_F(Opening, SaysThatTheFileIsMissing) {
    const fs::path path = folder_ / "none.plumb";
    EXPECT_EQ(open_error(path), "open project: " + path.string() +
                                    ": there is no such file; check the name, or look where it was moved");
    EXPECT_FALSE(fs::exists(path)) << "opening must not create";
    EXPECT_TRUE(fs::is_empty(folder_.path()));
    EXPECT_TRUE(contains(open_error(folder_.path()), "it is a folder"));
}

TEST_F(Opening, SaysThatItIsNoSqliteFile) {
    const fs::path path = folder_ / "photo.plumb";
    std::ofstream(path) << std::string(5000, 'x');
    EXPECT_TRUE(contains(open_error(path), "it is not a SQLite database")) << open_error(path);
    EXPECT_EQ(fs::file_size(path), 5000U);
}

TEST_F(Opening, SaysThatItIsEmpty) {
    const fs::path path = folder_ / "empty.plumb";
    std::ofstream{path};
    EXPECT_TRUE(contains(open_error(path), "it is empty, not a Plumbline project")) << open_error(path);
    EXPECT_EQ(fs::file_size(path), 0U);
}

TEST_F(Opening, SaysThatItIsAnotherDatabase) {
    const fs::path path = folder_ / "bookmarks.plumb";
    testing::run_sql(path, "CREATE TABLE bookmarks (url TEXT)");
    const std::string before = sha256_of_file(path);
    EXPECT_TRUE(contains(open_error(path), "a SQLite database but not a Plumbline project"))
        << open_error(path);
    EXPECT_EQ(sha256_of_file(path), before);
}

TEST_F(Opening, SaysBothVersionsOfANewerFile) {
    const fs::path path = testing::filled_project(folder_.path());
    testing::run_sql(path, "PRAGMA user_version = 999");
    const std::string before = sha256_of_file(path);
    const std::string text = open_error(path);
    EXPECT_TRUE(contains(text, "written by a newer Plumbline (file version 999, this program reads up to " +
                                   std::to_string(migrations().size()) + "); update Plumbline"))
        << text;
    EXPECT_EQ(sha256_of_file(path), before);
}

TEST_F(Opening, RefusesASecondOpen) {
    const fs::path path = testing::filled_project(folder_.path());
    const fs::path link = folder_ / "link.plumb";
    fs::create_symlink(path, link);
    auto first = ProjectFile::open(path);
    EXPECT_EQ(open_error(path),
              "open project: " + path.string() + " is open in another window; close it there");
    EXPECT_TRUE(contains(open_error(link), "is open in another window")) << "by another name";
    first->add_prompt("still usable");
    first.reset();
    EXPECT_EQ(open_error(path), "");
    EXPECT_EQ(open_error(link), "");
    EXPECT_FALSE(fs::exists(path.string() + "-lock"));
}

TEST_F(Opening, RefusesASecondProcessUntilTheFirstIsKilled) {
    const fs::path path = testing::filled_project(folder_.path());
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto held = ProjectFile::open(path);
        const char byte = 1;
        if (write(ready[1], &byte, 1) == 1) {
            pause();
        }
        _exit(1);
    }
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_TRUE(contains(open_error(path), "is open in another window"));
    EXPECT_TRUE(find_problems(path).empty()) << "checking an open project is allowed";
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_EQ(open_error(path), "");
    close(ready[0]);
    close(ready[1]);
}

/// What `call` returns when it runs without the rights of root.
template <class Call>
std::string as_nobody(Call call) {
    int out[2];
    if (pipe(out) != 0) {
        return "no pipe";
    }
    const pid_t child = fork();
    if (child == 0) {
        constexpr uid_t nobody = 65534;
        if (geteuid() == 0 && (setgid(nobody) != 0 || setuid(nobody) != 0)) {
            _exit(1);
        }
        const std::string text = call();
        _exit(write(out[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    close(out[1]);
    std::string text;
    char buffer[512];
    for (ssize_t n = 0; (n = read(out[0], buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(n));
    }
    close(out[0]);
    waitpid(child, nullptr, 0);
    return text;
}

TEST_F(Opening, SaysThatTheFileIsReadOnly) {
    const fs::path path = testing::filled_project(folder_.path());
    fs::permissions(folder_.path(), fs::perms::all);
    fs::permissions(path, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
    const std::string before = sha256_of_file(path);
    const std::string text = as_nobody([&] { return open_error(path); });
    EXPECT_TRUE(contains(text, "sample.plumb: the file is read-only; make it writable or copy it")) << text;
    EXPECT_EQ(sha256_of_file(path), before);
    EXPECT_EQ(as_nobody([&] { return std::to_string(find_problems(path).size()); }), "0")
        << "reading is enough";
}

TEST_F(Opening, SaysThatTheFolderIsReadOnly) {
    const fs::path path = testing::filled_project(folder_.path());
    fs::permissions(path, fs::perms::all);
    fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                                        fs::perms::others_exec);
    const std::string text = as_nobody([&] { return open_error(path); });
    EXPECT_TRUE(contains(text, "open project: ")) << text;
    EXPECT_TRUE(contains(text, "its folder is read-only; choose a place that you can write to")) << text;
    const std::string made = as_nobody([&] {
        return error_of([&] { ProjectFile::create(folder_ / "new.plumb", testing::sample_model(), {}); });
    });
    EXPECT_TRUE(contains(made, "create project: ")) << made;
    EXPECT_TRUE(contains(made, "its folder is read-only")) << made;
    EXPECT_EQ(as_nobody([&] { return std::to_string(find_problems(path).size()); }), "0");
    fs::permissions(folder_.path(), fs::perms::owner_all);
}

TEST_F(Opening, CreatesOnlyWhereNothingIs) {
    const fs::path path = folder_ / "new.plumb";
    const auto create = [&](const fs::path& where) {
        return error_of([&] { ProjectFile::create(where, testing::sample_model(), {}); });
    };
    EXPECT_EQ(create(path), "");
    EXPECT_TRUE(contains(create(path), "there is a file of that name; choose another name"));
    EXPECT_TRUE(contains(create(folder_ / "no/new.plumb"), "there is no such folder"));
    SessionConfig bad;
    bad.lora.lora_rank = 0;
    EXPECT_THROW(ProjectFile::create(folder_ / "bad.plumb", testing::sample_model(), bad), ConfigError);
    EXPECT_FALSE(fs::exists(folder_ / "bad.plumb"));
    EXPECT_FALSE(fs::exists(path.string() + ".part"));
}

TEST_F(Opening, ForgetsTheLogOfADeletedProject) {
    const fs::path path = folder_ / "again.plumb";
    auto first = ProjectFile::create(path, testing::sample_model(), {});
    first->add_prompt("of the first project");
    fs::copy_file(path.string() + "-wal", folder_ / "kept");
    first.reset();
    fs::remove(path);
    fs::rename(folder_ / "kept", path.string() + "-wal");
    const auto second = ProjectFile::create(path, testing::sample_model(), {});
    EXPECT_TRUE(second->prompts().empty());
    EXPECT_TRUE(find_problems(path).empty());
}

TEST_F(Opening, LeavesOnlyTheProjectBehind) {
    const fs::path path = testing::filled_project(folder_.path());
    EXPECT_TRUE(find_problems(path).empty());
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
        names.push_back(entry.path().filename().string());
    }
    EXPECT_EQ(names, std::vector<std::string>{"sample.plumb"});
}

}  // namespace
}  // namespace plumbline
