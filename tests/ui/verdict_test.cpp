// Answers beside "A is better": strength, both bad, the best of several, ranks.

#include <gtest/gtest.h>

#include <QAction>
#include <QLineEdit>
#include <QSpinBox>
#include <QTest>

#include "tests/ui/stage.h"
#include "ui/controls/chooser.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/label_table.h"
#include "ui/panels/prompt_bar.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_row.h"
#include "ui/panels/verdict_strip.h"
#include "ui/window/key_guard.h"

namespace plumbline::ui {
namespace {

class VerdictTest : public testing::Test {
  protected:
    VerdictTest() : panel(stage.bridge, stage.state, stage.theme) {
        qApp->installEventFilter(&guard);
        panel.resize(840, 640);
        show_active(panel);
        panel.focus_cards();
    }
    void press(int key) {
        QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : &panel, Qt::Key(key));
    }
    /// `shown` replies on the screen.
    void show(int shown, std::int64_t id = 77) {
        SessionOpened opened = stage.session();
        opened.config.sampling.shown = shown;
        opened.config.sampling.candidates = 6;
        stage.tell(opened);
        next(shown, id);
    }
    void next(int shown, std::int64_t id) {
        Pair pair = PanelStage::pair(id);
        for (int i = 2; i < shown; ++i) {
            Candidate more;
            more.text = "Reply " + std::to_string(i);
            more.tokens = 10 + i;
            more.reward = 0.1 * i;
            pair.more.push_back(more);
        }
        stage.tell(PairReady{pair});
        panel.focus_cards();
    }
    std::vector<Verdict> verdicts() const {
        std::vector<Verdict> out;
        for (const Vote& vote : stage.posted_of<Vote>()) {
            out.push_back(vote.verdict);
        }
        return out;
    }
    Verdict only() const {
        EXPECT_EQ(verdicts().size(), 1u);
        return verdicts().empty() ? Verdict{} : verdicts().front();
    }

    PanelStage stage;
    KeyGuard guard;
    ComparePanel panel;
};

TEST_F(VerdictTest, AStrengthHoldsForTheNextChoiceOnly) {
    show(2);
    EXPECT_EQ(panel.verdicts().strength().current(), 1);  // clearly
    press(Qt::Key_E);
    EXPECT_EQ(panel.verdicts().strength().current(), 2);
    press(Qt::Key_Q);
    EXPECT_EQ(panel.verdicts().strength().current(), 0);
    press(Qt::Key_2);
    EXPECT_EQ(only(), (Verdict{Choice::right, Strength::slight, {}}));

    next(2, 78);
    EXPECT_EQ(panel.verdicts().strength().current(), 1);
    const auto segments = panel.verdicts().strength().findChildren<QAbstractButton*>();
    ASSERT_EQ(segments.size(), 3);
    QTest::mouseClick(segments[2], Qt::LeftButton);
    QTest::mouseClick(panel.card_a().button(), Qt::LeftButton);
    EXPECT_EQ(verdicts().back(), (Verdict{Choice::left, Strength::much, {}}));

    next(2, 79);
    press(Qt::Key_1);
    EXPECT_EQ(verdicts().back(), (Verdict{Choice::left, Strength::clear, {}}));
}

TEST_F(VerdictTest, ATieHasNoStrength) {
    show(2);
    press(Qt::Key_E);
    press(Qt::Key_Down);
    EXPECT_EQ(only(), Verdict{Choice::tie});
}

TEST_F(VerdictTest, BothCanBeBad) {
    show(2);
    EXPECT_EQ(panel.verdicts().bad().text(), "Both bad");
    press(Qt::Key_0);
    EXPECT_EQ(only(), Verdict{Choice::both_bad});
    EXPECT_FALSE(panel.verdicts().bad().isEnabled());
    EXPECT_EQ(panel.verdicts().bad().toolTip(), "Your answer is being saved");
    next(2, 78);
    QTest::mouseClick(&panel.verdicts().bad(), Qt::LeftButton);
    EXPECT_EQ(verdicts().back(), Verdict{Choice::both_bad});
}

TEST_F(VerdictTest, TheBestOfSeveralIsOnePress) {
    show(4);
    EXPECT_EQ(panel.cards().count(), 4);
    EXPECT_EQ(panel.cards().card(3).reply_text(), "Reply 3");
    EXPECT_EQ(panel.cards().card(2).offer(), "C is best");
    EXPECT_FALSE(panel.cards().card(4).isVisible());
    EXPECT_FALSE(panel.tie_button().isVisible());
    EXPECT_FALSE(panel.verdicts().strength().isVisible());
    for (const int key :
         {Qt::Key_Left, Qt::Key_Right, Qt::Key_Down, Qt::Key_5, Qt::Key_Return, Qt::Key_Backspace}) {
        press(key);  // of two replies, of more than there are, of ranks
    }
    EXPECT_TRUE(verdicts().empty());
    press(Qt::Key_3);
    EXPECT_EQ(only(), (Verdict{Choice::ranking, Strength::clear, {2}}));
    press(Qt::Key_1);
    EXPECT_EQ(verdicts().size(), 1u);  // one answer
    next(4, 78);
    QTest::mouseClick(panel.cards().card(3).button(), Qt::LeftButton);
    EXPECT_EQ(verdicts().back(), (Verdict{Choice::ranking, Strength::clear, {3}}));
}

TEST_F(VerdictTest, OfSeveralEachIsMarkedDown) {
    show(3);
    EXPECT_EQ(panel.verdicts().bad().text(), "All bad");
    press(Qt::Key_0);
    EXPECT_EQ(only(), (Verdict{Choice::thumbs, Strength::clear, {-1, -1, -1}}));
}

TEST_F(VerdictTest, RanksAreGivenTakenBackAndRecorded) {
    show(6);
    const auto modes = panel.verdicts().mode().findChildren<QAbstractButton*>();
    ASSERT_EQ(modes.size(), 2);
    QTest::mouseClick(modes[1], Qt::LeftButton);
    EXPECT_TRUE(panel.strip().text().contains("in order, then Enter")) << panel.strip().text().toStdString();
    panel.focus_cards();
    EXPECT_FALSE(panel.verdicts().record().isEnabled());
    EXPECT_EQ(panel.verdicts().record().toolTip(), "No reply has a rank yet");
    EXPECT_EQ(panel.cards().card(0).offer(), "Rank 1st");
    for (const int key : {Qt::Key_1, Qt::Key_5, Qt::Key_2}) {
        press(key);
    }
    EXPECT_EQ(panel.verdicts().tally(), "A > E > B > …   3 of 6");
    EXPECT_EQ(panel.cards().card(4).offer(), "2nd");
    EXPECT_EQ(panel.cards().card(2).offer(), "Rank 4th");
    press(Qt::Key_Backspace);
    EXPECT_EQ(panel.verdicts().tally(), "A > E > …   2 of 6");
    press(Qt::Key_3);
    press(Qt::Key_1);  // a ranked one is taken back, those after it move up
    EXPECT_EQ(panel.verdicts().tally(), "E > C > …   2 of 6");
    EXPECT_TRUE(verdicts().empty());
    press(Qt::Key_Return);
    EXPECT_EQ(only(), (Verdict{Choice::ranking, Strength::clear, {4, 2}}));

    next(6, 78);  // still ranking, from the start
    EXPECT_EQ(panel.cards().card(4).offer(), "Rank 1st");
    QTest::mouseClick(panel.cards().card(1).button(), Qt::LeftButton);
    QTest::mouseClick(&panel.verdicts().record(), Qt::LeftButton);
    EXPECT_EQ(verdicts().back(), (Verdict{Choice::ranking, Strength::clear, {1}}));
}

TEST_F(VerdictTest, EnterAndBackspaceStayInTextFields) {
    show(4);
    panel.verdicts().mode().findChildren<QAbstractButton*>()[1]->click();
    press(Qt::Key_2);
    QLineEdit* line = panel.prompt_bar().line()->lineEdit();
    line->setFocus();
    line->setText("Why?");
    press(Qt::Key_Backspace);
    EXPECT_EQ(line->text(), "Why");
    press(Qt::Key_Return);
    EXPECT_TRUE(verdicts().empty());
    EXPECT_EQ(stage.posted_of<AddPrompts>().size(), 1u);
    EXPECT_EQ(panel.verdicts().tally(), "B > …   1 of 4");
    panel.focus_cards();
    press(Qt::Key_Return);  // the twin
    EXPECT_EQ(verdicts().size(), 1u);
}

TEST_F(VerdictTest, StreamsIntoAsManyCardsAsWillBeShown) {
    SessionOpened opened = stage.session();
    opened.config.sampling.shown = 3;
    stage.tell(opened);
    stage.tell(SamplingStarted{12, "My package arrived broken.", 4, 48});
    stage.tell(TokensStreamed{2, "third", 1, false});
    stage.tell(TokensStreamed{3, "never shown", 2, false});
    EXPECT_EQ(panel.cards().count(), 3);
    EXPECT_EQ(panel.cards().card(2).reply_text(), "third");
    EXPECT_EQ(panel.cards().card(3).reply_text(), "");
}

TEST_F(VerdictTest, CardsStandInRowsAndAreAlike) {
    const std::pair<int, int> columns[] = {{2, 2}, {3, 3}, {4, 2}, {5, 3}, {6, 3}};
    std::int64_t id = 100;
    for (const auto& [shown, across] : columns) {
        panel.resize(840 + shown, 640 + shown);
        show(shown, ++id);
        QTest::qWait(10);
        const CandidateCard& first = panel.cards().card(0);
        for (int place = 0; place < shown; ++place) {
            const CandidateCard& card = panel.cards().card(place);
            EXPECT_EQ(card.y() > first.y(), place >= across) << shown << " cards, place " << place;
            EXPECT_EQ(card.width(), first.width()) << shown << " cards, place " << place;
            EXPECT_EQ(card.height(), first.height()) << shown << " cards, place " << place;
            EXPECT_TRUE(panel.rect().contains(QRect(card.mapTo(&panel, QPoint()), card.size())));
        }
    }
}

TEST_F(VerdictTest, NoMoreAreShownThanDrawn) {
    stage.open_with_pair();  // 4 drawn, 2 shown
    panel.settings().shown()->setValue(6);
    SamplingConfig sampling = stage.posted_of<ChangeConfig>().back().config.sampling;
    EXPECT_EQ(sampling.shown, 6);
    EXPECT_EQ(sampling.candidates, 6);
    EXPECT_EQ(stage.posted_of<SampleAgain>().size(), 1u);  // and they come at once
    stage.tell(ConfigChanged{stage.posted_of<ChangeConfig>().back().config});
    panel.settings().candidates()->setValue(3);
    sampling = stage.posted_of<ChangeConfig>().back().config.sampling;
    EXPECT_EQ(sampling.shown, 3);
    EXPECT_EQ(sampling.candidates, 3);
    EXPECT_EQ(stage.posted_of<SampleAgain>().size(), 1u);
}

TEST_F(VerdictTest, EveryWayToChooseThePairIsOffered) {
    stage.open_with_pair();
    Chooser& chooser = *panel.settings().pair_choice();
    ASSERT_EQ(chooser.count(), 5);
    Q_EMIT chooser.activated(3);
    EXPECT_EQ(stage.posted_of<ChangeConfig>().back().config.sampling.pair_choice, PairChoice::margin);
    SessionConfig config;
    config.sampling.pair_choice = PairChoice::information;
    stage.tell(ConfigChanged{config});
    EXPECT_EQ(chooser.currentText(), "most telling");
}

TEST_F(VerdictTest, TheStripTellsWhatFitsTheAnswer) {
    show(3);
    EXPECT_EQ(panel.strip().text(),
              "Which reply is best? Press its number, 1 to 3, or 0 if none is any good.");
    press(Qt::Key_3);
    HistoryRow row = PanelStage::row(9, Choice::ranking);
    row.text = "C is best";
    stage.tell(LabelRecorded{9, 77, Choice::ranking, row});
    RewardFitted fitted;
    fitted.label_id = 9;
    fitted.labels = 6;
    fitted.probability_before = 0.5;
    fitted.probability_after = 0.5;
    stage.tell(fitted);
    stage.tell(ClickDone{9, 0, 0.1});
    EXPECT_EQ(panel.strip().text(),
              "C is best | Reward model loss 0.00 → 0.00 | The policy learns nothing from it | "
              "Rewards were A +1.31, B −0.84, C +0.20");
}

TEST_F(VerdictTest, HaltedTrainingIsToldAndCanGoOn) {
    const auto way = [&](const QString& text) -> QPushButton* {
        for (QPushButton* button : panel.notice().findChildren<QPushButton*>()) {
            if (button->text() == text) {
                return button;
            }
        }
        return nullptr;
    };
    show(2);
    press(Qt::Key_1);
    stage.tell(LabelRecorded{9, 77, Choice::left, PanelStage::row(9, Choice::left)});
    stage.tell(TrainingHalted{9, "train: the loss is not a finite number; undo the vote"});
    EXPECT_TRUE(panel.notice().isVisible());
    EXPECT_EQ(panel.strip().text(), "A over B | Training stopped, the weights are as before");
    next(2, 78);
    stage.tell(LabelRecorded{10, 78, Choice::left, PanelStage::row(10, Choice::left)});
    EXPECT_TRUE(panel.notice().isVisible()) << "another answer does not hide that training waits";
    ASSERT_NE(way("Resume training"), nullptr);
    QTest::mouseClick(way("Resume training"), Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<PauseTraining>().size(), 1u);
    EXPECT_FALSE(stage.posted_of<PauseTraining>()[0].paused);
    EXPECT_FALSE(panel.notice().isVisible());
    EXPECT_TRUE(panel.strip().isVisible());

    stage.tell(TrainingHalted{9, "train: the loss is not a finite number; undo the vote"});
    ASSERT_NE(way("Undo the answer"), nullptr);
    QTest::mouseClick(way("Undo the answer"), Qt::LeftButton);
    EXPECT_EQ(stage.posted_of<Undo>().size(), 1u);
    EXPECT_FALSE(panel.notice().isVisible());
    EXPECT_TRUE(panel.strip().isVisible());
}

TEST_F(VerdictTest, TheTableSaysTheStrength) {
    LabelTable table(stage.state, stage.theme);
    show(2);
    HistoryRow row = PanelStage::row(1, Choice::right);
    row.text = "B slightly over A";
    stage.tell(LabelRecorded{1, 77, Choice::right, row});
    EXPECT_EQ(table.index(0, LabelTable::choice).data().toString(), "B slightly over A");
    EXPECT_EQ(table.index(0, LabelTable::chosen).data().toString(), "Not our problem.");
}

}  // namespace
}  // namespace plumbline::ui
