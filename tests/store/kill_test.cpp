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

constexpr std::size_t state_bytes = 1'300'000;  // three parts

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
            StoredCheckpoint state = testing::state_of(0, state_bytes, static_cast<unsigned char>(click));
            file->remove_unused_states([] {});
            file->stage(state, [] {});
            state.event_seq = file->last_event();
            file->advance(state, label, 3);
        }
    }
}

/// Runs `child` in a process of its own, with the end of a pipe for the numbers that it acknowledges, and
/// kills it `delay` after the first one. Returns all of them.
template <class Child>
std::vector<std::int64_t> killed_after(std::chrono::microseconds delay, Child child) {
    int ends[2];
    if (pipe(ends) != 0) {
        return {};
    }
    const pid_t process = fork();
    if (process == 0) {
        close(ends[0]);
        child(ends[1]);
        _exit(1);
    }
    close(ends[1]);
    std::vector<std::int64_t> out;
    std::int64_t number = 0;
    // However slow the machine: it runs by then. The pipe holds thousands more.
    if (read(ends[0], &number, sizeof number) == sizeof number) {
        out.push_back(number);
    }
    std::this_thread::sleep_for(delay);
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
    while (read(ends[0], &number, sizeof number) == sizeof number) {
        out.push_back(number);
    }
    close(ends[0]);
    return out;
}

std::chrono::microseconds up_to(std::mt19937& random, int microseconds) {
    return std::chrono::microseconds(std::uniform_int_distribution(0, microseconds)(random));
}

TEST(Kill, LosesNoAcknowledgedLabel) {
    const testing::TempFolder folder;
    const fs::path path = folder / "killed.plumb";
    ProjectFile::create(path, testing::sample_model(), {})->add_prompt("Why?");
    std::set<std::int64_t> acknowledged;
    std::mt19937 random(12);
    for (int round = 0; round < 12; ++round) {
        const std::vector<std::int64_t> ids =
            killed_after(up_to(random, 250000), [&](int out) { click_for_ever(path, out); });
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
            EXPECT_EQ(latest->state.size(), state_bytes);
            EXPECT_EQ(latest->state.front(), latest->state.back()) << "parts of two states in one";
        }
    }
    EXPECT_EQ(find_problems(path), std::vector<std::string>());
    EXPECT_GT(acknowledged.size(), 12U) << "killed before anything was at stake";
}

TEST(Kill, DuringCreationLeavesAWholeProjectOrNone) {
    const testing::TempFolder folder;
    std::mt19937 random(3);
    std::size_t acknowledged = 0;
    for (int round = 0; round < 6; ++round) {
        acknowledged +=
            killed_after(up_to(random, 60000), [&](int out) {
                for (std::int64_t i = 0;; ++i) {
                    ProjectFile::create(folder / (std::to_string(round) + "-" + std::to_string(i) + ".plumb"),
                                        testing::sample_model(), {});
                    if (write(out, &i, sizeof i) != sizeof i) {
                        return;
                    }
                }
            }).size();
    }
    std::size_t whole = 0;
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
    EXPECT_GE(whole, acknowledged);
    EXPECT_GE(acknowledged, 6U);
}

}  // namespace
}  // namespace plumbline
