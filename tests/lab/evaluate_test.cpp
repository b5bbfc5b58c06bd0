// Evaluation: the same random numbers before and after, so that replies differ by the policy alone. And the
// snapshot.

#include <atomic>
#include <chrono>
#include <cmath>
#include <thread>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Evaluating : public Lab {
  protected:
    Evaluated evaluated(EngineDriver& driver, const std::string& tag, std::uint64_t seed = 3,
                        const std::vector<std::string>& prompts = {"Who?", "When?"}, int samples = 3) {
        const auto results = all_of<Evaluated>(driver.after(Evaluate{tag, prompts, samples, seed}));
        EXPECT_EQ(results.size(), 1U);
        return results.empty() ? Evaluated{} : results[0];
    }
    static std::string text_of(const Evaluated& result) {
        std::string out;
        for (const EvaluatedReply& reply : result.replies) {
            out += std::to_string(reply.prompt) + ": " + reply.reply.text + "\n";
        }
        return out;
    }
};

TEST_F(Evaluating, TheSamePolicyAndSeedGiveTheSameReplies) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    const Evaluated first = evaluated(driver, "first");
    EXPECT_EQ(first.tag, "first");
    ASSERT_EQ(first.replies.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        const EvaluatedReply& reply = first.replies[i];
        EXPECT_EQ(reply.prompt, static_cast<int>(i / 3));
        EXPECT_GE(reply.reply.tokens, 1);
        EXPECT_LE(reply.reply.tokens, 8);
        EXPECT_TRUE(reply.reply.ended || reply.reply.tokens == 8);
        EXPECT_LT(reply.logprob, 0);
        EXPECT_NEAR(reply.logprob, reply.reference_logprob, 1e-3) << "an untrained policy is the reference";
    }
    EXPECT_NEAR(first.kl, 0, 1e-3);

    driver.after(SampleAgain{});  // other draws in between change nothing
    EXPECT_EQ(text_of(evaluated(driver, "again")), text_of(first));
    EXPECT_NE(text_of(evaluated(driver, "other seed", 4)), text_of(first));
    // A reply depends on its prompt's place and its own number, not on how many are drawn beside it.
    const Evaluated fewer = evaluated(driver, "fewer", 3, {"Who?"}, 2);
    EXPECT_EQ(fewer.replies.at(0).reply.text, first.replies[0].reply.text);
    EXPECT_EQ(fewer.replies.at(1).reply.text, first.replies[1].reply.text);
}

TEST_F(Evaluating, ATrainedPolicyRepliesDifferently) {
    SessionConfig config = small_config();
    config.live.lr = 0.02;
    EngineDriver driver(one_thread());
    driver.after(new_session(config));
    const Evaluated before = evaluated(driver, "before");
    for (int i = 0; i < 4; ++i) {
        driver.vote(Choice::left);
    }
    const Evaluated after = evaluated(driver, "after");
    EXPECT_NE(text_of(after), text_of(before));
    EXPECT_GT(std::abs(after.kl), 1e-2);
    double kl = 0;
    for (const EvaluatedReply& reply : after.replies) {
        kl += (reply.logprob - reply.reference_logprob) / 6;
    }
    EXPECT_NEAR(after.kl, kl, 1e-9);
    EXPECT_GT(std::abs(after.kl - kl * (1 + 1e-6)), 1e-9) << "a millionth off is seen";
    // Taken back, the policy replies as before.
    for (int i = 0; i < 4; ++i) {
        driver.after(Undo{});
    }
    EXPECT_EQ(text_of(evaluated(driver, "back")), text_of(before));
}

TEST_F(Evaluating, LeavesNoTraceInTheProject) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.vote(Choice::left);
    const Pair shown = driver.shown();
    evaluated(driver, "e");
    EXPECT_EQ(driver.shown().id, shown.id);
    EXPECT_EQ(driver.snapshot().labels, 1);
    driver.after(CloseSession{});
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(Evaluating, AVoteInItsMidstIsRecordedAtOnce) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.when<JobProgress>([&] { driver.post(Vote{driver.shown().id, Choice::left}); });
    driver.post(Evaluate{"e", std::vector<std::string>(40, "Who?"), 4, 1});  // nothing waits behind it
    driver.until<Evaluated>();
    driver.idle();
    const auto events = driver.all();
    ASSERT_EQ(all_of<LabelRecorded>(events).size(), 1U);
    EXPECT_LT(place_of<LabelRecorded>(events), place_of<Evaluated>(events));
    EXPECT_LT(place_of<Evaluated>(events), place_of<ClickDone>(events)) << "learned afterwards";
}

TEST_F(Evaluating, WhatCannotBeDrawnSaysSo) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    expect_error_form(driver.failure_of(Evaluate{"none", {}, 3, 1}), "evaluate: 0 prompts of 3 samples");
    expect_error_form(driver.failure_of(Evaluate{"none", {"Who?"}, 0, 1}),
                      "evaluate: 1 prompts of 0 samples");
    expect_error_form(driver.failure_of(Evaluate{"many", {"Who?"}, 1000000000, 1}),
                      "1000000000 samples cannot be drawn");
    const auto events = driver.after(Evaluate{"long", {"Who?", std::string(400, 'x')}, 1, 1});
    EXPECT_TRUE(all_of<Evaluated>(events).empty());
    std::string message;
    for (const JobEnded& ended : all_of<JobEnded>(events)) {
        message = ended.end == JobEnd::failed ? ended.message : message;
    }
    expect_error_form(message, "exceeds the model's context of 256");
}

/// Of the clock that the project's times come from: `std::time` may be one tick behind it.
std::int64_t now_in_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Snapshots : public Lab {};

TEST_F(Snapshots, SayWhatTheEngineIsAndHolds) {
    EngineDriver driver(one_thread());
    const Snapshot first = driver.snapshot();
    EXPECT_EQ(first.activity, Activity::no_session);
    EXPECT_EQ(first.run, 0U);
    EXPECT_EQ(first.device, "CPU");
    EXPECT_EQ(first.threads, 1);
    EXPECT_EQ(first.labels, 0);
    EXPECT_EQ(first.saved_unix_time, 0);
    EXPECT_LT(first.progress, 0);
    EXPECT_EQ(first.memory_total, memory_bytes());

    const std::int64_t start = now_in_seconds();
    driver.after(new_session());
    driver.vote(Choice::left);
    driver.vote(Choice::skip);
    const Snapshot now = driver.snapshot();
    EXPECT_EQ(now.run, 1U);
    EXPECT_EQ(now.activity, Activity::idle);
    EXPECT_EQ(now.text, "Waiting for your vote");
    EXPECT_LT(now.progress, 0) << "nothing runs";
    EXPECT_EQ(now.labels, 2);
    EXPECT_EQ(now.usable_labels, 1);
    EXPECT_EQ(now.policy_steps, 1);
    EXPECT_EQ(now.pending_clicks, 0);
    EXPECT_EQ(now.pairs_ahead, 2);
    EXPECT_FALSE(now.training_paused);
    EXPECT_TRUE(std::isfinite(now.kl));
    EXPECT_GT(now.memory_bytes, 50 << 20) << "the library alone";
    EXPECT_LT(now.memory_bytes, now.memory_total);
    EXPECT_GE(now.saved_unix_time, start);
    EXPECT_LE(now.saved_unix_time, now_in_seconds());

    driver.after(PauseTraining{true});
    driver.vote(Choice::left);
    EXPECT_TRUE(driver.snapshot().training_paused);
    EXPECT_EQ(driver.snapshot().pending_clicks, 1);
    driver.after(CloseSession{});
    const Snapshot closed = driver.snapshot();
    EXPECT_EQ(closed.activity, Activity::no_session);
    EXPECT_EQ(closed.labels, 0);
    EXPECT_EQ(closed.pending_clicks, 0);
    EXPECT_EQ(closed.pairs_ahead, 0);
    EXPECT_FALSE(closed.training_paused);
}

TEST_F(Snapshots, FollowTheWorkUnderWay) {
    SessionConfig config = small_config();
    config.sampling.max_new_tokens = 60;
    EngineDriver driver(one_thread());
    // Taken as each kind of work begins, and while replies stream.
    std::map<std::string, std::vector<Snapshot>> seen;
    const auto watch = [&](const std::string& job) {
        driver.when<JobStarted>([&, job] { seen[job].push_back(driver.snapshot()); },
                                [job](const JobStarted& started) { return started.job.starts_with(job); });
    };
    watch("Loading");
    driver.post(new_session(config));
    driver.until<SessionOpened>();
    driver.idle();
    EXPECT_EQ(seen["Loading"].at(0).activity, Activity::loading);
    EXPECT_EQ(seen["Loading"].at(0).text, "Loading tiny");
    EXPECT_EQ(seen["Loading"].at(0).progress, 0);

    watch("Learning");
    driver.vote(Choice::left);
    EXPECT_EQ(seen["Learning"].at(0).activity, Activity::training);
    EXPECT_LT(seen["Learning"].at(0).progress, 0) << "its length is not known";
    EXPECT_EQ(seen["Learning"].at(0).pending_clicks, 1);
    EXPECT_EQ(seen["Learning"].at(0).labels, 1);
    watch("Sampling ahead");
    driver.vote(Choice::left);
    EXPECT_EQ(seen["Sampling ahead"].at(0).activity, Activity::sampling_ahead);
    watch("Sampling 3 × 60");
    driver.after(SampleAgain{});
    EXPECT_EQ(seen["Sampling 3 × 60"].at(0).activity, Activity::sampling);
    EXPECT_EQ(seen["Sampling 3 × 60"].at(0).text, "Sampling 3 × 60 tokens");
    watch("Evaluating");
    driver.after(Evaluate{"e", {"Who?"}, 2, 1});
    EXPECT_EQ(seen["Evaluating"].at(0).activity, Activity::evaluating);
    EXPECT_EQ(seen["Evaluating"].at(0).progress, 0);
}

TEST_F(Snapshots, ProgressStaysWithinZeroAndOne) {
    SessionConfig config = small_config();
    config.sampling.candidates = 16;
    config.sampling.max_new_tokens = 200;
    EngineDriver driver(one_thread());
    std::atomic<bool> done = false;
    std::vector<double> progress;
    std::thread poll([&] {
        while (!done) {
            const Snapshot now = driver.snapshot();
            if (now.progress >= 0) {
                progress.push_back(now.progress);
            }
            EXPECT_GE(now.tokens_per_second, 0);
            EXPECT_TRUE(std::isfinite(now.tokens_per_second));
            std::this_thread::yield();
        }
    });
    driver.after(new_session(config));
    NewSession shorter = new_session();  // the former stream's tokens are not its own
    shorter.project_path = project("shorter");
    driver.after(shorter);
    done = true;
    poll.join();
    ASSERT_FALSE(progress.empty());
    EXPECT_GT(*std::max_element(progress.begin(), progress.end()), 0);
    EXPECT_LE(*std::max_element(progress.begin(), progress.end()), 1);
}

}  // namespace
}  // namespace plumbline::testing
