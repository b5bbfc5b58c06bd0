#include <gtest/gtest.h>

#include "tests/ui/stage.h"

namespace plumbline::ui {
namespace {

TEST(SessionState, FollowsTheLifeOfAClick) {
    PanelStage stage;
    EXPECT_EQ(stage.state.phase(), Phase::closed);
    stage.bridge.post(NewSession{});
    EXPECT_EQ(stage.state.phase(), Phase::loading);
    stage.tell(stage.session());
    EXPECT_EQ(stage.state.phase(), Phase::waiting);
    stage.tell(SamplingStarted{12, "My package arrived broken.", 4, 48});
    EXPECT_EQ(stage.state.phase(), Phase::streaming);
    stage.tell(PairReady{PanelStage::pair(77)});
    EXPECT_EQ(stage.state.phase(), Phase::choosing);
    stage.bridge.post(Vote{77, Choice::left});
    EXPECT_EQ(stage.state.phase(), Phase::saving);  // before the engine has answered
    stage.tell(LabelRecorded{5, 77, Choice::left, PanelStage::row(5, Choice::left)});
    EXPECT_EQ(stage.state.phase(), Phase::waiting);
    EXPECT_EQ(stage.state.labels(), 1);
    stage.tell(PolicyStepped{5, 3, Algorithm::dpo, 0.6, 3e-4, ""});
    EXPECT_EQ(stage.state.policy_steps(), 3);
    EXPECT_EQ(stage.state.history().back().policy_step, 3);
}

TEST(SessionState, AFailedVoteBringsThePairBack) {
    PanelStage stage;
    stage.open_with_pair();
    stage.bridge.post(Vote{77, Choice::left});
    stage.tell(CommandFailed{"vote", "vote: the disk is full; make room"});
    EXPECT_EQ(stage.state.phase(), Phase::choosing);
    EXPECT_EQ(stage.state.pair()->id, 77);
    EXPECT_EQ(stage.state.labels(), 0);
}

TEST(SessionState, UndoTakesBackItsLabelAndAccuracy) {
    PanelStage stage;
    stage.open_with_pair(6);  // labels 1, 3, 5 are preferences, 2, 4, 6 ties
    EXPECT_EQ(stage.state.labels(), 6);
    EXPECT_EQ(stage.state.ties(), 3);
    stage.tell(RewardFitted{.label_id = 5,
                            .labels = 5,
                            .heldout_accuracy = 0.6,
                            .probability_before = {},
                            .probability_after = {}});
    stage.tell(RewardFitted{.label_id = 6,
                            .labels = 6,
                            .heldout_accuracy = 0.8,
                            .probability_before = {},
                            .probability_after = {}});
    EXPECT_EQ(stage.state.heldout_accuracy(), 0.8);
    stage.tell(Undone{6, PanelStage::row(6, Choice::tie), 4, 5});
    EXPECT_EQ(stage.state.labels(), 5);
    EXPECT_EQ(stage.state.ties(), 2);
    EXPECT_EQ(stage.state.policy_steps(), 4);
    EXPECT_EQ(stage.state.heldout_accuracy(), 0.6);
    EXPECT_TRUE(stage.state.history().back().undone);
    EXPECT_TRUE(stage.state.can_undo());
}

TEST(SessionState, SkipsAreNoLabels) {
    PanelStage stage;
    stage.open_with_pair();
    stage.tell(LabelRecorded{1, 77, Choice::skip, PanelStage::row(1, Choice::skip)});
    EXPECT_EQ(stage.state.labels(), 0);
    EXPECT_TRUE(stage.state.can_undo());  // a skip can be taken back too
}

TEST(SessionState, AFailedOpeningLeadsBack) {
    PanelStage stage;
    stage.bridge.post(OpenSession{"/x.plumb", ""});
    EXPECT_TRUE(stage.state.opening());
    stage.tell(CommandFailed{"open project", "open project: /x.plumb is missing; choose another"});
    EXPECT_EQ(stage.state.phase(), Phase::closed);
    EXPECT_FALSE(stage.state.opening());
    ASSERT_TRUE(stage.state.last_open().has_value());
    EXPECT_EQ(std::get<OpenSession>(*stage.state.last_open()).project_path, "/x.plumb");
}

TEST(SessionState, KeepsTheOpenSessionWhileAnotherOneOpens) {
    PanelStage stage;
    stage.open_with_pair();
    stage.bridge.post(OpenSession{"/other.plumb", ""});
    EXPECT_TRUE(stage.state.open());
    EXPECT_TRUE(stage.state.opening());
    stage.tell(CommandFailed{"open project", "open project: /other.plumb is damaged; restore a copy"});
    EXPECT_EQ(stage.state.phase(), Phase::choosing);
    EXPECT_FALSE(stage.state.opening());
}

TEST(SessionState, ReadsStepsOfAResumedSessionFromItsMetrics) {
    PanelStage stage;
    SessionOpened opened = stage.session(3);
    opened.metrics = {{"loss/policy", 1, 1, 0.5},
                      {"loss/policy", 1, 2, 0.4},
                      {"loss/policy", 3, 4, 0.3},
                      {"reward/accuracy", 2, 5, 0.7}};
    stage.tell(opened);
    ASSERT_EQ(stage.state.history().size(), 3u);
    EXPECT_EQ(stage.state.history()[0].policy_step, 2);  // the last of label 1
    EXPECT_EQ(stage.state.history()[1].policy_step, 2);  // a tie moves nothing
    EXPECT_EQ(stage.state.history()[2].policy_step, 4);
    EXPECT_EQ(stage.state.heldout_accuracy(), 0.7);
}

TEST(SessionState, ClosingForgets) {
    PanelStage stage;
    stage.open_with_pair(2);
    stage.tell(SessionClosed{});
    EXPECT_EQ(stage.state.phase(), Phase::closed);
    EXPECT_TRUE(stage.state.history().empty());
    EXPECT_FALSE(stage.state.pair().has_value());
    EXPECT_FALSE(stage.state.can_undo());
}

}  // namespace
}  // namespace plumbline::ui
