// The reward model that trains takes over from the linear head at a number of labels, without a jump, and
// everything that is exact about a session stays so.

#include "core/lab/trained_reward.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>
#include <set>

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

SessionConfig trained_config(int trained_from = 3) {
    SessionConfig config = small_config();
    config.reward.trained_from = trained_from;
    return config;
}

const std::vector<Choice> three = {Choice::left, Choice::right, Choice::left};
const std::vector<Choice> six = {Choice::left,     Choice::right, Choice::left,
                                 Choice::both_bad, Choice::right, Choice::tie};

class TrainedRewards : public Lab {
  protected:
    static std::vector<double> curve(const LabSession& session, const std::string& name) {
        std::vector<double> out;
        for (const MetricPoint& point : session->file().metrics()) {
            if (point.name == name) {
                out.push_back(point.value);
            }
        }
        return out;
    }
    static std::string latest_hash(const LabSession& session) {
        std::string out;
        for (const StoredEvent& event : session->file().events()) {
            out = event.kind == "reward" ? event.weights_hash : out;
        }
        return out;
    }
    static std::vector<std::byte> latest_state(const LabSession& session) {
        return session->file().latest()->state;
    }
};

void expect_same_rewards(const Pair& a, const Pair& b) {
    EXPECT_EQ(*a.left.reward, *b.left.reward);
    EXPECT_EQ(*a.right.reward, *b.right.reward);
    EXPECT_EQ(*a.left.reward_sd, *b.left.reward_sd);
}

/// The largest difference of the two replies' rewards.
double difference(const Pair& a, const Pair& b) {
    return std::max(std::abs(*a.left.reward - *b.left.reward), std::abs(*a.right.reward - *b.right.reward));
}

TEST_F(TrainedRewards, StartAtTheLinearHeadsScoresAndThenDiffer) {
    constexpr double rounding = 1e-5;  // of single precision in the features
    LabSession linear(project("linear"), trained_config(0)), trained(project("trained"), trained_config());
    for (LabSession* session : {&linear, &trained}) {
        session->click({Choice::left, Choice::right});
    }
    EXPECT_EQ(latest_state(trained), latest_state(linear)) << "below the threshold nothing is different";
    expect_same_rewards(trained.show(), linear.show());
    for (LabSession* session : {&linear, &trained}) {
        session->click(Choice::left);
    }
    EXPECT_GT(latest_state(trained).size(), latest_state(linear).size()) << "it has started";
    EXPECT_EQ(trained->weights_hash(), linear->weights_hash());
    const Pair a = trained.show(), b = linear.show();
    ASSERT_EQ(a.left.text, b.left.text);
    EXPECT_LT(difference(a, b), rounding);
    EXPECT_GT(std::abs(*a.left.reward), 100 * rounding) << "there is something to compare";
    EXPECT_EQ(*a.left.reward_sd, *b.left.reward_sd) << "the uncertainty stays the linear head's";

    for (LabSession* session : {&linear, &trained}) {
        session->click({Choice::right, Choice::left});
    }
    EXPECT_EQ(trained->weights_hash(), linear->weights_hash()) << "DPO does not read the reward";
    const Pair c = trained.show(), d = linear.show();
    ASSERT_EQ(c.left.text, d.left.text);
    EXPECT_GT(difference(c, d), rounding) << "two steps are seen: the bound above would find them";
    EXPECT_EQ(*c.left.reward_sd, *d.left.reward_sd);

    EXPECT_EQ(curve(trained, "reward/trained"), (std::vector<double>{0, 0, 1, 1, 1}));
    EXPECT_EQ(curve(linear, "reward/trained"), (std::vector<double>{0, 0, 0, 0, 0}));
    EXPECT_EQ(curve(trained, "reward/trained_loss").size(), 2U) << "a step at each click after the start";
    EXPECT_TRUE(curve(linear, "reward/trained_loss").empty()) << "0: never";
}

TEST_F(TrainedRewards, ReplayIsEqual) {
    {
        LabSession session(project(), trained_config());
        session.click(six);
        session->undo();
        session.click({Choice::left, Choice::skip, Choice::right});
        session.show();
    }
    const ReplayChecked good = replayed(project());
    EXPECT_TRUE(good.equal) << good.first_difference;

    // A log that claims another reward model is found out.
    run_sql(project(),
            "DROP TRIGGER events_stay; UPDATE events SET weights_hash = replace(weights_hash, "
            "substr(weights_hash, 1, 1), "
            "'x') WHERE kind = 'reward' AND seq = (SELECT max(seq) FROM events WHERE kind = 'reward');");
    const ReplayChecked changed = replayed(project());
    EXPECT_FALSE(changed.equal);
    EXPECT_NE(changed.first_difference.find("(reward)"), std::string::npos) << changed.first_difference;
}

TEST_F(TrainedRewards, ReopeningGoesOnToTheSameBytes) {
    LabSession straight(project("straight"), trained_config());
    {
        LabSession first(project(), trained_config());
        for (LabSession* session : {&straight, &first}) {
            session->click(six);
        }
    }
    LabSession resumed(project());
    EXPECT_EQ(latest_state(resumed), latest_state(straight));
    expect_same_rewards(resumed.show(), straight.show());
    for (const Choice choice : {Choice::right, Choice::tie, Choice::left}) {
        straight.click(choice);
        resumed.click(choice);
        EXPECT_EQ(latest_state(resumed), latest_state(straight));
        EXPECT_EQ(latest_hash(resumed), latest_hash(straight));
    }
    expect_same_rewards(resumed.show(), straight.show());
    straight.click(Choice::left);
    resumed.click(Choice::right);
    EXPECT_NE(latest_hash(resumed), latest_hash(straight)) << "another answer is seen";
}

TEST_F(TrainedRewards, UndoAcrossTheThresholdTakesItAwayAgain) {
    LabSession changed_mind(project("a"), trained_config()), straight(project("b"), trained_config());
    for (LabSession* session : {&changed_mind, &straight}) {
        session->click({Choice::left, Choice::right});
    }
    const std::vector<std::byte> before = latest_state(straight);
    changed_mind.click(Choice::left);
    ASSERT_GT(latest_state(changed_mind).size(), before.size());
    ASSERT_TRUE(changed_mind->undo());
    EXPECT_EQ(latest_state(changed_mind), before);
    expect_same_rewards(changed_mind.last<PairReady>().pair, straight.show());

    for (LabSession* session : {&changed_mind, &straight}) {  // and forward over it again
        session->click({Choice::right, Choice::right});
    }
    EXPECT_EQ(latest_hash(changed_mind), latest_hash(straight));
    EXPECT_EQ(changed_mind->weights_hash(), straight->weights_hash());
    const std::vector<std::byte> stepped = latest_state(straight);
    const Pair shown = straight.show();
    expect_same_rewards(changed_mind.show(), shown);

    straight.click({Choice::left, Choice::right});  // and back within
    ASSERT_NE(latest_state(straight), stepped);
    ASSERT_TRUE(straight->undo());
    ASSERT_TRUE(straight->undo());
    EXPECT_EQ(latest_state(straight), stepped);
    expect_same_rewards(straight.last<PairReady>().pair, shown);
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(straight->undo());
    }
    EXPECT_EQ(latest_state(straight), before) << "several at once";
}

TEST_F(TrainedRewards, AChangedThresholdIsHonoured) {
    LabSession session(project(), trained_config(0));
    session.click(three);
    EXPECT_EQ(curve(session, "reward/trained").back(), 0);

    SessionConfig config = trained_config(2);
    session->change_config(config);
    session.click(Choice::left);   // starts
    session.click(Choice::right);  // steps
    EXPECT_EQ(curve(session, "reward/trained").back(), 1);
    const Pair by_training = session.show();

    config.reward.trained_from = 0;
    session->change_config(config);
    session->show(by_training.id);
    const Pair by_linear = session.last<PairReady>().pair;
    EXPECT_GT(difference(by_training, by_linear), 1e-5) << "at once";
    config.reward.trained_from = 4;
    session->change_config(config);
    session->show(by_training.id);
    expect_same_rewards(session.last<PairReady>().pair, by_training);

    config.reward.trained_from = 100;
    session->change_config(config);
    session.click(Choice::left);
    EXPECT_EQ(curve(session, "reward/trained").back(), 0);
    const std::size_t without = latest_state(session).size();
    config.reward.trained_from = 1;
    session->change_config(config);
    session.click(Choice::left);
    EXPECT_GT(latest_state(session).size(), without) << "it starts again";
    EXPECT_EQ(curve(session, "reward/trained_loss").size(), 1U) << "afresh: the first click only starts it";
}

TEST_F(TrainedRewards, SkipsAndHeldOutLabelsDoNotCount) {
    LabSession skipping(project("skips"), trained_config());
    skipping.click({Choice::left, Choice::skip, Choice::skip, Choice::right});
    EXPECT_EQ(curve(skipping, "reward/trained"), (std::vector<double>{0, 0}));
    skipping.click(Choice::left);
    EXPECT_EQ(curve(skipping, "reward/trained").back(), 1);

    SessionConfig config = trained_config();
    config.reward.heldout_share = 0.3;
    LabSession holding(project("held"), config);
    for (int i = 0; i < 8; ++i) {
        holding.click(i % 2 ? Choice::left : Choice::right);
        const int learned = holding.last<RewardFitted>().labels;
        EXPECT_EQ(curve(holding, "reward/trained").back(), learned >= 3) << learned << " of " << i + 1;
    }
    EXPECT_LT(holding.last<RewardFitted>().labels, 8);
    EXPECT_GE(holding.last<RewardFitted>().labels, 3);
}

TEST_F(TrainedRewards, ThePolicyGoesOnTrainingOnThem) {
    SessionConfig config = trained_config();
    config.live.algorithm = Algorithm::rloo;
    config.live.prompts = 3;
    config.live.group_size = 4;
    LabSession trained(project("trained"), config, some_prompts, TinyModel::ending_path());
    config.reward.trained_from = 0;
    LabSession linear(project("linear"), config, some_prompts, TinyModel::ending_path());
    std::set<std::string> hashes;
    for (int i = 0; i < 6; ++i) {
        trained.click(i % 2 ? Choice::left : Choice::right);
        linear.click(i % 2 ? Choice::left : Choice::right);
        hashes.insert(trained->weights_hash());
    }
    EXPECT_EQ(hashes.size(), 6U) << "each click moves the policy";
    EXPECT_EQ(trained->policy_steps(), 6);
    EXPECT_NE(trained->weights_hash(), linear->weights_hash()) << "its scores are in the policy's";
    for (const double score : curve(trained, "objective/score")) {
        EXPECT_TRUE(std::isfinite(score));
    }
}

/// A stop in the midst of the reward model's own training leaves all as it was.
TEST_F(TrainedRewards, AStopLeavesThemAsTheyWere) {
    LabSession session(project(), trained_config()), straight(project("straight"), trained_config());
    for (LabSession* s : {&session, &straight}) {
        s->click(six);
        s->show();
        s->record(Choice::left);
    }
    int beats = 0;
    session->learn(*session->pending(), Pulse{[&] { ++beats; }, {}});
    ASSERT_GT(beats, 40) << "the step and the scores beat";
    ASSERT_TRUE(session->undo());
    session.record(Choice::left);
    for (const int stop_at : {1, 10, beats / 3}) {
        std::stop_source source;
        int count = 0;
        const Pulse pulse{[&] {
                              if (++count == stop_at) source.request_stop();
                          },
                          source.get_token()};
        EXPECT_THROW(session->learn(*session->pending(), pulse), Stopped) << "at beat " << stop_at;
    }
    session.learn_all();
    straight.learn_all();
    EXPECT_EQ(latest_hash(session), latest_hash(straight));
    EXPECT_EQ(session->weights_hash(), straight->weights_hash());
}

TEST(TrainedReward, ABrokenStateIsRefused) {
    const auto model = TinyModel::opened();
    const std::size_t features = static_cast<std::size_t>(model->decoder().config().hidden) + 1;
    const std::vector<double> ones(features, 1);
    const auto start =
        TrainedReward::start(model->decoder(), LinearReward::fit({ones, ones}, {}, {}, {}), {}, {}, 4);
    const std::vector<std::byte> good = start->save();
    EXPECT_EQ(TrainedReward::restored(model->decoder(), {}, good)->save(), good);

    const auto refused = [&](const std::vector<std::byte>& bytes, const std::string& part) {
        expect_error_form(error_from([&] { TrainedReward::restored(model->decoder(), {}, bytes); }), part);
    };
    std::vector<std::byte> bytes = good;
    bytes.pop_back();
    refused(bytes, "has not the " + std::to_string(good.size()));
    refused({}, "of 0 bytes");
    bytes = good;
    const std::int64_t negative = -1;
    std::memcpy(bytes.data(), &negative, sizeof negative);
    refused(bytes, "counts -1 steps");
    bytes = good;
    const float infinite = INFINITY;
    std::memcpy(bytes.data() + 8, &infinite, sizeof infinite);
    refused(bytes, "not finite");
    LoraConfig other;
    other.lora_rank = 4;
    expect_error_form(error_from([&] { TrainedReward::restored(model->decoder(), other, good); }),
                      "has not the");
}

}  // namespace
}  // namespace plumbline::testing
