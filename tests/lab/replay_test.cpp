// A project's log, run again, gives the same project; a log or file that was changed does not.

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Replaying : public Lab {
  protected:
    /// Closed, with votes of all kinds, learned by DPO.
    std::string short_session() const {
        LabSession session(project(), small_config());
        session.click({Choice::left, Choice::tie, Choice::right, Choice::skip, Choice::left});
        session.show();
        return project();
    }
    void expect_difference(const std::string& sql, const std::string& named) const {
        const std::string changed = project("changed");
        std::filesystem::remove(changed);
        std::filesystem::copy_file(project(), changed);
        run_sql(changed,
                "DROP TRIGGER labels_stay; DROP TRIGGER labels_last; DROP TRIGGER events_stay; "
                "DROP TRIGGER events_last; " +
                    sql);
        const ReplayChecked result = replayed(changed);
        EXPECT_FALSE(result.equal) << sql;
        EXPECT_NE(result.first_difference.find(named), std::string::npos)
            << "'" << result.first_difference << "' does not name '" << named << "' after " << sql;
    }
};

void expect_equal(const ReplayChecked& result, const std::string& path) {
    EXPECT_TRUE(result.equal) << result.first_difference;
    EXPECT_EQ(result.first_difference, "");
    EXPECT_EQ(result.events, static_cast<int>(ProjectFile::open(path)->events().size()));
}

TEST_F(Replaying, OfAPlainSessionIsEqual) {
    const std::string path = short_session();
    expect_equal(replayed(path), path);
}

/// Everything that a person can do to a session, through the engine, with pairs drawn ahead.
std::string long_session(const std::string& path, const NewSession& start) {
    {
        EngineDriver driver(one_thread());
        driver.after(start);
        driver.vote(Choice::left);
        driver.vote(Choice::tie);
        driver.vote(Choice::skip);
        driver.vote(Choice::right);
        driver.after(Undo{});
        driver.after(Undo{});
        driver.vote(Choice::left);
        driver.after(PauseTraining{true});
        driver.vote(Choice::right);
        driver.vote(Choice::left);
        driver.after(Undo{});
        driver.after(PauseTraining{false});
        SessionConfig config = start.config;
        config.sampling.temperature = 1.3;
        config.live.beta = 0.3;
        config.live.steps_per_click = 2;
        config.reward.ridge = 3;
        driver.after(ChangeConfig{config});
        driver.vote(Choice::left);
        // A vote in the midst of the former one's learning.
        driver.when<PolicyStepped>([&] { driver.post(Vote{driver.shown().id, Choice::right}); });
        driver.after(Vote{driver.shown().id, Choice::left});
        driver.after(AddPrompts{{"What else?", "Who?"}, true});
        driver.vote(Choice::right);
        driver.after(SampleAgain{});
        driver.after(RemovePrompt{2});
        driver.after(PauseTraining{true});
        driver.vote(Choice::left);
    }  // closed with a label that is not learned
    EngineDriver driver(one_thread());
    driver.after(OpenSession{path, ""});
    driver.vote(Choice::right);
    SessionConfig config = start.config;
    config.reward.length_scale = 0;
    driver.after(ChangeConfig{config});
    driver.after(GoToPrompt{1});
    driver.after(Undo{});
    driver.vote(Choice::left);
    driver.when<RewardFitted>([&] { driver.post(Undo{}); });  // in the midst of its learning
    driver.after(Vote{driver.shown().id, Choice::left});
    driver.vote(Choice::left);
    driver.after(CloseSession{});
    return path;
}

TEST_F(Replaying, OfALongDpoSessionIsEqual) {
    const std::string path = long_session(project(), new_session());
    EXPECT_GT(ProjectFile::open(path)->events().size(), 60U);
    expect_equal(replayed(path), path);
}

TEST_F(Replaying, OfALongRlooSessionIsEqual) {
    SessionConfig config = small_config();
    config.live.algorithm = Algorithm::rloo;
    NewSession start = new_session(config);
    start.model = TinyModel::ending_path();
    const std::string path = long_session(project(), start);
    expect_equal(replayed(path), path);
}

TEST_F(Replaying, OfASessionThatChangesItsRewardAndIsReopenedIsEqual) {
    SessionConfig config = small_config();
    config.sampling.candidates = 6;
    {
        LabSession session(project(), config);
        session.click(
            {Choice::left, Choice::right, Choice::left, Choice::right, Choice::left, Choice::right});
        config.reward.ridge = 0.01;
        config.reward.length_scale = 5;
        session->change_config(config);
        session->draw(session->current_prompt(), {}, {});
    }
    LabSession session(project());
    for (int i = 0; i < 6; ++i) {  // the pairs shown depend on the reward model
        session->draw(session->current_prompt(), {}, {});
    }
    const std::string copy = project("copy");
    session->save_copy(copy);
    expect_equal(replayed(copy), copy);
}

TEST_F(Replaying, OfASessionThatChangesItsSystemPromptIsEqual) {
    SessionConfig config = small_config();
    const auto change = [&](LabSession& session) {
        session.click({Choice::left, Choice::right, Choice::left});
        config.system_prompt = "Be brief and kind to all";
        session->change_config(config);
        session.click(
            {Choice::left, Choice::right});  // earlier pairs are replayed: under their own system prompt
    };
    std::string hash;
    {
        LabSession straight(project("straight"), small_config());
        change(straight);
        straight.click({Choice::left, Choice::left});
        hash = straight->weights_hash();
    }
    expect_equal(replayed(project("straight")), project("straight"));
    config = small_config();
    {
        LabSession first(project(), small_config());
        change(first);
    }
    LabSession reopened(project());
    reopened.click({Choice::left, Choice::left});
    EXPECT_EQ(reopened->weights_hash(), hash) << "with and without the states kept in memory";
}

TEST_F(Replaying, NamesTheFirstDifference) {
    short_session();
    expect_difference(
        "UPDATE events SET payload = replace(payload, '\"choice\":0', '\"choice\":1') WHERE kind = 'label' "
        "AND seq < 5",
        "event 4 (reward)");
    expect_difference("UPDATE events SET weights_hash = 'no' WHERE kind = 'policy' AND seq > 6", "(policy)");
    expect_difference(
        "UPDATE events SET payload = replace(payload, '\"seed\":\"7\"', '\"seed\":\"8\"') WHERE seq = 1",
        "event 1 (start)");
    expect_difference("DELETE FROM events WHERE seq = 6", "event ");
    expect_difference("UPDATE labels SET choice = 'right' WHERE id = 1", "label 1");
    expect_difference("DELETE FROM labels WHERE id = 5", "label 5");
    expect_difference("UPDATE config SET value = '8' WHERE key = 'seed'", "setting seed");
    expect_difference("UPDATE candidates SET text = text || '!' WHERE id = 2", "pair 1");
    expect_difference("UPDATE generations SET left_id = right_id, right_id = left_id WHERE id = 2", "pair 2");
}

TEST_F(Replaying, SaysWhatCannotBeRunAgain) {
    short_session();
    expect_difference("UPDATE events SET payload = 'no json' WHERE seq = 4", "event 4 (reward)");
    expect_difference("UPDATE events SET payload = '{\"label\":99,\"generation\":1}' WHERE seq = 4",
                      "event 4 (reward)");
    expect_difference("UPDATE events SET payload = '{\"label\":1,\"pair\":1,\"choice\":17}' WHERE seq = 3",
                      "event 3 (label)");
    expect_difference("UPDATE events SET payload = '{\"label\":1,\"pair\":50,\"choice\":0}' WHERE seq = 3",
                      "event 3 (label)");
    expect_difference("UPDATE events SET payload = '{\"pair\":1,\"prompt\":77}' WHERE seq = 2",
                      "event 2 (sampled)");
    expect_difference("UPDATE events SET kind = 'dance' WHERE seq = 2", "event 2 (dance)");
    expect_difference("UPDATE events SET kind = 'undo', payload = '{\"label\":1}' WHERE seq = 2",
                      "event 2 (undo)");

    const std::string changed = project("no start");
    std::filesystem::copy_file(project(), changed);
    run_sql(changed, "DROP TRIGGER events_stay; UPDATE events SET kind = 'begin' WHERE seq = 1");
    expect_error_form(error_from([&] { replayed(changed); }),
                      "replay: " + changed + ": the event log has no start");
}

TEST_F(Replaying, StopsWhenAsked) {
    const std::string path = short_session();
    std::stop_source stop;
    double last = 0;
    Job job{stop.get_token(), [&](double fraction, const std::string&) {
                EXPECT_GE(fraction, last);
                EXPECT_LE(fraction, 1);
                last = fraction;
                if (fraction > 0.3) {
                    stop.request_stop();
                }
            }};
    EXPECT_THROW(replay_check(path, one_thread(), job), Stopped);
    EXPECT_LT(last, 0.6);
}

TEST_F(Replaying, NeedsTheProjectsModel) {
    write_tiny_model(folder_.path(), 6);  // another one: other weights
    const std::string model = (folder_ / "tiny.gguf").string();
    short_session();
    run_sql(project(), "UPDATE model SET path = '" + model + "'");
    expect_error_form(error_from([&] { replayed(project()); }),
                      "replay: its model " + model + " has changed (SHA-256 ");
    run_sql(project(), "UPDATE model SET path = '/no/such.gguf'");
    EXPECT_NE(error_from([&] { replayed(project()); }).find("/no/such.gguf"), std::string::npos);
}

}  // namespace
}  // namespace plumbline::testing
