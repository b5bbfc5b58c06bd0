// The window's loop with a simulated person.

#include <algorithm>
#include <thread>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Simulating : public Lab, public ::testing::WithParamInterface<Algorithm> {
  protected:
    SimulateRequest request(int clicks) const {
        SimulateRequest out;
        out.model = TinyModel::ending_path();
        out.judge = "long";
        out.clicks = clicks;
        out.prompts = some_prompts;
        out.heldout = {"Who?", "When?"};
        out.heldout_samples = 3;
        out.config = small_config();
        out.config.live.algorithm = GetParam();
        out.config.sampling.max_new_tokens = 12;
        return out;
    }
    struct Run {
        SimulateResult result;
        std::vector<SimulatedClick> clicks;
        std::vector<Event> events;
    };
    static Run run(const SimulateRequest& request) {
        Run out;
        out.result = simulate(
            request, one_thread(), {}, [&](const SimulatedClick& click) { out.clicks.push_back(click); },
            [&](const Event& event) { out.events.push_back(event); });
        return out;
    }
    static std::string texts(const std::vector<EvaluatedReply>& replies) {
        std::string out;
        for (const EvaluatedReply& reply : replies) {
            out += reply.reply.text + "\n";
        }
        return out;
    }
};

void expect_share(const Share& share) {
    EXPECT_EQ(share.n, 6) << "two prompts of three samples";
    EXPECT_LE(0, share.low);
    EXPECT_LE(share.low, share.share);
    EXPECT_LE(share.share, share.high);
    EXPECT_LE(share.high, 1);
}

TEST_P(Simulating, TakesAPairThatCameBeforeTheFirstEvaluationWasAskedFor) {
    std::stop_source stop;
    const std::jthread limit([&](const std::stop_token& done) {
        for (int i = 0; i < 200 && !done.stop_requested(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        stop.request_stop();
    });
    const auto slow_reader = [](const Event& event) {
        if (std::holds_alternative<SessionOpened>(event.body)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));   // the engine draws meanwhile
        }
    };
    const SimulateResult result =
        simulate(request(1), one_thread(), {stop.get_token(), {}}, [](const SimulatedClick&) {}, slow_reader);
    EXPECT_EQ(result.clicks, 1);
}

TEST_P(Simulating, ClicksCountsAndEvaluates) {
    SimulateRequest wanted = request(6);
    wanted.project = project();
    const Run done = run(wanted);
    ASSERT_EQ(done.clicks.size(), 6U);
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(done.clicks[i].click, i + 1);
        EXPECT_GT(done.clicks[i].seconds, 0);
        EXPECT_TRUE(done.clicks[i].reward_loss.has_value());
        EXPECT_TRUE(done.clicks[i].kl.has_value());
    }
    EXPECT_FALSE(done.clicks[0].reward_accuracy.has_value());
    ASSERT_TRUE(done.clicks[5].reward_accuracy.has_value()) << "from the fifth on";
    EXPECT_GE(*done.clicks[5].reward_accuracy, 0);
    EXPECT_LE(*done.clicks[5].reward_accuracy, 1);
    expect_share(done.result.before);
    expect_share(done.result.after);
    ASSERT_EQ(done.result.replies_before.size(), 6U);
    ASSERT_EQ(done.result.replies_after.size(), 6U);
    EXPECT_NE(texts(done.result.replies_after), texts(done.result.replies_before)) << "it learned nothing";
    EXPECT_NE(done.result.kl, 0);
    EXPECT_EQ(all_of<PolicyStepped>(done.events).size(), 6U);
    EXPECT_EQ(all_of<PolicyStepped>(done.events)[0].algorithm, GetParam());

    int ties = 0;
    for (const LabelRecorded& label : all_of<LabelRecorded>(done.events)) {
        ties += label.choice == Choice::tie || label.choice == Choice::skip;
    }
    EXPECT_EQ(done.result.ties, ties);
    EXPECT_EQ(all_of<LabelRecorded>(done.events).size(), 6U + static_cast<std::size_t>(ties));
    const ReplayChecked checked = replayed(project());
    EXPECT_TRUE(checked.equal) << checked.first_difference;
    EXPECT_NE(error_from([&] { run(wanted); }).find("there is a file of that name"), std::string::npos);
}

TEST_P(Simulating, OfMoreThanTwoThePersonTakesTheBest) {
    SimulateRequest wanted = request(3);
    wanted.config.sampling.shown = 3;
    wanted.project = project();
    EXPECT_EQ(run(wanted).result.clicks, 3);
    const auto judge = make_judge("long", {});
    const auto file = ProjectFile::open(project());
    int ranked = 0;
    for (const StoredLabel& label : file->labels()) {
        const StoredGeneration generation = file->generation(label.generation_id);
        std::vector<double> scores;
        for (const std::int64_t id : generation.shown()) {
            for (const StoredCandidate& c : generation.candidates) {
                if (c.id == id) {
                    scores.push_back(judge->score("", {c.text, static_cast<int>(c.ids.size()), true}));
                }
            }
        }
        ASSERT_EQ(scores.size(), 3U);
        if (label.verdict.choice == Choice::ranking) {
            ++ranked;
            ASSERT_EQ(label.verdict.places.size(), 1U);
            // Lengths within a tenth of each other tie, so the best is the longest up to that.
            EXPECT_GE(scores[label.verdict.places[0]], 0.9 * *std::max_element(scores.begin(), scores.end()));
        }
    }
    EXPECT_EQ(ranked, 3);
}

TEST_P(Simulating, ASeedDecidesEverything) {
    const Run first = run(request(4)), again = run(request(4));
    EXPECT_EQ(texts(again.result.replies_after), texts(first.result.replies_after));
    EXPECT_EQ(texts(again.result.replies_before), texts(first.result.replies_before));
    EXPECT_EQ(again.result.before.share, first.result.before.share);
    EXPECT_EQ(again.result.after.share, first.result.after.share);
    EXPECT_EQ(again.result.kl, first.result.kl);
    EXPECT_EQ(again.result.ties, first.result.ties);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(again.clicks[i].reward_loss, first.clicks[i].reward_loss);
        EXPECT_EQ(again.clicks[i].kl, first.clicks[i].kl);
    }
    SimulateRequest other = request(4);
    other.config.seed = 8;
    EXPECT_NE(texts(run(other).result.replies_before), texts(first.result.replies_before));
}

TEST_P(Simulating, NoClicksChangeNothing) {
    const Run done = run(request(0));
    EXPECT_TRUE(done.clicks.empty());
    EXPECT_EQ(texts(done.result.replies_after), texts(done.result.replies_before));
    EXPECT_EQ(done.result.after.share, done.result.before.share);
    EXPECT_NEAR(done.result.kl, 0, 1e-3) << "the untrained policy is the reference";
}

TEST_P(Simulating, AJudgeThatAlwaysTiesSaysSo) {
    SimulateRequest wanted = request(1);
    wanted.judge = "keyword";
    wanted.judge_options.keyword = "floccinaucinihilipilification";
    wanted.config.sampling.max_new_tokens = 2;
    wanted.config.sampling.candidates = 2;
    expect_error_form(error_from([&] { run(wanted); }),
                      "simulate: the judge 'keyword' cannot tell the replies apart (50 ties in a row)");
}

TEST_P(Simulating, WrongRequestsSaySo) {
    SimulateRequest wanted = request(1);
    wanted.judge = "grumpy";
    EXPECT_THROW(run(wanted), ConfigError);
    wanted = request(-1);
    expect_error_form(error_from([&] { run(wanted); }), "clicks -1 is negative");
    wanted = request(1);
    wanted.model = (folder_ / "none.gguf").string();
    expect_error_form(error_from([&] { run(wanted); }), "none.gguf");
    wanted = request(1);
    wanted.prompts = {std::string(400, 'x')};
    expect_error_form(error_from([&] { run(wanted); }), "exceeds the model's context");
    wanted = request(1);
    wanted.heldout = {std::string(400, 'x')};
    expect_error_form(error_from([&] { run(wanted); }), "exceeds the model's context");
}

TEST_P(Simulating, StopsBetweenSmallSteps) {
    std::stop_source stop;
    SimulateRequest wanted = request(100000);
    wanted.project = project();
    int clicks = 0;
    EXPECT_THROW(simulate(wanted, one_thread(), {stop.get_token(), {}},
                          [&](const SimulatedClick& click) {
                              clicks = click.click;
                              if (clicks == 3) {
                                  stop.request_stop();
                              }
                          },
                          {}),
                 Stopped);
    EXPECT_GE(clicks, 3);
    EXPECT_LT(clicks, 6);
    EXPECT_EQ(find_problems(project()), std::vector<std::string>());
    EXPECT_TRUE(replayed(project()).equal) << "what was committed stays";
}

INSTANTIATE_TEST_SUITE_P(All, Simulating, ::testing::Values(Algorithm::dpo, Algorithm::rloo),
                         [](const auto& each) { return each.param == Algorithm::dpo ? "Dpo" : "Rloo"; });

// By hand for 8 of 10: z 1.96, centre (0.8 + 0.19207)/(1 + 0.38415) = 0.71674, half 0.22657.
TEST(Wilson, Interval) {
    const Share share = wilson(8, 10);
    EXPECT_EQ(share.n, 10);
    EXPECT_DOUBLE_EQ(share.share, 0.8);
    EXPECT_NEAR(share.low, 0.4902, 5e-5);
    EXPECT_NEAR(share.high, 0.9433, 5e-5);
    EXPECT_GT(std::abs(share.low - 0.4904), 5e-5) << "off by a little more is seen";
    EXPECT_EQ(wilson(0, 0).n, 0);
    EXPECT_EQ(wilson(0, 5).low, 0);
    EXPECT_EQ(wilson(5, 5).high, 1);
    EXPECT_LT(wilson(80, 100).high - wilson(80, 100).low, share.high - share.low)
        << "more replies, more certain";
}

}  // namespace
}  // namespace plumbline::testing
