// Ctrl+C, and what terminals see.

#include <csignal>

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

class Interrupted : public CommandLine {};
class Terminal : public CommandLine {
  protected:
    void SetUp() override {
        if (!terminals_exist()) {
            GTEST_SKIP() << "this machine gives no pseudo-terminals (/dev/pts)";
        }
        CommandLine::SetUp();
    }
};

TEST_F(Interrupted, TrainingStopsAndLeavesNothingHalfWritten) {
    const std::string pairs = write_pairs();
    std::filesystem::create_directories(folder_ / "out");
    ChildProcess child(
        setup({"train", "dpo", model_, "--data", pairs, "--out", (folder_ / "out" / "adapter").string(),
               "--config", "steps=1000000", "--threads", "1", "--json", "--quiet"}));
    ASSERT_TRUE(child.reads("\"step\":2,")) << "it never trained";
    child.send(SIGINT);
    const ProcessResult result = child.wait(std::chrono::seconds(30));
    EXPECT_EQ(result.signal, 0);
    EXPECT_EQ(result.exit_code, 130);
    EXPECT_EQ(result.err, "") << "--quiet";
    json_lines(result.out);
    EXPECT_EQ(names_in(folder_ / "out" / "adapter"),
              (std::vector<std::string>{"training_state.json", "training_state.safetensors"}))
        << "what --resume needs, whole, and no adapter";
}

TEST_F(Interrupted, ASessionKeepsWhatIsCommitted) {
    const std::string project = (folder_ / "p.plumb").string();
    const std::string prompts = write("prompts.txt", "Why?\nHow so?\n");
    ChildProcess child(setup({"simulate", model_, "--judge", "long", "--clicks", "100000", "--prompts",
                              prompts, "--heldout", prompts, "--samples", "1", "--config",
                              "max_new_tokens=10", "--project", project, "--threads", "1", "--json"}));
    ASSERT_TRUE(child.reads("\"click\":2,")) << "it never clicked";
    child.send(SIGINT);
    const ProcessResult result = child.wait(std::chrono::seconds(30));
    EXPECT_EQ(result.exit_code, 130) << result.err;
    json_lines(result.out);

    EXPECT_EQ(run({"check", project}).exit_code, 0);
    const auto replayed = json_lines(run({"replay", project, "--check", "--threads", "1", "--json"}).out);
    ASSERT_EQ(replayed.size(), 1U);
    EXPECT_EQ(replayed[0].at("equal"), true) << replayed[0];
    EXPECT_GT(replayed[0].at("events").get<int>(), 2);
}

TEST_F(Interrupted, WaitingForInputEndsAtOnce) {
    ProcessSetup waiting = setup({"tokenize", model_, "--jsonl", "-"});
    waiting.open_input = true;
    ChildProcess child(waiting);
    ASSERT_TRUE(child.handles(SIGINT));
    child.send(SIGINT);
    EXPECT_EQ(child.wait(std::chrono::seconds(30)).exit_code, 130);
}

TEST_F(Terminal, ShowsABarAndStreams) {
    ProcessSetup person =
        setup({"generate", model_, "--prompt", "a", "--max-new-tokens", "20", "--seed", "2"});
    person.streams = Streams::terminal;
    const ProcessResult shown = ChildProcess(person).wait();
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_NE(shown.out.find("\r\x1b[K["), std::string::npos) << "no bar";
    EXPECT_NE(shown.out.find("] "), std::string::npos);
    EXPECT_EQ(shown.out.find("progress: "), std::string::npos) << "lines are for files";

    // What streamed is what a file gets, a terminal's line ends apart.
    const ProcessResult filed =
        run({"generate", model_, "--prompt", "a", "--max-new-tokens", "20", "--seed", "2"});
    std::string text = filed.out;
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
        text.insert(at, "\r");
    }
    EXPECT_TRUE(shown.out.ends_with("\r\x1b[K" + text)) << shown.out;
    EXPECT_EQ(filed.err.find('\r'), std::string::npos) << "no bar in a file";
}

TEST_F(Terminal, QuietShowsNoProgress) {
    ProcessSetup person = setup({"generate", model_, "--prompt", "a", "--json", "--quiet"});
    person.streams = Streams::terminal;
    const ProcessResult shown = ChildProcess(person).wait();
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_TRUE(shown.out.starts_with("{\"sample\":0,")) << shown.out;
}

TEST_F(Terminal, LinesComeNoFasterThanOneASecond) {
    const std::string pairs = write_pairs();
    ChildProcess child(
        setup({"train", "dpo", model_, "--data", pairs, "--out", (folder_ / "adapter").string(), "--config",
               "steps=1000000", "--threads", "1", "--json"}));
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(child.reads("\"step\":40,"));
    child.send(SIGINT);
    const ProcessResult result = child.wait(std::chrono::seconds(30));
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start).count();
    std::int64_t lines = 0;
    for (const std::string& line : lines_of(result.err)) {
        lines += line.starts_with("progress: ") ? 1 : 0;
    }
    EXPECT_GE(lines, 1);
    EXPECT_LE(lines, seconds + 2);
}

}  // namespace
}  // namespace plumbline::testing
