// Stop and pause: what runs ends at its next small step, what is committed stays, and it can go on.

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Stopping : public Lab {
  protected:
    /// Replies long enough to be stopped in their midst.
    static SessionConfig long_replies() {
        SessionConfig config = small_config();
        config.sampling.max_new_tokens = 100;
        return config;
    }
};

/// The hash of the adapter after the last policy step.
std::string last_weights(const std::string& path) {
    std::string hash;
    for (const StoredEvent& event : ProjectFile::open(path)->events()) {
        hash = event.kind == "policy" ? event.weights_hash : hash;
    }
    EXPECT_EQ(hash.size(), 64U);
    return hash;
}

JobEnd end_of(const std::vector<Event>& events, const std::string& job) {
    for (const JobEnded& ended : all_of<JobEnded>(events)) {
        if (ended.job.starts_with(job)) {
            return ended.end;
        }
    }
    ADD_FAILURE() << "no job '" << job << "' ended among\n" << names_of(events);
    return JobEnd::failed;
}

TEST_F(Stopping, WhileStreamingLeavesTheScreenEmptyUntilAskedAgain) {
    EngineDriver driver(one_thread());
    driver.when<TokensStreamed>([&] { driver.stop(); });
    const auto events = driver.after(new_session(long_replies()));
    EXPECT_EQ(end_of(events, "Sampling 3 × 100 tokens"), JobEnd::stopped);
    EXPECT_EQ(all_of<SamplingStopped>(events).size(), 1U) << names_of(events);
    EXPECT_TRUE(all_of<PairReady>(events).empty());
    EXPECT_EQ(all_of<SamplingStarted>(events).size(), 1U) << "it must not start again by itself";
    EXPECT_LT(all_of<TokensStreamed>(events).size(), 30U) << "of about 300";
    EXPECT_EQ(driver.snapshot().pairs_ahead, 0);

    const auto again = driver.after(SampleAgain{});
    EXPECT_EQ(all_of<PairReady>(again).size(), 1U) << names_of(again);
    EXPECT_TRUE(all_of<SamplingStopped>(again).empty());
    EXPECT_EQ(all_of<LabelRecorded>(driver.vote(Choice::left)).size(), 1U);
}

TEST_F(Stopping, APairThatIsWrittenAheadAndCameOnScreenStopsToo) {
    EngineDriver driver(one_thread());
    driver.when<JobStarted>(
        [&] {
            driver.post(Vote{driver.shown().id, Choice::left});  // its next pair is the one being written
            driver.when<TokensStreamed>([&] { driver.stop(); });
        },
        [](const JobStarted& job) { return job.job.starts_with("Sampling ahead"); });
    const auto events = driver.after(new_session(long_replies()));
    ASSERT_EQ(all_of<LabelRecorded>(events).size(), 1U) << names_of(events);
    EXPECT_EQ(all_of<SamplingStarted>(events).size(), 2U) << names_of(events);
    EXPECT_EQ(all_of<SamplingStopped>(events).size(), 1U) << names_of(events);
    EXPECT_EQ(all_of<PairReady>(events).size(), 1U) << "the first one only";
    EXPECT_EQ(all_of<ClickDone>(events).size(), 1U) << "learning goes on";
    EXPECT_EQ(all_of<PairReady>(driver.after(SampleAgain{})).size(), 1U);
}

TEST_F(Stopping, DrawingAheadWaitsForTheNextCommand) {
    EngineDriver driver(one_thread());
    driver.when<JobStarted>([&] { driver.stop(); },
                            [](const JobStarted& job) { return job.job.starts_with("Sampling ahead"); });
    const auto events = driver.after(new_session(long_replies()));
    EXPECT_EQ(end_of(events, "Sampling ahead"), JobEnd::stopped);
    EXPECT_TRUE(all_of<SamplingStopped>(events).empty()) << "the screen has its pair";
    EXPECT_EQ(all_of<PairReady>(events).size(), 1U);
    // Idle answers a command, and any command lets it go on.
    driver.idle();
    EXPECT_EQ(driver.snapshot().pairs_ahead, 2);
}

TEST_F(Stopping, WhileTrainingKeepsTheLabelAndPauses) {
    SessionConfig config = small_config();
    config.live.steps_per_click = 4;
    EngineDriver driver(one_thread());
    driver.after(new_session(config));
    driver.when<PolicyStepped>([&] { driver.stop(); });
    const auto events = driver.vote(Choice::left);
    EXPECT_EQ(end_of(events, "Learning"), JobEnd::stopped);
    EXPECT_EQ(all_of<PolicyStepped>(events).size(), 1U) << "of four";
    EXPECT_TRUE(all_of<ClickDone>(events).empty());
    Snapshot now = driver.snapshot();
    EXPECT_TRUE(now.training_paused);
    EXPECT_EQ(now.labels, 1);
    EXPECT_EQ(now.pending_clicks, 1);
    EXPECT_EQ(now.policy_steps, 0) << "half a click is no click";

    const auto resumed = driver.after(PauseTraining{false});
    EXPECT_EQ(all_of<PolicyStepped>(resumed).size(), 4U) << names_of(resumed);
    ASSERT_EQ(all_of<ClickDone>(resumed).size(), 1U);
    EXPECT_EQ(all_of<ClickDone>(resumed)[0].policy_steps, 4);
    now = driver.snapshot();
    EXPECT_FALSE(now.training_paused);
    EXPECT_EQ(now.pending_clicks, 0);
    EXPECT_EQ(now.policy_steps, 4);
    driver.after(CloseSession{});

    // As if it had never been stopped.
    EngineDriver straight(one_thread());
    NewSession same = new_session(config);
    same.project_path = project("straight");
    straight.after(same);
    straight.vote(Choice::left);
    straight.after(CloseSession{});
    EXPECT_EQ(last_weights(project()), last_weights(project("straight")));
}

TEST_F(Stopping, WhileLoadingLeavesNothingBehind) {
    EngineDriver driver(one_thread());
    driver.when<JobStarted>([&] { driver.stop(); });
    const auto events = driver.after(new_session());
    EXPECT_EQ(end_of(events, "Loading tiny"), JobEnd::stopped);
    const auto failed = all_of<CommandFailed>(events);
    ASSERT_EQ(failed.size(), 1U);
    expect_error_form(failed[0].message, "was stopped");
    EXPECT_FALSE(std::filesystem::exists(project()));
    EXPECT_EQ(driver.snapshot().activity, Activity::no_session);
    EXPECT_EQ(all_of<PairReady>(driver.after(new_session())).size(), 1U) << "the next try loads it";
}

TEST_F(Stopping, ALoadingModelGivesWayToAnotherCommand) {
    EngineDriver driver(one_thread());
    NewSession other = new_session();
    other.project_path = project("other");
    driver.when<JobStarted>([&] { driver.post(other); });
    driver.post(new_session());
    driver.until<JobEnded>();
    driver.idle();
    const auto events = driver.all();
    ASSERT_EQ(all_of<SessionOpened>(events).size(), 1U) << names_of(events);
    EXPECT_EQ(all_of<SessionOpened>(events)[0].project_path, project("other"));
    EXPECT_FALSE(std::filesystem::exists(project()));
}

TEST_F(Stopping, EvaluatingEndsWithoutAResult) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.when<JobProgress>([&] { driver.stop(); });
    const std::vector<std::string> many(40, "Why?");
    const auto events = driver.after(Evaluate{"stopped", many, 4, 1});
    EXPECT_EQ(end_of(events, "Evaluating 40 prompts"), JobEnd::stopped);
    EXPECT_TRUE(all_of<Evaluated>(events).empty());
    EXPECT_EQ(all_of<Evaluated>(driver.after(Evaluate{"whole", {"Why?"}, 2, 1})).size(), 1U);
}

TEST_F(Stopping, WithNothingToStopChangesNothing) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.stop();
    const auto events = driver.vote(Choice::left);
    EXPECT_EQ(all_of<ClickDone>(events).size(), 1U) << "a stop is not for what comes later";
}

class Pausing : public Lab {};

TEST_F(Pausing, KeepsLabelsAndLearnsThemInOrderOnResume) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.after(PauseTraining{true});
    EXPECT_TRUE(driver.snapshot().training_paused);
    for (const Choice choice : {Choice::left, Choice::skip, Choice::right, Choice::tie}) {
        const auto events = driver.vote(choice);
        EXPECT_EQ(all_of<LabelRecorded>(events).size(), 1U);
        EXPECT_TRUE(all_of<RewardFitted>(events).empty());
    }
    EXPECT_EQ(driver.snapshot().pending_clicks, 3) << "a skip teaches nothing";
    EXPECT_EQ(driver.snapshot().labels, 4);
    EXPECT_EQ(driver.snapshot().policy_steps, 0);

    std::vector<std::int64_t> learned;
    for (const ClickDone& done : all_of<ClickDone>(driver.after(PauseTraining{false}))) {
        learned.push_back(done.label_id);
    }
    EXPECT_EQ(learned, (std::vector<std::int64_t>{1, 3, 4}));
    EXPECT_EQ(driver.snapshot().policy_steps, 2);
    driver.after(CloseSession{});
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(Pausing, InTheMidstOfAClickLetsItEnd) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.when<RewardFitted>([&] { driver.post(PauseTraining{true}); });
    EXPECT_EQ(all_of<ClickDone>(driver.vote(Choice::left)).size(), 1U);
    EXPECT_TRUE(driver.snapshot().training_paused);
    EXPECT_TRUE(all_of<ClickDone>(driver.vote(Choice::left)).empty());
    EXPECT_EQ(driver.snapshot().pending_clicks, 1);
}

}  // namespace
}  // namespace plumbline::testing
