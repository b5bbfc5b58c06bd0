// simulate, and what replay and check say of its project.

#include "core/store/database.h"
#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using nlohmann::json;

class Simulate : public CommandLine {
  protected:
    std::vector<std::string> words(const std::string& clicks, std::vector<std::string> more = {}) const {
        return words_with(write("prompts.txt", "Tell me something\n\nWhy?\nHow so?\n"), clicks,
                          std::move(more));
    }
    std::vector<std::string> words_with(const std::string& prompts, const std::string& clicks,
                                        std::vector<std::string> more = {}) const {
        const std::string heldout =
            write("heldout.jsonl", "{\"prompt\":\"And then?\"}\n{\"prompt\":\"Where?\"}\n");
        std::vector<std::string> out = {
            "simulate", model_,         "--judge",   "long",      "--clicks", clicks,     "--prompts",
            prompts,    "--heldout",    heldout,     "--samples", "3",        "--config", "max_new_tokens=10",
            "--config", "candidates=3", "--threads", "1",         "--json"};
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
    std::string project() const { return (folder_ / "p.plumb").string(); }
};

void expect_share(const json& share) {
    EXPECT_EQ(share.at("n"), 6) << "two held-out prompts of three samples";
    EXPECT_LE(0, share.at("low").get<double>());
    EXPECT_LE(share.at("low").get<double>(), share.at("share").get<double>());
    EXPECT_LE(share.at("share").get<double>(), share.at("high").get<double>());
    EXPECT_LE(share.at("high").get<double>(), 1);
}

TEST_F(Simulate, ThreeClicksThatReplayAndCheck) {
    const ProcessResult result = run(words("3", {"--project", project()}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 4U);
    for (int click = 1; click <= 3; ++click) {
        const json& row = rows[click - 1];
        EXPECT_EQ(row.at("click"), click);
        EXPECT_GT(row.at("seconds").get<double>(), 0);
        EXPECT_TRUE(row.at("reward_loss").is_number());
        EXPECT_TRUE(row.at("reward_accuracy").is_null()) << "under five pairs there is none";
        EXPECT_TRUE(row.contains("kl"));
    }
    expect_share(rows[3].at("before"));
    expect_share(rows[3].at("after"));
    EXPECT_TRUE(rows[3].at("kl").is_number());

    const ProcessResult replay = run({"replay", project(), "--check", "--threads", "1", "--json"});
    EXPECT_EQ(replay.exit_code, 0) << replay.err;
    const auto replayed = json_lines(replay.out);
    ASSERT_EQ(replayed.size(), 1U);
    EXPECT_EQ(replayed[0].at("equal"), true);
    EXPECT_GT(replayed[0].at("events").get<int>(), 3);
    EXPECT_TRUE(replayed[0].at("first_difference").is_null());

    const ProcessResult check = run({"check", project(), "--json"});
    EXPECT_EQ(check.exit_code, 0) << check.err;
    const auto checked = json_lines(check.out);
    ASSERT_EQ(checked.size(), 1U);
    EXPECT_EQ(checked[0].at("ok"), true);
    EXPECT_EQ(checked[0].at("problems"), json::array());

    const ProcessResult again = run(words("3", {"--project", project()}));
    EXPECT_EQ(again.exit_code, 1) << "a project is never written over";
    expect_error_form(again);
}

TEST_F(Simulate, ASeedRepeatsASession) {
    // Seconds apart, which no seed decides.
    const auto without_seconds = [&](std::vector<std::string> more) {
        auto rows = json_lines(run(words("2", std::move(more))).out);
        for (json& row : rows) {
            row.erase("seconds");
        }
        return rows;
    };
    const auto first = without_seconds({"--seed", "4"});
    ASSERT_EQ(first.size(), 3U);
    EXPECT_EQ(without_seconds({"--seed", "4"}), first);
    EXPECT_NE(without_seconds({"--seed", "5"}), first);
    EXPECT_EQ(names_in(temporary()), std::vector<std::string>()) << "the temporary project is gone";
}

TEST_F(Simulate, LearnsByRlooToo) {
    const auto rows = json_lines(
        run(words("1", {"--algorithm", "rloo", "--config", "group_size=2", "--project", project()})).out);
    EXPECT_EQ(rows.size(), 2U);
    EXPECT_EQ(run({"replay", project(), "--check", "--threads", "1"}).exit_code, 0);
}

TEST_F(Simulate, PeopleGetATableAndASentence) {
    std::vector<std::string> people = words("1");
    people.erase(std::find(people.begin(), people.end(), "--json"));
    const ProcessResult result = run(people);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("reward loss"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find(" before, "), std::string::npos) << result.out;
    EXPECT_NE(result.out.find(" after 1 click"), std::string::npos) << result.out;
}

TEST_F(Simulate, ReplaySeesOtherWeights) {
    ASSERT_EQ(run(words("2", {"--project", project()})).exit_code, 0);
    {
        Database database(project(), Access::read_write, "test");
        database.execute("test", "DROP TRIGGER events_stay");  // the log is append-only
        database.execute(
            "test",
            "UPDATE events SET weights_hash = replace(weights_hash, substr(weights_hash, 1, 1), 'x') "
            "WHERE seq = (SELECT max(seq) FROM events WHERE weights_hash <> '')");
        ASSERT_EQ(database.changed_rows(), 1);
    }
    const ProcessResult result = run({"replay", project(), "--check", "--threads", "1", "--json"});
    EXPECT_EQ(result.exit_code, 1);
    expect_error_form(result);
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].at("equal"), false);
    EXPECT_TRUE(rows[0].at("first_difference").is_string());
}

TEST_F(Simulate, CheckSeesDamage) {
    ASSERT_EQ(run(words("1", {"--project", project()})).exit_code, 0);
    {
        std::fstream file(project(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(0, std::ios::end);
        const auto size = static_cast<std::int64_t>(file.tellp());
        for (std::int64_t at = 8192; at < size; at += 4096) {
            file.seekp(at);
            file.write("damage damage damage", 20);
        }
    }
    const ProcessResult result = run({"check", project(), "--json"});
    EXPECT_EQ(result.exit_code, 1);
    expect_error_form(result);
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].at("ok"), false);
    EXPECT_FALSE(rows[0].at("problems").empty());
    EXPECT_EQ(run({"replay", project(), "--check"}).exit_code, 1);
}

TEST_F(Simulate, PromptFilesAreRead) {
    const auto fails_with = [&](const std::string& file, const std::string& said) {
        const ProcessResult result = run(words_with(file, "1"));
        EXPECT_EQ(result.exit_code, 1) << said;
        EXPECT_NE(result.err.find(said), std::string::npos) << result.err;
        expect_error_form(result);
    };
    fails_with(write("empty.txt", "\n \n"), "no prompts");
    fails_with(write("bad.jsonl", "{\"prompt\":\"a\"}\n{\"text\":\"b\"}\n"), "line 2");
    fails_with((folder_ / "none.txt").string(), "none.txt");
}

TEST_F(Simulate, BenchMeasures) {
    TinySizes sizes;
    sizes.context = 1024;
    const std::string model = (folder_ / "long.gguf").string();
    tiny_model(5, sizes).write(model);
    const ProcessResult result = run({"bench", "sample", model, "--repeats", "3", "--candidates", "2",
                                      "--max-new-tokens", "8", "--threads", "1", "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_GT(rows[0].at("tokens_per_s").get<double>(), 0);
    const json step = rows[0].at("step_s");
    EXPECT_GT(step.at("min").get<double>(), 0);
    EXPECT_LE(step.at("min").get<double>(), step.at("median").get<double>());
    EXPECT_LE(step.at("median").get<double>(), step.at("max").get<double>());
    EXPECT_GT(rows[0].at("rss_mb").get<double>(), 10);
    EXPECT_EQ(rows[0].at("threads"), 1);
    EXPECT_EQ(rows[0].at("dtype"), "f32");
    const auto click = json_lines(
        run({"bench", "click", model, "--repeats", "1", "--threads", "1", "--json", "--quiet"}).out);
    ASSERT_EQ(click.size(), 1U);
    EXPECT_TRUE(click[0].at("tokens_per_s").is_null());
    EXPECT_GT(click[0].at("label_ms").get<double>(), 0);
    for (const char* what : {"logprobs", "reward", "dpo", "rloo"}) {
        const auto other = json_lines(run({"bench", what, model, "--repeats", "1", "--candidates", "2",
                                           "--max-new-tokens", "4", "--threads", "1", "--json", "--quiet"})
                                          .out);
        ASSERT_EQ(other.size(), 1U) << what;
        EXPECT_GT(other[0].at("step_s").at("median").get<double>(), 0) << what;
    }
}

}  // namespace
}  // namespace plumbline::testing
