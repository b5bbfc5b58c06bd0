// A project that is closed and opened again goes on where it stopped.

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Reopening : public Lab {};

void expect_equal(const MetricPoint& a, const MetricPoint& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.label_id, b.label_id);
    EXPECT_EQ(a.x, b.x);
    EXPECT_EQ(a.value, b.value);
}

TEST_F(Reopening, FindsTheSameWeightsLabelsPairAndCurves) {
    const std::string path = project();
    std::string hash;
    Pair shown;
    std::vector<MetricPoint> metrics;
    {
        LabSession session(path, small_config());
        session.click({Choice::left, Choice::tie, Choice::skip, Choice::right});
        session.click(Choice::left);
        session->undo();
        session.click({Choice::right, Choice::left});
        shown = session.show();
        hash = session->weights_hash();
        metrics = session->file().metrics();
        ASSERT_FALSE(metrics.empty());
    }
    LabSession session(path);
    EXPECT_EQ(session->weights_hash(), hash);
    EXPECT_EQ(session->labels(), 6);
    EXPECT_EQ(session->usable_labels(), 5);
    EXPECT_EQ(session->policy_steps(), 4);
    EXPECT_FALSE(session->pending().has_value());
    EXPECT_EQ(session->current_prompt(), shown.prompt_id);

    session->announce(true);
    const auto opened = session.last<SessionOpened>();
    EXPECT_TRUE(opened.resumed);
    EXPECT_EQ(opened.labels, 6);
    EXPECT_EQ(opened.policy_steps, 4);
    ASSERT_EQ(opened.metrics.size(), metrics.size());
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        expect_equal(opened.metrics[i], metrics[i]);
    }
    ASSERT_EQ(opened.history.size(), 7U);
    std::vector<std::string> words;
    for (const HistoryRow& row : opened.history) {
        words.push_back(row.text + (row.undone ? " (undone)" : ""));
        EXPECT_FALSE(row.prompt.empty());
    }
    EXPECT_EQ(words, (std::vector<std::string>{"A over B", "Tie", "Skipped", "B over A", "A over B (undone)",
                                               "B over A", "A over B"}));

    const Pair again = session.show();
    EXPECT_EQ(again.id, shown.id) << "the pair that waited";
    EXPECT_EQ(again.left.id, shown.left.id);
    EXPECT_EQ(again.right.text, shown.right.text);
    EXPECT_EQ(*again.left.reward, *shown.left.reward) << "by the same reward model";
    EXPECT_EQ(*again.right.reward_sd, *shown.right.reward_sd);
}

TEST_F(Reopening, GoesOnToTheSameWeights) {
    LabSession straight(project("straight"), small_config());
    {
        LabSession first(project(), small_config());
        for (LabSession* session : {&straight, &first}) {
            session->click({Choice::left, Choice::right, Choice::left, Choice::tie, Choice::left});
        }
    }
    LabSession resumed(project());
    for (const Choice choice : {Choice::right, Choice::left, Choice::left}) {
        straight.click(choice);
        resumed.click(choice);
        EXPECT_EQ(resumed->weights_hash(), straight->weights_hash());
    }
    const auto a = straight->file().metrics(), b = resumed->file().metrics();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        expect_equal(a[i], b[i]);  // accuracy on earlier predictions too
    }
    resumed->undo();
    straight->undo();
    EXPECT_EQ(resumed->weights_hash(), straight->weights_hash());
}

TEST_F(Reopening, LearnsALabelThatWasOnlyRecorded) {
    LabSession straight(project("straight"), small_config());
    straight.click({Choice::left, Choice::right});
    straight.click(Choice::left);
    {
        LabSession killed(project(), small_config());
        killed.click({Choice::left, Choice::right});
        killed.record(Choice::left);  // and no more
    }
    LabSession reopened(project());
    ASSERT_EQ(reopened->pending_count(), 1);
    EXPECT_EQ(reopened->labels(), 3);
    EXPECT_EQ(reopened->policy_steps(), 2);
    reopened.learn_all();
    EXPECT_EQ(reopened->weights_hash(), straight->weights_hash());
}

TEST_F(Reopening, TheEngineShowsTheWaitingPairAndLearns) {
    Pair shown;
    {
        EngineDriver driver(one_thread());
        driver.after(new_session());
        driver.vote(Choice::left);
        driver.vote(Choice::right);
        driver.after(PauseTraining{true});
        driver.vote(Choice::left);
        shown = driver.shown();
        EXPECT_EQ(driver.snapshot().pending_clicks, 1);
    }
    EngineDriver driver(one_thread());
    const auto events = driver.after(OpenSession{project(), ""});
    const auto opened = all_of<SessionOpened>(events);
    ASSERT_EQ(opened.size(), 1U) << names_of(events);
    EXPECT_TRUE(opened[0].resumed);
    EXPECT_EQ(opened[0].labels, 3);
    EXPECT_EQ(opened[0].policy_steps, 2);
    EXPECT_EQ(opened[0].current_prompt, shown.prompt_id);
    EXPECT_EQ(opened[0].config.sampling.max_new_tokens, 8);
    const auto ready = all_of<PairReady>(events);
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(ready[0].pair.id, shown.id);
    EXPECT_TRUE(all_of<SamplingStarted>(events).empty()) << "nothing needs to be drawn for the screen";
    ASSERT_EQ(all_of<ClickDone>(events).size(), 1U) << "a pause ends with the session";
    EXPECT_EQ(all_of<ClickDone>(events)[0].label_id, 3);
    EXPECT_EQ(driver.snapshot().pending_clicks, 0);
    EXPECT_EQ(driver.snapshot().policy_steps, 3);
}

TEST_F(Reopening, OneEngineGoesFromProjectToProject) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.vote(Choice::left);
    const Pair shown = driver.shown();
    NewSession other = new_session(small_config(8));
    other.project_path = project("other");
    driver.after(other);
    EXPECT_EQ(driver.snapshot().labels, 0);
    driver.vote(Choice::right);
    const auto events = driver.after(OpenSession{project(), ""});
    EXPECT_EQ(all_of<PairReady>(events).at(0).pair.id, shown.id);
    EXPECT_EQ(driver.snapshot().labels, 1);
    EXPECT_EQ(driver.snapshot().run, 3U) << "counts opened sessions";
    for (const Event& event : events) {
        if (std::holds_alternative<PairReady>(event.body)) {
            EXPECT_EQ(event.run, 3U);
        }
    }
    EXPECT_NE(driver.failure_of(OpenSession{project(), ""}).find("it is open already in this window"),
              std::string::npos);
}

TEST_F(Reopening, KeepsTheArithmeticThatTheProjectWasMadeWith) {
    EngineOptions bf16 = one_thread();
    bf16.dtype = "bf16";
    {
        EngineDriver driver(one_thread());
        driver.after(new_session());
        driver.vote(Choice::left);
    }
    {
        EngineDriver driver(bf16);
        EXPECT_EQ(all_of<SessionOpened>(driver.after(OpenSession{project(), ""})).at(0).model.dtype, "f32");
        driver.vote(Choice::right);
        NewSession other = new_session();
        other.project_path = project("other");
        EXPECT_EQ(all_of<SessionOpened>(driver.after(other)).at(0).model.dtype, "bf16");
        driver.vote(Choice::left);
        driver.vote(Choice::right);
        driver.after(Undo{});
        driver.vote(Choice::left);
    }
    for (const char* name : {"p", "other"}) {
        const ReplayChecked checked = replayed(project(name));
        EXPECT_TRUE(checked.equal) << name << ": " << checked.first_difference;
    }
}

TEST_F(Reopening, AnEngineThatEndsInTheMidstOfItsWorkLeavesASoundProject) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 60;
    config.live.steps_per_click = 20;
    {
        EngineDriver driver(one_thread());
        driver.post(new_session(config));
        driver.until<TokensStreamed>();  // while the first pair is written
    }
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    {
        EngineDriver driver(one_thread());
        driver.after(OpenSession{project(), ""});
        driver.post(Vote{driver.shown().id, Choice::left});
        driver.until<PolicyStepped>();  // of twenty
    }
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    {
        EngineDriver driver(one_thread());
        const auto events = driver.after(OpenSession{project(), ""});
        EXPECT_EQ(all_of<SessionOpened>(events).at(0).labels, 1);
        EXPECT_EQ(driver.snapshot().policy_steps, 20) << "all of a click or nothing";
        EXPECT_EQ(driver.snapshot().pending_clicks, 0);
    }
    EXPECT_TRUE(replayed(project()).equal);
    EXPECT_FALSE(std::filesystem::exists(project() + "-lock"));
}

TEST_F(Reopening, ACopyOpensAsAProjectOfItsOwn) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.vote(Choice::left);
    driver.vote(Choice::right);
    const Pair shown = driver.shown();
    expect_error_form(driver.failure_of(SaveCopy{project()}), "is the open project itself");
    expect_error_form(driver.failure_of(SaveCopy{folder_.path().string()}), "is a folder; name a file");
    EXPECT_NE(driver.failure_of(SaveCopy{(folder_ / "none" / "copy.plumb").string()}), "");
    EXPECT_EQ(driver.failure_of(SaveCopy{project("copy")}), "");
    driver.vote(Choice::left);  // after the copy
    const auto events = driver.after(OpenSession{project("copy"), ""});
    EXPECT_EQ(all_of<SessionOpened>(events).at(0).labels, 2);
    EXPECT_EQ(all_of<PairReady>(events).at(0).pair.id, shown.id);
    driver.post(CloseSession{});
    driver.idle();
    EXPECT_EQ(find_problems(project("copy")), std::vector<std::string>());
    EXPECT_EQ(ProjectFile::open(project())->labels().size(), 3U) << "the original went on";
}

}  // namespace
}  // namespace plumbline::testing
