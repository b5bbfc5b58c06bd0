// Preference files into a project and out again.

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/store/answer_import.h"
#include "core/store/export_data.h"
#include "core/store/metric_rows.h"
#include "tests/store/project.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

using nlohmann::json;

class Importing : public testing::Project {
  protected:
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    std::string read(const std::filesystem::path& path) const {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::string exported(const ProjectFile& file, DataFormat format, const std::string& name) const {
        last_ = export_data(file, format, folder_ / name, {});
        return read(folder_ / name);
    }
    /// The same form again from a new project that has imported it.
    std::string again(const std::filesystem::path& path, DataFormat format) const {
        const auto other = ProjectFile::create(folder_ / ("again " + path.filename().string() + ".plumb"),
                                               testing::sample_model(), {});
        import_preferences(*other, path, {});
        return exported(*other, format, "again " + path.filename().string());
    }
    std::vector<Answer> answers() const {
        std::vector<Answer> out;
        for_each_answer(*file_, 0, 1'000'000, [&](std::int64_t, const Answer& answer, double) { out.push_back(answer); });
        return out;
    }
    mutable ExportDataResult last_;
};

const std::string every_shape =
    R"({"prompt":"p","chosen":"c","rejected":"r","strength":"much","unix_time":1700000000.5,"judge":"Ann"})" "\n"
    R"({"prompt":"p","chosen":"c","rejected":"r","tie":true})" "\n"
    R"({"prompt":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},)"
    R"({"role":"user","content":"q"}],"chosen":"c","rejected":"r","both_bad":true})" "\n"
    R"({"chosen":"\n\nHuman: a\n\nAssistant: b\n\nHuman: d\n\nAssistant: yes","rejected":"\n\nHuman: a\n\nAssistant: b\n\nHuman: d\n\nAssistant: no"})" "\n"
    R"({"prompt":"p","completions":["x","y","z"],"ranking":[2,0]})" "\n"
    R"({"prompt":"p","completion":"bad","label":false})" "\n";

TEST_F(Importing, MakesALabelOfEachRow) {
    const ImportResult result = import_preferences(*file_, write("f.jsonl", every_shape), {});
    EXPECT_EQ(result.rows, 6);
    EXPECT_EQ(result.skipped, 0);
    const std::vector<Answer> all = answers();
    ASSERT_EQ(all.size(), 6u);
    EXPECT_EQ(all[0].prompt, "p");
    EXPECT_EQ(all[0].system_prompt, file_->config().system_prompt) << "a text is asked as the session asks";
    EXPECT_EQ(all[0].replies, (std::vector<std::string>{"c", "r"}));
    EXPECT_EQ(all[0].verdict, (Verdict{Choice::left, Strength::much, {}}));
    EXPECT_EQ(all[0].unix_time, 1700000000.5);
    EXPECT_EQ(all[0].judge, "Ann");
    EXPECT_EQ(all[1].verdict.choice, Choice::tie);
    EXPECT_EQ(all[1].judge, "import");
    EXPECT_GT(all[1].unix_time, 1.7e9) << "now";
    EXPECT_EQ(all[2].verdict.choice, Choice::both_bad);
    EXPECT_EQ(all[2].system_prompt, "s");
    ASSERT_EQ(all[2].earlier.size(), 2u);
    EXPECT_EQ(all[2].earlier[1].content, "b");
    EXPECT_EQ(all[2].prompt, "q");
    EXPECT_EQ(all[3].prompt, "d");
    ASSERT_EQ(all[3].earlier.size(), 2u);
    EXPECT_EQ(all[3].replies, (std::vector<std::string>{"yes", "no"}));
    EXPECT_EQ(all[4].replies, (std::vector<std::string>{"z", "x", "y"}));
    EXPECT_EQ(all[4].verdict, (Verdict{Choice::ranking, Strength::clear, {0, 1}}));
    EXPECT_EQ(all[5].replies, std::vector<std::string>{"bad"});
    EXPECT_EQ(all[5].verdict, (Verdict{Choice::thumbs, Strength::clear, {-1}}));
    EXPECT_EQ(file_->labels().size(), 6u);
}

TEST_F(Importing, LeavesTheFileSoundAndThePromptsOfThePersonAsTheyWere) {
    add_pair();
    import_preferences(*file_, write("f.jsonl", every_shape), {});
    EXPECT_EQ(file_->prompts().size(), 1u);
    EXPECT_EQ(file_->add_prompt("next"), prompt_ + 1) << "as without the import";
    EXPECT_EQ(file_->unlabelled_generations().size(), 1u);
    EXPECT_EQ(file_->events().back().kind, "import");
    reopen();
    EXPECT_EQ(answers().size(), 6u);
    const auto generations = file_->generations();
    ASSERT_EQ(generations.size(), 7u);
    EXPECT_FALSE(generations[0].imported);
    EXPECT_TRUE(generations[6].imported);
    EXPECT_FALSE(is_complete(generations[6]));
    EXPECT_EQ(generations[6].shown().size(), 1u);
    file_.reset();
    EXPECT_EQ(find_problems(path_), std::vector<std::string>{});
    // A reply without tokens that was not imported is a problem, and so is a pair of one reply.
    testing::run_sql(path_, "UPDATE generations SET imported = 0");
    EXPECT_EQ(find_problems(path_).size(), 13u) << "12 replies without tokens, and the single one on both sides";
}

TEST_F(Importing, ListsBadRowsAndKeepsTheOthers) {
    const std::string good = R"({"prompt":"p","chosen":"c","rejected":"r"})" "\n";
    const ImportResult result = import_preferences(
        *file_, write("f.jsonl", good + "{}\n" + R"({"prompt":" ","chosen":"c","rejected":"r"})" "\n" +
                                     R"({"prompt":[{"role":"assistant","content":"a"}],"chosen":"c","rejected":"r"})" "\n" + good), {});
    EXPECT_EQ(result.rows, 2);
    EXPECT_EQ(result.skipped, 3);
    EXPECT_EQ(result.reasons, (std::vector<std::string>{"line 2: chosen is missing", "line 3: prompt is empty",
                                                        "line 4: the last message of prompt is of role \"assistant\", not a user's"}));
    std::string many = good;
    for (std::size_t i = 0; i <= ImportResult::most_reasons; ++i) many += "x\n";
    const ImportResult bad = import_preferences(*file_, write("many.jsonl", many), {});
    EXPECT_EQ(bad.skipped, static_cast<std::int64_t>(ImportResult::most_reasons) + 1);
    EXPECT_EQ(bad.reasons.size(), ImportResult::most_reasons);
}

TEST_F(Importing, IsWholeOrNotAtAll) {
    std::string many;
    for (int i = 0; i < 2000; ++i) many += R"({"prompt":"p","chosen":"c","rejected":"r"})" "\n";
    const auto path = write("f.jsonl", many);
    std::stop_source stop;
    int reports = 0;
    Job job;
    job.stop = stop.get_token();
    job.progress = [&](double fraction, const std::string& what) {
        ++reports;
        EXPECT_LE(fraction, 1);
        EXPECT_EQ(what, "500 rows");
        stop.request_stop();
    };
    EXPECT_THROW(import_preferences(*file_, path, job), Stopped);
    EXPECT_EQ(reports, 1);
    EXPECT_EQ(file_->labels().size(), 0u);
    EXPECT_EQ(file_->last_event(), 0);
    EXPECT_THROW(import_preferences(*file_, write("bad.jsonl", "{}\n"), {}), Error) << "no good row";
    EXPECT_EQ(file_->all_prompts().size(), 1u);
    EXPECT_EQ(import_preferences(*file_, path, {}).rows, 2000);
    EXPECT_EQ(file_->all_prompts().size(), 2u) << "the same prompt is kept once";
}

TEST_F(Importing, ComesOutAgainAsItCameIn) {
    import_preferences(*file_, write("f.jsonl", every_shape), {});
    const std::string csv = exported(*file_, DataFormat::csv, "out.csv");
    EXPECT_EQ(last_.rows, 6);
    EXPECT_EQ(last_.skipped, std::vector<std::string>{});
    EXPECT_EQ(again(folder_ / "out.csv", DataFormat::csv), csv);

    const std::string trl = exported(*file_, DataFormat::trl, "out.jsonl");
    EXPECT_EQ(last_.rows, 7) << "a ranking of two of three gives three pairs";
    EXPECT_EQ(last_.skipped, std::vector<std::string>{"label 6: its thumbs compare no replies"});
    EXPECT_EQ(again(folder_ / "out.jsonl", DataFormat::trl), trl);
    const json row = json::parse(trl.substr(0, trl.find('\n')));
    EXPECT_EQ(row["prompt"][1], (json{{"role", "user"}, {"content", "p"}}));
    EXPECT_EQ(row["chosen"], (json::array({{{"role", "assistant"}, {"content", "c"}}})));
    EXPECT_EQ(row["strength"], "much");
    EXPECT_EQ(row["unix_time"], 1700000000.5);
    EXPECT_EQ(row["judge"], "Ann");

    const std::string hh = exported(*file_, DataFormat::hh, "hh.jsonl");
    EXPECT_EQ(last_.rows, 7);
    EXPECT_EQ(again(folder_ / "hh.jsonl", DataFormat::hh), hh);
    EXPECT_EQ(json::parse(hh.substr(0, hh.find('\n')))["chosen"], "\n\nHuman: p\n\nAssistant: c");
}

TEST_F(Importing, WritesWhatTrlHasRead) {
    import_preferences(*file_, testing::golden_path("preferences.jsonl"), {});
    EXPECT_EQ(exported(*file_, DataFormat::trl, "out.jsonl"), read(testing::golden_path("preferences_trl.jsonl")));
    const json golden = testing::golden_json("preferences_trl.json");
    EXPECT_EQ(golden["columns"], (json{"prompt", "chosen", "rejected", "tie", "both_bad", "strength", "unix_time", "judge"}));
    ASSERT_EQ(golden["rows"].size(), 5u) << "without the tie";
    EXPECT_NE(golden["rows"][1]["prompt"].get<std::string>().find("Hi, how can I help?"), std::string::npos);
    EXPECT_EQ(golden["rows"][1]["chosen"].get<std::string>().find("So sorry."), 0u);
}

TEST_F(Importing, LeavesOutWhatAFormCannotSay) {
    StoredGeneration pair = add_pair();
    file_->add_label(testing::label_of(pair, Choice::skip));
    const auto undone = file_->add_label(testing::label_of(pair, Choice::left));
    file_->add_label(testing::label_of(pair, Choice::left, undone));
    import_preferences(*file_, write("f.jsonl", R"({"prompt":"a\n\nHuman: b","chosen":"c","rejected":"r"})"), {});
    exported(*file_, DataFormat::hh, "hh.jsonl");
    EXPECT_EQ(last_.rows, 0);
    ASSERT_EQ(last_.skipped.size(), 2u) << "one that was taken back is no label";
    EXPECT_EQ(last_.skipped[0], "label 1: it was skipped");
    EXPECT_EQ(last_.skipped[1], "label 4: its messages have roles or marks that the form keeps for itself");
    exported(*file_, DataFormat::trl, "trl.jsonl");
    EXPECT_EQ(last_.rows, 1);
}

TEST_F(Importing, WritesTheScriptWithItsData) {
    EXPECT_THROW(export_data(*file_, DataFormat::script, folder_ / "none", {}), Error) << "nothing to train on";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "none"));
    import_preferences(*file_, write("f.jsonl", every_shape), {});
    SessionConfig config = file_->config();
    config.live.algorithm = Algorithm::ppo;
    file_->set_config(config);
    export_data(*file_, DataFormat::script, folder_ / "script", {});
    EXPECT_EQ(read(folder_ / "script" / "preferences.jsonl"), exported(*file_, DataFormat::trl, "trl.jsonl"));
    const json settings = json::parse(read(folder_ / "script" / "settings.json"));
    EXPECT_EQ(settings["algorithm"], "ppo");
    EXPECT_EQ(settings["learns_from"], "samples");
    EXPECT_EQ(settings["model"], "/models/tiny.gguf");
    EXPECT_EQ(settings["optimizer"], "adamw");
    const std::string script = read(folder_ / "script" / "train.py");
    EXPECT_EQ(script.find("# a session.plumb, PPO. Not the same: TRL has no PPO"), 0u) << script.substr(0, 100);
    EXPECT_THROW(export_data(*file_, DataFormat::script, folder_ / "script", {}), Error) << "it exists";
}

TEST(MetricRows, HaveARowForEachStep) {
    EXPECT_EQ(metric_rows({{"reward/loss", 1, 1, 0.5}, {"reward/predicted", 1, 1, 0.25}, {"loss/policy", 1, 1, 0.7},
                           {"lr", 1, 1, 0.001}, {"loss/policy", 1, 2, 0.6}, {"reward/loss", 3, 2, 0.4}}),
              (std::vector<std::string>{"step,label,labels,loss/policy,lr,reward/loss\r\n", "1,1,1,0.7,0.001,0.5\r\n",
                                        "2,1,,0.6,,\r\n", ",3,2,,,0.4\r\n"}));
}

}  // namespace
}  // namespace plumbline
