// Undo is exact: weights, reward model, metrics and log are as if the click had never been learned.

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

const std::vector<Choice> base = {Choice::left, Choice::right, Choice::left};

class Undoing : public Lab {};

TEST_F(Undoing, RestoresWeightsAndRewardsToTheLastBit) {
    LabSession session(project(), small_config());
    session.click(base);
    const Pair before = session.show();
    const std::string hash = session->weights_hash();

    session.click(Choice::right);
    ASSERT_NE(session->weights_hash(), hash) << "the click taught nothing";
    session.show();
    ASSERT_TRUE(session->undo());

    EXPECT_EQ(session->weights_hash(), hash);
    EXPECT_EQ(session->policy_steps(), 3);
    EXPECT_EQ(session->labels(), 3);
    const Pair after = session.last<PairReady>().pair;
    EXPECT_EQ(after.id, before.id) << "its pair is back on the screen";
    EXPECT_EQ(session->shown(), before.id);
    EXPECT_EQ(session->current_prompt(), before.prompt_id);
    EXPECT_EQ(*after.left.reward, *before.left.reward);
    EXPECT_EQ(*after.right.reward, *before.right.reward);
    EXPECT_EQ(*after.left.reward_sd, *before.left.reward_sd);
    const Undone undone = session.last<Undone>();
    EXPECT_EQ(undone.labels, 3);
    EXPECT_EQ(undone.policy_steps, 3);
    EXPECT_TRUE(undone.row.undone);
    EXPECT_EQ(undone.row.text, "B over A");
}

TEST_F(Undoing, ThenAnotherClickIsAsIfTheFirstHadNeverBeen) {
    LabSession changed_mind(project("a"), small_config()), straight(project("b"), small_config());
    changed_mind.click(base);
    straight.click(base);
    changed_mind.click(Choice::left);
    changed_mind->undo();
    changed_mind.click(Choice::right);
    straight.click(Choice::right);
    EXPECT_EQ(changed_mind->weights_hash(), straight->weights_hash());

    // Moments and rewards too: the next pair and click are the same.
    const Pair mine = changed_mind.show(), theirs = straight.show();
    EXPECT_EQ(mine.left.text, theirs.left.text);
    EXPECT_EQ(mine.right.text, theirs.right.text);
    EXPECT_EQ(*mine.left.reward, *theirs.left.reward);
    changed_mind.click(Choice::left);
    straight.click(Choice::left);
    EXPECT_EQ(changed_mind->weights_hash(), straight->weights_hash());
    straight.click(Choice::left);
    changed_mind.click(Choice::right);
    EXPECT_NE(changed_mind->weights_hash(), straight->weights_hash()) << "a different choice is seen";
}

TEST_F(Undoing, SeveralInARowGoBackStepByStep) {
    LabSession session(project(), small_config());
    std::vector<std::string> hashes;
    const std::vector<Choice> choices = {Choice::left, Choice::tie,  Choice::right, Choice::skip,
                                         Choice::left, Choice::skip, Choice::tie};
    for (const Choice choice : choices) {
        hashes.push_back(session->weights_hash());
        session.click(choice);
    }
    for (std::size_t i = choices.size(); i-- > 0;) {
        ASSERT_TRUE(session->undo());
        EXPECT_EQ(session->weights_hash(), hashes[i]) << "before click " << i + 1;
        EXPECT_EQ(session->labels(), static_cast<int>(i));
        EXPECT_FALSE(session->pending().has_value()) << "nothing is learned again";
    }
    EXPECT_FALSE(session->undo()) << "none is left";
    EXPECT_TRUE(session->file().metrics().empty()) << "curves end where the labels do";
    const auto rows = session->file().labels();
    EXPECT_EQ(rows.size(), 2 * choices.size()) << "undo is a row, nothing is deleted";

    // And forward again on the same pairs, to the same weights.
    for (std::size_t i = 0; i < choices.size(); ++i) {
        EXPECT_EQ(session->weights_hash(), hashes[i]) << "before click " << i + 1;
        session.click(choices[i]);
    }
}

TEST_F(Undoing, TakesBackALabelThatIsNotLearnedYet) {
    LabSession session(project(), small_config());
    session.click(base);
    const std::string hash = session->weights_hash();
    const std::int64_t pair = session.show().id;
    session.record(Choice::left);
    ASSERT_EQ(session->pending_count(), 1);
    ASSERT_TRUE(session->undo());
    EXPECT_EQ(session->pending_count(), 0);
    EXPECT_EQ(session->weights_hash(), hash);
    EXPECT_EQ(session->shown(), pair);
    // The learned one before it is the next to go.
    ASSERT_TRUE(session->undo());
    EXPECT_NE(session->weights_hash(), hash);
    EXPECT_EQ(session->policy_steps(), 2);
}

TEST_F(Undoing, BeyondTheKeptStatesSaysSoAndChangesNothing) {
    LabSession session(project(), small_config());
    for (int i = 0; i < 7; ++i) {
        session.click(i % 2 ? Choice::left : Choice::right);
    }
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(session->undo());
    }
    const std::string hash = session->weights_hash();
    const std::int64_t shown = session->shown();
    expect_error_form(error_from([&] { session->undo(); }),
                      "undo: the state before this click is no longer kept; only the last 5 clicks");
    EXPECT_EQ(session->weights_hash(), hash);
    EXPECT_EQ(session->labels(), 2);
    EXPECT_EQ(session->policy_steps(), 2);
    EXPECT_EQ(session->shown(), shown);
    EXPECT_EQ(session->file().labels().size(), 12U) << "no undo row without an undo";
    session.click(Choice::left);
    ASSERT_TRUE(session->undo()) << "new clicks can be taken back";
    EXPECT_EQ(session->weights_hash(), hash);
}

TEST_F(Undoing, InterruptsTheTrainingOfItsClick) {
    EngineDriver driver(one_thread());
    SessionConfig config = small_config();
    config.live.steps_per_click = 5;
    driver.after(new_session(config));
    driver.vote(Choice::left);
    const Pair pair = driver.shown();
    driver.when<PolicyStepped>([&] { driver.post(Undo{}); });
    const auto events = driver.after(Vote{pair.id, Choice::right});

    EXPECT_EQ(all_of<PolicyStepped>(events).size(), 1U) << "of five steps";
    EXPECT_TRUE(all_of<ClickDone>(events).empty());
    ASSERT_EQ(all_of<Undone>(events).size(), 1U) << names_of(events);
    EXPECT_EQ(all_of<Undone>(events)[0].policy_steps, 5);
    EXPECT_EQ(driver.shown().id, pair.id);
    EXPECT_EQ(driver.snapshot().labels, 1);
    EXPECT_EQ(driver.snapshot().pending_clicks, 0);
    EXPECT_FALSE(driver.snapshot().training_paused) << "the person asked for an undo, not for a stop";

    const auto again = driver.vote(Choice::right);
    EXPECT_EQ(all_of<PolicyStepped>(again).size(), 5U);
    EXPECT_EQ(all_of<ClickDone>(again).size(), 1U);
}

TEST_F(Undoing, OfTheSecondVoteLetsTheFirstBeLearned) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    const Pair first = driver.shown();
    driver.when<RewardFitted>([&] {
        driver.post(Vote{driver.shown().id, Choice::right});
        driver.post(Undo{});
    });
    const auto events = driver.after(Vote{first.id, Choice::left});
    const auto undone = all_of<Undone>(events);
    const auto labels = all_of<LabelRecorded>(events);
    const auto done = all_of<ClickDone>(events);
    ASSERT_EQ(undone.size(), 1U);
    ASSERT_EQ(labels.size(), 2U);
    EXPECT_EQ(undone[0].label_id, labels[1].label_id);
    ASSERT_EQ(done.size(), 1U) << names_of(events);
    EXPECT_EQ(done[0].label_id, labels[0].label_id);
    EXPECT_EQ(driver.snapshot().labels, 1);
    EXPECT_EQ(driver.snapshot().policy_steps, 1);
}

TEST_F(Undoing, WithNothingToTakeBackSaysSo) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    const Pair pair = driver.shown();
    expect_error_form(driver.failure_of(Undo{}), "undo: there is no vote to take back");
    EXPECT_EQ(all_of<LabelRecorded>(driver.after(Vote{pair.id, Choice::left})).size(), 1U)
        << "the pair stays";
}

}  // namespace
}  // namespace plumbline::testing
