// The life of a click: what is told, in which order, and what the project file holds afterwards.

#include <cmath>
#include <set>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Clicking : public Lab {};

TEST_F(Clicking, ANewSessionStreamsItsFirstPair) {
    EngineDriver driver(one_thread(false));
    driver.post(new_session());
    const auto events = driver.idle();

    const auto opened = all_of<SessionOpened>(events);
    ASSERT_EQ(opened.size(), 1U) << names_of(events);
    EXPECT_EQ(opened[0].project_path, project());
    EXPECT_EQ(opened[0].model.path, TinyModel::path());
    EXPECT_EQ(opened[0].model.sha256.size(), 64U);
    EXPECT_EQ(opened[0].model.layers, 4);
    EXPECT_EQ(opened[0].config.seed, 7U);
    ASSERT_EQ(opened[0].prompts.size(), 3U);
    EXPECT_EQ(opened[0].prompts[2].text, "And then?");
    EXPECT_EQ(opened[0].current_prompt, opened[0].prompts[0].id);
    EXPECT_FALSE(opened[0].resumed);
    EXPECT_TRUE(opened[0].history.empty());
    EXPECT_TRUE(opened[0].metrics.empty());
    EXPECT_EQ(opened[0].labels, 0);

    const auto started = all_of<SamplingStarted>(events);
    ASSERT_EQ(started.size(), 1U);
    EXPECT_EQ(started[0].prompt, "Why?");
    EXPECT_EQ(started[0].candidates, 3);
    EXPECT_EQ(started[0].max_new_tokens, 8);

    // What streamed is what stands on the screen.
    std::map<int, std::string> texts;
    std::map<int, int> tokens;
    std::set<int> ended;
    for (const TokensStreamed& part : all_of<TokensStreamed>(events)) {
        EXPECT_EQ(ended.count(part.sample), 0U) << "text after the end";
        texts[part.sample] += part.text;
        EXPECT_EQ(part.tokens, tokens[part.sample] + 1);
        tokens[part.sample] = part.tokens;
        if (part.ended) {
            ended.insert(part.sample);
        }
    }
    EXPECT_EQ(ended, (std::set<int>{0, 1, 2}));
    const auto ready = all_of<PairReady>(events);
    ASSERT_EQ(ready.size(), 1U);
    const Pair& pair = ready[0].pair;
    EXPECT_EQ(pair.drawn, 3);
    EXPECT_EQ(pair.policy_version, 0);
    EXPECT_NE(pair.left.sample, pair.right.sample);
    for (const Candidate& side : {pair.left, pair.right}) {
        EXPECT_EQ(side.text, texts.at(side.sample));
        EXPECT_EQ(side.tokens, tokens.at(side.sample));
        EXPECT_FALSE(side.reward.has_value()) << "before the first label";
        EXPECT_LT(side.logprob, 0);
        EXPECT_NEAR(side.logprob, side.reference_logprob, 1e-3) << "an untrained policy is the reference";
    }
    EXPECT_LT(place_of<SessionOpened>(events), place_of<SamplingStarted>(events));
    EXPECT_LT(place_of<SamplingStarted>(events), place_of<TokensStreamed>(events));
    EXPECT_LT(place_of<TokensStreamed>(events), place_of<PairReady>(events));
    for (const Event& event : events) {
        EXPECT_LE(event.run, 1U);
    }
}

TEST_F(Clicking, AVoteIsRecordedThenShownThenLearned) {
    EngineDriver driver(one_thread());  // pairs wait
    driver.after(new_session());
    const Pair voted = driver.shown();
    const auto events = driver.vote(Choice::left);

    const auto recorded = all_of<LabelRecorded>(events);
    ASSERT_EQ(recorded.size(), 1U) << names_of(events);
    EXPECT_EQ(recorded[0].pair_id, voted.id);
    EXPECT_EQ(recorded[0].choice, Choice::left);
    EXPECT_EQ(recorded[0].row.text, "A over B");
    EXPECT_EQ(recorded[0].row.prompt, "Why?");
    EXPECT_EQ(recorded[0].row.left, voted.left.text);
    EXPECT_EQ(recorded[0].row.right, voted.right.text);
    EXPECT_FALSE(recorded[0].row.undone);
    EXPECT_GT(recorded[0].row.unix_time, 1.7e9);

    const std::size_t label = place_of<LabelRecorded>(events), next = place_of<PairReady>(events),
                      fitted = place_of<RewardFitted>(events), stepped = place_of<PolicyStepped>(events),
                      metrics = place_of<MetricsAdded>(events), done = place_of<ClickDone>(events);
    EXPECT_LT(label, next) << "on disk before anything else";
    EXPECT_LT(next, fitted) << "a pair that waits is shown before learning";
    EXPECT_LT(fitted, stepped);
    EXPECT_LT(stepped, metrics);
    EXPECT_LT(metrics, done);
    EXPECT_LT(done, events.size());

    const auto ready = std::get<PairReady>(events[next].body);
    EXPECT_EQ(ready.pair.prompt, "How so?") << "the next prompt of the list";
    const auto fit = std::get<RewardFitted>(events[fitted].body);
    EXPECT_EQ(fit.label_id, recorded[0].label_id);
    EXPECT_EQ(fit.labels, 1);
    EXPECT_DOUBLE_EQ(*fit.probability_before, 0.5) << "it knew nothing";
    EXPECT_GT(*fit.probability_after, 0.5) << "it learned the choice";
    EXPECT_LT(*fit.probability_after, 1);
    EXPECT_NEAR(fit.loss_before, std::log(2.0), 1e-9);
    EXPECT_LT(fit.loss_after, fit.loss_before);
    EXPECT_FALSE(fit.heldout_accuracy.has_value());
    const auto step = std::get<PolicyStepped>(events[stepped].body);
    EXPECT_EQ(step.step, 1);
    EXPECT_EQ(step.algorithm, Algorithm::dpo);
    EXPECT_NEAR(step.loss, std::log(2.0), 1e-3) << "policy and reference are the same before the first step";
    EXPECT_DOUBLE_EQ(step.lr, 3e-3);
    EXPECT_EQ(step.note, "");
    const auto click = std::get<ClickDone>(events[done].body);
    EXPECT_EQ(click.policy_steps, 1);
    EXPECT_GT(click.seconds, 0);
}

TEST_F(Clicking, MetricsAreToldAndKept) {
    std::vector<MetricPoint> told;
    {
        EngineDriver driver(one_thread());
        driver.after(new_session());
        for (const Choice choice : {Choice::left, Choice::right, Choice::tie, Choice::skip, Choice::left,
                                    Choice::left, Choice::right}) {
            for (const MetricsAdded& added : all_of<MetricsAdded>(driver.vote(choice))) {
                told.insert(told.end(), added.points.begin(), added.points.end());
            }
        }
    }
    std::map<std::string, std::vector<double>> x;
    for (const MetricPoint& point : told) {
        x[point.name].push_back(point.x);
        EXPECT_TRUE(std::isfinite(point.value)) << point.name;
        EXPECT_NE(point.label_id, 0) << point.name;
    }
    EXPECT_EQ(x["reward/loss"], (std::vector<double>{1, 2, 3, 4, 5, 6})) << "ties count, skips do not";
    EXPECT_EQ(x["reward/predicted"], (std::vector<double>{1, 2, 4, 5, 6})) << "of preferences only";
    EXPECT_EQ(x["reward/accuracy"], (std::vector<double>{6})) << "from five predictions on";
    for (const char* name : {"loss/policy", "rewards/margin", "rewards/chosen", "rewards/rejected",
                             "logps/chosen", "logps/rejected", "objective/kl", "objective/score"}) {
        EXPECT_EQ(x[name], (std::vector<double>{1, 2, 3, 4, 5})) << name << " by policy steps";
    }
    const auto file = ProjectFile::open(project());
    const auto kept = file->metrics();
    ASSERT_EQ(kept.size(), told.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
        EXPECT_EQ(kept[i].name, told[i].name);
        EXPECT_EQ(kept[i].label_id, told[i].label_id);
        EXPECT_EQ(kept[i].x, told[i].x);
        EXPECT_EQ(kept[i].value, told[i].value);
    }
}

TEST_F(Clicking, ATieTeachesTheRewardAloneAndASkipNothing) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    driver.vote(Choice::left);

    const auto tie = driver.vote(Choice::tie);
    EXPECT_EQ(all_of<LabelRecorded>(tie).at(0).row.text, "Tie");
    EXPECT_EQ(all_of<RewardFitted>(tie).at(0).labels, 2);
    EXPECT_DOUBLE_EQ(*all_of<RewardFitted>(tie).at(0).probability_before, 0.5);
    EXPECT_TRUE(all_of<PolicyStepped>(tie).empty());
    EXPECT_EQ(all_of<ClickDone>(tie).at(0).policy_steps, 0);

    const auto skip = driver.vote(Choice::skip);
    EXPECT_EQ(all_of<LabelRecorded>(skip).at(0).row.text, "Skipped");
    EXPECT_TRUE(all_of<RewardFitted>(skip).empty());
    EXPECT_TRUE(all_of<ClickDone>(skip).empty());
    EXPECT_EQ(all_of<PairReady>(skip).size(), 1U);
    EXPECT_EQ(driver.snapshot().labels, 3);
    EXPECT_EQ(driver.snapshot().usable_labels, 2);
    EXPECT_EQ(driver.snapshot().policy_steps, 1);

    const auto right = driver.vote(Choice::right);
    EXPECT_EQ(all_of<LabelRecorded>(right).at(0).row.text, "B over A");
}

TEST_F(Clicking, AVoteForAPairThatIsNotShownChangesNothing) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    const Pair first = driver.shown();
    expect_error_form(driver.failure_of(Vote{first.id + 1, Choice::left}),
                      "vote: pair 2 is not on the screen");
    driver.vote(Choice::left);
    // The second half of a double click.
    expect_error_form(driver.failure_of(Vote{first.id, Choice::left}), "vote: pair 1 is not on the screen");
    expect_error_form(driver.failure_of(Vote{0, Choice::left}), "vote: pair 0 is not on the screen");
    EXPECT_EQ(driver.snapshot().labels, 1);
    EXPECT_EQ(all_of<LabelRecorded>(driver.vote(Choice::right)).size(), 1U) << "the session goes on";
}

TEST_F(Clicking, TheNextLabelAndPairDoNotWaitForTraining) {
    SessionConfig config = small_config();
    config.live.steps_per_click = 3;
    EngineDriver driver(one_thread());
    driver.after(new_session(config));
    ASSERT_GE(driver.snapshot().pairs_ahead, 2);
    // The second vote comes in the midst of the first one's learning.
    driver.when<PolicyStepped>([&] { driver.post(Vote{driver.shown().id, Choice::right}); });
    const Pair first = driver.shown();
    const auto events = driver.after(Vote{first.id, Choice::left});

    const auto labels = all_of<LabelRecorded>(events);
    ASSERT_EQ(labels.size(), 2U) << names_of(events);
    const auto of_second = [&](const LabelRecorded& l) { return l.label_id == labels[1].label_id; };
    const std::size_t second = place_of<LabelRecorded>(events, of_second), done = place_of<ClickDone>(events);
    EXPECT_LT(place_of<PolicyStepped>(events), second);
    EXPECT_LT(second, done);
    const std::int64_t second_pair = labels[1].pair_id;
    const auto after_second = [&](const PairReady& r) {
        return r.pair.id != first.id && r.pair.id != second_pair;
    };
    EXPECT_LT(place_of<PairReady>(events, after_second), done) << "the third pair was shown meanwhile";
    EXPECT_EQ(all_of<ClickDone>(events).size(), 2U);
    EXPECT_EQ(driver.snapshot().pending_clicks, 0);
    EXPECT_EQ(driver.snapshot().policy_steps, 6);
}

struct Sides {
    std::vector<int> left, right;  // samples
    int smaller_left = 0;
};

Sides sides_of(const std::string& path, SessionConfig config, int pairs) {
    config.sampling.max_new_tokens = 4;
    LabSession session(path, config);
    Sides out;
    for (int i = 0; i < pairs; ++i) {
        session->show(session->draw(session->current_prompt(), {}, {}));
        const Pair pair = session.last<PairReady>().pair;
        out.left.push_back(pair.left.sample);
        out.right.push_back(pair.right.sample);
        out.smaller_left += pair.left.sample < pair.right.sample;
    }
    return out;
}

TEST_F(Clicking, SidesAreShuffledAndAFunctionOfTheSeed) {
    const Sides one = sides_of(project("a"), small_config(3), 40);
    EXPECT_GT(one.smaller_left, 8) << "0.02% of fair shuffles are outside";
    EXPECT_LT(one.smaller_left, 32);
    const Sides again = sides_of(project("b"), small_config(3), 40);
    EXPECT_EQ(again.left, one.left);
    EXPECT_EQ(again.right, one.right);
    EXPECT_NE(sides_of(project("c"), small_config(4), 40).left, one.left);

    SessionConfig plain = small_config(3);
    plain.shuffle_sides = false;
    EXPECT_EQ(sides_of(project("d"), plain, 20).smaller_left, 20) << "the drawn order";
}

TEST_F(Clicking, RandomPairsShowEveryPairOfCandidates) {
    SessionConfig config = small_config();
    config.sampling.pair_choice = PairChoice::random;
    const Sides random = sides_of(project(), config, 60);
    std::map<std::pair<int, int>, int> seen;
    for (std::size_t i = 0; i < random.left.size(); ++i) {
        ++seen[std::minmax(random.left[i], random.right[i])];
    }
    ASSERT_EQ(seen.size(), 3U) << "{0,1}, {0,2}, {1,2}";
    for (const auto& [pair, times] : seen) {
        EXPECT_GT(times, 7) << pair.first << ',' << pair.second << ": 20 expected, 3.6 the deviation";
    }
    const auto file = ProjectFile::open(project());
    EXPECT_EQ(file->generation(1).chosen_by, PairChoice::random);
    EXPECT_EQ(file->config().sampling.pair_choice, PairChoice::random);
}

TEST_F(Clicking, TheTwoThatTheRewardSeparatesBestAreShown) {
    SessionConfig config = small_config();
    config.sampling.candidates = 5;
    config.live.steps_per_click = 0;
    LabSession session(project(), config);
    for (int i = 0; i < 4; ++i) {
        session.click(i % 2 ? Choice::left : Choice::right);
    }
    session.click(Choice::left);
    // Five labels: from here on the reward model separates.
    const Pair pair = session.show();
    EXPECT_EQ(pair.chosen_by, PairChoice::farthest);
    const StoredGeneration drawn = session->file().generation(pair.id);
    ASSERT_EQ(drawn.candidates.size(), 5U);
    const double shown = std::abs(*pair.left.reward - *pair.right.reward);
    EXPECT_GT(shown, 0);
    EXPECT_GT(*pair.left.reward_sd, 0);
    // Every pair of these five candidates, shown through a file whose sides are set to it.
    session->file().save_copy(folder_ / "copy.plumb");
    double widest = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t j = i + 1; j < 5; ++j) {
            const std::string path = project("pair " + std::to_string(i) + std::to_string(j));
            std::filesystem::copy_file(folder_ / "copy.plumb", path);
            run_sql(path, "UPDATE generations SET left_id = " + std::to_string(drawn.candidates[i].id) +
                              ", right_id = " + std::to_string(drawn.candidates[j].id) +
                              " WHERE id = " + std::to_string(pair.id));
            LabSession other(path);
            other->show(pair.id);
            const Pair seen = other.last<PairReady>().pair;
            widest = std::max(widest, std::abs(*seen.left.reward - *seen.right.reward));
        }
    }
    EXPECT_DOUBLE_EQ(shown, widest);
}

TEST_F(Clicking, TheBlindFlagAndAllSettingsAreInTheFile) {
    SessionConfig config = small_config();
    config.blind = false;
    config.live.kl_limit = 2.5;
    LabSession(project("seeing"), config);
    config.blind = true;
    LabSession(project("blind"), config);
    const auto seeing = ProjectFile::open(project("seeing"));
    EXPECT_FALSE(seeing->config().blind);
    EXPECT_EQ(seeing->config().live.kl_limit, 2.5);
    EXPECT_EQ(seeing->config().system_prompt, "Hi");
    EXPECT_TRUE(ProjectFile::open(project("blind"))->config().blind);
}

}  // namespace
}  // namespace plumbline::testing
