// The whole program, killed while a simulated person clicks: what it acknowledged is in the file, which
// opens, replays and goes on.

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <thread>

#include "tests/lab/lab.h"
#include "tests/support/child_process.h"

namespace plumbline::testing {
namespace {

class Killed : public Lab {
  protected:
    std::string prompts_file() const {
        const std::string path = (folder_ / "prompts.txt").string();
        std::ofstream(path) << "Why?\nHow so?\nAnd then?\n";
        return path;
    }
    /// Clicks until it is killed, `delay` after the first acknowledged one. Returns the clicks acknowledged.
    int killed_after(std::chrono::microseconds delay, const std::string& algorithm) const {
        const std::string prompts = prompts_file();
        ProcessSetup setup;
        setup.command = {PLUMBLINE_CLI,
                         "simulate",
                         TinyModel::path(),
                         "--judge",
                         "long",
                         "--clicks",
                         "100000",
                         "--prompts",
                         prompts,
                         "--heldout",
                         prompts,
                         "--samples",
                         "1",
                         "--algorithm",
                         algorithm,
                         "--config",
                         "max_new_tokens=8",
                         "--config",
                         "candidates=3",
                         "--config",
                         "group_size=2",
                         "--project",
                         project(),
                         "--threads",
                         "1",
                         "--json",
                         "--quiet"};
        setup.environment = {"PLUMBLINE_DATA_DIR=" + (folder_ / "data").string()};
        ChildProcess child(setup);
        EXPECT_TRUE(child.reads("\"click\":1,")) << "it never clicked";
        std::this_thread::sleep_for(delay);
        child.send(SIGKILL);
        const ProcessResult result = child.wait();
        EXPECT_EQ(result.signal, SIGKILL) << result.err;
        int clicks = 0;
        std::istringstream lines(result.out);
        for (std::string line; std::getline(lines, line);) {
            const auto row = nlohmann::json::parse(line, nullptr, false);
            if (row.is_object()) {  // the last line may be cut
                EXPECT_EQ(row.at("click"), ++clicks);
            }
        }
        return clicks;
    }
};

TEST_F(Killed, LosesNoAcknowledgedClickAndGoesOn) {
    std::mt19937 random(8);
    std::set<int> all_clicks;
    for (int round = 0; round < 6; ++round) {
        std::filesystem::remove(project());
        const std::string algorithm = round % 2 ? "rloo" : "dpo";
        const int clicks = killed_after(
            std::chrono::microseconds(std::uniform_int_distribution(0, 250000)(random)), algorithm);
        all_clicks.insert(clicks);
        EXPECT_EQ(find_problems(project()), std::vector<std::string>()) << "round " << round;

        int choices = 0;
        {
            const auto file = ProjectFile::open(project());
            for (const StoredLabel& label : file->labels()) {
                choices += label.verdict.choice == Choice::left || label.verdict.choice == Choice::right;
            }
        }
        EXPECT_GE(choices, clicks) << "round " << round;
        EXPECT_LE(choices, clicks + 1)
            << "round " << round << ": one click may be recorded but not acknowledged";

        EngineDriver driver(one_thread(false));
        const auto opened = all_of<SessionOpened>(driver.after(OpenSession{project(), ""}));
        ASSERT_EQ(opened.size(), 1U);
        EXPECT_EQ(driver.snapshot().pending_clicks, 0) << "a label that was only recorded is learned now";
        EXPECT_EQ(driver.snapshot().policy_steps, choices * opened[0].config.live.steps_per_click);
        EXPECT_EQ(all_of<ClickDone>(driver.vote(Choice::left)).size(), 1U);
        EXPECT_EQ(all_of<Undone>(driver.after(Undo{})).size(), 1U);
        driver.after(CloseSession{});
        const ReplayChecked checked = replayed(project());
        EXPECT_TRUE(checked.equal) << "round " << round << ": " << checked.first_difference;
    }
    EXPECT_GT(all_clicks.size(), 1U) << "killed at different instants";
}

TEST_F(Killed, WhileItStartsLeavesAWholeProjectOrNone) {
    std::mt19937 random(9);
    int seen = 0;
    for (int round = 0; round < 4; ++round) {
        const std::string path = project("round " + std::to_string(round));
        ProcessSetup setup;
        setup.command = {PLUMBLINE_CLI,
                         "simulate",
                         TinyModel::path(),
                         "--judge",
                         "long",
                         "--clicks",
                         "1",
                         "--prompts",
                         prompts_file(),
                         "--config",
                         "max_new_tokens=8",
                         "--project",
                         path,
                         "--threads",
                         "1"};
        ChildProcess child(setup);
        // From the lock file's appearance on, the project is being made.
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!std::filesystem::exists(path + "-lock") && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        seen += std::filesystem::exists(path + "-lock") || std::filesystem::exists(path);
        std::this_thread::sleep_for(
            std::chrono::microseconds(std::uniform_int_distribution(0, 15000)(random)));
        child.send(SIGKILL);
        child.wait();
        if (!std::filesystem::exists(path)) {
            continue;
        }
        EXPECT_EQ(find_problems(path), std::vector<std::string>());
        EngineDriver driver(one_thread());
        EXPECT_EQ(driver.failure_of(OpenSession{path, ""}), "") << "a project is never half made";
    }
    EXPECT_EQ(seen, 4) << "killed before it began";
}

}  // namespace
}  // namespace plumbline::testing
