// The program is killed at any instant: every acknowledged label is there and the file is sound.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <thread>

#include "core/store/project_file.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

/// The life of a click as the engine writes it, again and again; each label's id goes out once it is
/// committed.
[[noreturn]] void click_for_ever(const fs::path& path, int acknowledged) {
    const auto file = ProjectFile::open(path);
    for (int click = 0;; ++click) {
        StoredGeneration generation = testing::sample_generation(1);
        file->add_generation(generation);
        std::int64_t label = 0;
        {
            ProjectFile::Transaction transaction(*file);
            label = file->add_label(testing::label_of(generation, Choice::left));
            file->add_event({0, "label", "{}", ""});
            transaction.commit();
        }
        if (write(acknowledged, &label, sizeof label) != sizeof label) {
            _exit(1);
        }
        if (click % 3 == 0) {
            file->advance(testing::state_of(file->last_event(), 300000, static_cast<unsigned char>(click)),
                          label, 3);
        }
    }
}

/// Kills a writing child after `delay`; returns what it acknowledged.
std::vector<std::int64_t> killed_after(const fs::path& path, std::chrono::microseconds delay) {
    int ends[2];
    if (pipe(ends) != 0) {
        return {};
    }
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        click_for_ever(path, ends[1]);
    }
    close(ends[1]);
    std::vector<std::int64_t> out;
    std::int64_t label = 0;
    // The first acknowledgement says that it runs; the pipe holds thousands more.
    if (read(ends[0], &label, sizeof label) == sizeof label) {
        out.push_back(label);
    }
    std::this_thread::sleep_for(delay);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &label, sizeof label) == sizeof label) {
        out.push_back(label);
    }
    close(ends[0]);
    return out;
}

TEST(Kill, LosesNoAcknowledgedLabel) {
    const testing::TempFolder folder;
    const fs::path path = folder / "killed.plumb";
    ProjectFile::create(path, testing::sample_model(), {})->add_prompt("Why?");
    std::set<std::int64_t> acknowledged;
    std::mt19937 random(12);
    for (int round = 0; round < 8; ++round) {
        const std::vector<std::int64_t> ids =
            killed_after(path, std::chrono::microseconds(std::uniform_int_distribution(0, 60000)(random)));
        ASSERT_FALSE(ids.empty());
        acknowledged.insert(ids.begin(), ids.end());

        EXPECT_EQ(find_problems(path), std::vector<std::string>())
            << "round " << round << ", before it is opened";
        const auto file = ProjectFile::open(path);
        std::set<std::int64_t> kept;
        for (const StoredLabel& label : file->labels()) {
            kept.insert(label.id);
        }
        for (const std::int64_t id : acknowledged) {
            EXPECT_EQ(kept.count(id), 1U) << "label " << id << " of round " << round;
        }
        // A label may be committed and its acknowledgement cut off: one a round at most.
        EXPECT_LE(kept.size(), acknowledged.size() + static_cast<std::size_t>(round) + 1);
        EXPECT_EQ(file->last_event(), static_cast<std::int64_t>(kept.size())) << "label and event are one";
        if (const auto latest = file->latest()) {
            EXPECT_EQ(latest->state.size(), 300000U);
        }
    }
    EXPECT_EQ(find_problems(path), std::vector<std::string>());
    EXPECT_GT(acknowledged.size(), 8U) << "killed before anything was at stake";
}

TEST(Kill, DuringCreationLeavesAWholeProjectOrNone) {
    const testing::TempFolder folder;
    std::mt19937 random(3);
    int whole = 0;
    for (int round = 0; round < 6; ++round) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            for (int i = 0;; ++i) {
                ProjectFile::create(folder / (std::to_string(round) + "-" + std::to_string(i) + ".plumb"),
                                    testing::sample_model(), {});
            }
        }
        std::this_thread::sleep_for(
            std::chrono::microseconds(std::uniform_int_distribution(5000, 40000)(random)));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
    }
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        if (entry.path().extension() == ".plumb") {
            EXPECT_EQ(find_problems(entry.path()), std::vector<std::string>()) << entry.path();
            EXPECT_NO_THROW(ProjectFile::open(entry.path())) << entry.path();
            ++whole;
        } else if (entry.path().extension() == ".part") {
            // What is left of the killed try does not stand in the way of the next one.
            const fs::path target = entry.path().parent_path() / entry.path().stem();
            if (!fs::exists(target)) {
                EXPECT_NO_THROW(ProjectFile::create(target, testing::sample_model(), {})) << target;
            }
        }
    }
    EXPECT_GT(whole, 0);
}

}  // namespace
}  // namespace plumbline
