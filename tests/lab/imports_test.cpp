// Answers from files in a session: they are learned, replayed, taken back, and wait for the person.

#include <fstream>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Imports : public Lab {
  protected:
    /// Pairs of a short and a long reply, one of another kind, and one that is too long for the model.
    std::string file(int pairs) const {
        std::ofstream out(folder_ / "answers.jsonl");
        for (int i = 0; i < pairs; ++i) {
            out << R"({"prompt":"Why )" << i << R"(?","chosen":"No )" << i << R"(","rejected":"That is so for many a reason"})" "\n";
        }
        out << R"({"prompt":"How?","completion":"So.","label":true})" "\n"
            << R"({"prompt":"How?","chosen":")" << std::string(5000, 'x') << R"(","rejected":"So."})" "\n"
            << R"({"prompt":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],)"
            << R"("completions":["d","e","f"],"ranking":[1,0]})" "\n";
        return (folder_ / "answers.jsonl").string();
    }
    static void learn_imports(const LabSession& session) {
        while (session->pending_imports() > 0) {
            session->learn_imports({});
        }
    }
};

TEST_F(Imports, AreLearnedAndReplayedToTheLastBit) {
    std::string hash;
    {
        LabSession session(project(), small_config());
        session.click(Choice::left);
        EXPECT_EQ(session->import_answers(file(20), {}).rows, 23);
        EXPECT_EQ(session->labels(), 24);
        EXPECT_EQ(session->imports(), 23);
        EXPECT_EQ(session->pending_count(), 0) << "a click would wait for nothing";
        const int steps = session->policy_steps();
        session->learn_imports({});
        EXPECT_EQ(session->pending_imports(), 23 - 16);
        EXPECT_EQ(session->policy_steps(), steps + 1);
        session.click(Choice::right);
        learn_imports(session);
        EXPECT_EQ(session.last<AnswersPassedOver>().answers, 1);
        EXPECT_EQ(session.last<AnswersPassedOver>().why, "longer than 256 tokens");
        hash = session->weights_hash();
        const auto points = session->file().metrics();
        const auto accuracy = std::count_if(points.begin(), points.end(), [](const MetricPoint& point) {
            return point.name == "reward/imported_accuracy";
        });
        EXPECT_EQ(accuracy, 2);
    }
    EXPECT_EQ(find_problems(project()), std::vector<std::string>{});
    {
        LabSession session(project());
        EXPECT_EQ(session->weights_hash(), hash);
        EXPECT_EQ(session->pending_imports(), 0);
        EXPECT_EQ(session->labels(), 25);
        session->announce(true);
        EXPECT_EQ(session.last<SessionOpened>().history.size(), 2U) << "the person's own";
        EXPECT_EQ(session.last<SessionOpened>().imported, 23);
    }
    const ReplayChecked replay = replayed(project());
    EXPECT_TRUE(replay.equal) << replay.first_difference;
}

TEST_F(Imports, TeachTheRewardModel) {
    LabSession session(project(), small_config());
    session.show();
    session->import_answers(file(60), {});
    learn_imports(session);
    std::vector<double> accuracy;   // of each lesson's answers, before they were learned
    for (const MetricPoint& point : session->file().metrics()) {
        if (point.name == "reward/imported_accuracy") {
            accuracy.push_back(point.value);
        }
    }
    ASSERT_EQ(accuracy.size(), 4U);
    EXPECT_LT(accuracy[0], 0.7) << "nothing was learned yet";
    EXPECT_GT(accuracy[2], 0.9) << "the last has answers of another kind too";
}

TEST_F(Imports, GoBackWithTheClickBeforeThem) {
    {
        LabSession session(project(), small_config());
        session.click(Choice::left);
        const std::string before = session->weights_hash();
        session.click(Choice::right);
        session->import_answers(file(4), {});
        learn_imports(session);
        EXPECT_EQ(session->pending_imports(), 0);
        EXPECT_TRUE(session->undo());
        EXPECT_EQ(session->weights_hash(), before);
        EXPECT_EQ(session->pending_imports(), 7) << "to be learned again";
        EXPECT_EQ(session->labels(), 8);
        learn_imports(session);
        EXPECT_TRUE(session->undo());
        EXPECT_FALSE(session->undo()) << "an imported answer is no vote";
    }
    const ReplayChecked replay = replayed(project());
    EXPECT_TRUE(replay.equal) << replay.first_difference;
}

TEST_F(Imports, AreAJobOfTheEngineThatLetsVotesPass) {
    {
        EngineDriver driver(one_thread());
        driver.after(new_session());
        driver.when<JobStarted>([&] { driver.post(Vote{driver.shown().id, Choice::left}); },
                                [](const JobStarted& job) { return job.job.starts_with("Learning from imported"); });
        driver.post(ImportPreferences{file(40)});
        const auto events = driver.idle();
        const auto imported = all_of<AnswersImported>(events);
        ASSERT_EQ(imported.size(), 1U) << names_of(events);
        EXPECT_EQ(imported[0].result.rows, 43);
        EXPECT_EQ(imported[0].imported, 43);
        ASSERT_EQ(all_of<ClickDone>(events).size(), 1U);
        const auto second = [&](const JobStarted& job) { return job.job == "Learning from imported answers, 27 to go"; };
        EXPECT_LT(place_of<ClickDone>(events), place_of<JobStarted>(events, second)) << "the vote came first";
    }
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(Imports, ThatFailOrAreStoppedLeaveTheSessionAsItWas) {
    EngineDriver driver(one_thread());
    EXPECT_NE(driver.failure_of(ImportPreferences{file(1)}).find("no session is open"), std::string::npos);
    driver.after(new_session());
    expect_error_form(driver.failure_of(ImportPreferences{(folder_ / "absent.jsonl").string()}), "absent.jsonl");
    driver.when<JobProgress>([&] { driver.stop(); });
    const auto stopped = driver.after(ImportPreferences{file(2000)});
    EXPECT_EQ(all_of<AnswersImported>(stopped).size(), 0U);
    EXPECT_EQ(driver.snapshot().labels, 0);
    driver.vote(Choice::left);
    EXPECT_EQ(driver.snapshot().labels, 1);
    const auto exported = all_of<DataExported>(driver.after(ExportData{DataFormat::trl, (folder_ / "out.jsonl").string()}));
    ASSERT_EQ(exported.size(), 1U);
    EXPECT_EQ(exported[0].result.rows, 1);
    expect_error_form(driver.failure_of(ExportData{DataFormat::csv, (folder_ / "no" / "out.csv").string()}), "make the folder first");
}

TEST_F(Imports, AreUnknownToStatesOfEarlierVersions) {
    LabSession session(project(), small_config());
    session.click(Choice::left);
    Learner learner(session->model(), session->config());
    const std::vector<std::byte> now = session->file().latest()->state;
    learner.restore(now);
    std::vector<std::byte> earlier = now;   // without the header's last number, under the former mark
    std::memcpy(earlier.data(), "PLS2", 4);
    const std::size_t header = 4 * 4 + 3 * 8 + 8 + 8 + 8 + 3 * 8;
    earlier.erase(earlier.begin() + header - 8, earlier.begin() + header);
    Learner other(session->model(), session->config());
    other.restore(earlier);
    EXPECT_EQ(other.save(), learner.save());
    EXPECT_EQ(other.extent.imported, 0);
}

}  // namespace
}  // namespace plumbline::testing
