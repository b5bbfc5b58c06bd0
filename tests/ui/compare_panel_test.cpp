#include <gtest/gtest.h>

#include <QAbstractItemView>
#include <QAccessible>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

#include "tests/ui/stage.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/prompt_bar.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_strip.h"
#include "ui/window/key_guard.h"

namespace plumbline::ui {
namespace {

class ComparePanelTest : public testing::Test {
  protected:
    ComparePanelTest() : panel(stage.bridge, stage.state, stage.theme) {
        qApp->installEventFilter(&guard);
        panel.resize(840, 520);
        show_active(panel);
        panel.focus_cards();
    }
    void press(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : &panel, Qt::Key(key),
                        modifiers);
    }
    Choice only_vote() const {
        const auto votes = stage.posted_of<Vote>();
        EXPECT_EQ(votes.size(), 1u);
        return votes.empty() ? Choice::skip : votes.front().verdict.choice;
    }

    PanelStage stage;
    KeyGuard guard;
    ComparePanel panel;
};

TEST_F(ComparePanelTest, StreamsIntoBothCards) {
    stage.tell(stage.session());
    stage.tell(SamplingStarted{12, "My package arrived broken.", 4, 48});
    stage.tell(TokensStreamed{0, "I am so", 3, false});
    stage.tell(TokensStreamed{1, "Not our", 2, false});
    stage.tell(TokensStreamed{2, "never shown", 2, false});
    stage.tell(TokensStreamed{0, " sorry.", 5, true});
    EXPECT_EQ(panel.card_a().reply_text(), "I am so sorry.");
    EXPECT_EQ(panel.card_b().reply_text(), "Not our");
    EXPECT_TRUE(panel.card_a().header_text().startsWith("5 tokens"))
        << panel.card_a().header_text().toStdString();
    EXPECT_TRUE(panel.card_b().header_text().startsWith("2 of 48 tokens"));
    EXPECT_EQ(panel.card_a().reward_text(), "reward hidden");
    EXPECT_FALSE(panel.card_a().button()->isEnabled());
    EXPECT_EQ(panel.card_a().button()->toolTip(), "The replies are still being written");
}

TEST_F(ComparePanelTest, ShowsThePairWithoutRewards) {
    stage.open_with_pair();
    EXPECT_EQ(panel.card_a().reply_text(), "I am so sorry.");
    EXPECT_EQ(panel.card_b().reply_text(), "Not our problem.");
    EXPECT_EQ(panel.card_b().header_text(), "48 tokens, stopped at the limit");
    EXPECT_EQ(panel.card_a().reward_text(), "reward hidden");
    EXPECT_TRUE(panel.card_a().button()->isEnabled());
    SessionConfig open_eyes;
    open_eyes.blind = false;
    stage.tell(ConfigChanged{open_eyes});
    stage.tell(PairReady{PanelStage::pair(78)});
    EXPECT_EQ(panel.card_a().reward_text(), "reward +1.31 ± 0.40");
    EXPECT_EQ(panel.card_b().reward_text(), "reward −0.84 ± 0.50");
}

TEST_F(ComparePanelTest, ReplyTextIsNeverMarkup) {
    stage.tell(stage.session());
    Pair pair = PanelStage::pair(77);
    pair.left.text = "<b>bold</b> & <script>";
    stage.tell(PairReady{pair});
    EXPECT_EQ(panel.card_a().reply_text(), "<b>bold</b> & <script>");
}

TEST_F(ComparePanelTest, CardsAreAlike) {
    stage.open_with_pair();
    QCoreApplication::processEvents();
    EXPECT_EQ(panel.card_a().size(), panel.card_b().size());
    EXPECT_EQ(panel.card_a().button()->size(), panel.card_b().button()->size());
    EXPECT_EQ(panel.card_a().button()->font(), panel.card_b().button()->font());
    for (const QPushButton* button : panel.findChildren<QPushButton*>()) {
        EXPECT_FALSE(button->isDefault() || button->autoDefault()) << button->text().toStdString();
    }
    EXPECT_FALSE(panel.card_a().isAncestorOf(QApplication::focusWidget()));
    EXPECT_FALSE(panel.card_b().isAncestorOf(QApplication::focusWidget()));
}

TEST_F(ComparePanelTest, AClickIsAnsweredAtOnce) {
    stage.open_with_pair();
    QTest::mouseClick(panel.card_b().button(), Qt::LeftButton);
    EXPECT_EQ(only_vote(), Choice::right);
    EXPECT_EQ(stage.posted_of<Vote>().front().pair_id, 77);
    // No event of the engine yet: the cards are grey already, and a second click does nothing.
    EXPECT_EQ(panel.strip().text(), "Saving…");
    EXPECT_FALSE(panel.card_a().button()->isEnabled());
    QTest::mouseClick(panel.card_a().button(), Qt::LeftButton);
    press(Qt::Key_1);
    EXPECT_EQ(stage.posted_of<Vote>().size(), 1u);
}

TEST_F(ComparePanelTest, TheStripTellsWhatTheVoteDid) {
    stage.open_with_pair(5);
    press(Qt::Key_1);
    stage.tell(LabelRecorded{9, 77, Choice::left, PanelStage::row(9, Choice::left)});
    EXPECT_EQ(panel.strip().text(), "A over B | Training…");
    stage.tell(PairReady{PanelStage::pair(78)});  // the next pair does not wait for training
    EXPECT_TRUE(panel.card_a().button()->isEnabled());
    RewardFitted fitted;
    fitted.label_id = 9;
    fitted.labels = 6;
    fitted.loss_before = 0.62;
    fitted.loss_after = 0.55;
    fitted.probability_before = 0.52;
    fitted.probability_after = 0.58;
    fitted.left_reward = 1.31;
    fitted.right_reward = -0.84;
    stage.tell(fitted);
    stage.tell(PolicyStepped{9, 6, Algorithm::dpo, 0.6, 3e-4, ""});
    stage.tell(ClickDone{9, 1, 1.1});
    EXPECT_EQ(panel.strip().text(),
              "A over B | Reward model loss 0.62 → 0.55 | Policy +1 step | P(your choice) 0.52 → 0.58 | "
              "Rewards were A +1.31, B −0.84");
    // What belongs to another click changes nothing.
    stage.tell(PolicyStepped{8, 7, Algorithm::dpo, 0.6, 3e-4, ""});
    EXPECT_TRUE(panel.strip().text().contains("Policy +1 step"));
    stage.tell(PolicyStepped{9, 7, Algorithm::dpo, 0.6, 3e-4, "slowed: KL 3.1 of 4.0"});
    EXPECT_TRUE(panel.strip().text().contains("Policy +2 steps"));
    EXPECT_TRUE(panel.strip().text().endsWith("slowed: KL 3.1 of 4.0"));
}

TEST_F(ComparePanelTest, TheStripGrowsForASecondLine) {
    stage.open_with_pair(5);
    QTest::qWait(1);
    EXPECT_EQ(panel.strip().height(), 40);
    press(Qt::Key_1);
    stage.tell(LabelRecorded{9, 77, Choice::left, PanelStage::row(9, Choice::left)});
    RewardFitted fitted;
    fitted.label_id = 9;
    fitted.labels = 6;
    fitted.probability_before = 0.52;
    fitted.probability_after = 0.58;
    stage.tell(fitted);
    stage.tell(
        PolicyStepped{9, 6, Algorithm::dpo, 0.6, 3e-4, "slowed to 0.16 of the rate: KL 3.68 nears 4.00"});
    QTest::qWait(1);
    EXPECT_EQ(panel.strip().height(), panel.strip().heightForWidth(panel.strip().width()));
    EXPECT_GT(panel.strip().height(), 40);
}

TEST_F(ComparePanelTest, TheStripFadesUnlessAnimationsAreOff) {
    const auto ground = [&] {
        return panel.strip().grab().toImage().pixelColor(panel.strip().width() - 6, 20);
    };
    stage.open_with_pair(5);
    press(Qt::Key_1);
    stage.tell(LabelRecorded{9, 77, Choice::left, PanelStage::row(9, Choice::left)});
    EXPECT_EQ(ground(), stage.theme.color(Tone::selection));
    stage.tell(ClickDone{9, 1, 1.1});
    EXPECT_EQ(ground(), stage.theme.color(Tone::panel));  // at once: animations are off here

    stage.theme.set_animations(true);
    stage.tell(PairReady{PanelStage::pair(78)});
    press(Qt::Key_1);
    stage.tell(LabelRecorded{10, 78, Choice::left, PanelStage::row(10, Choice::left)});
    stage.tell(ClickDone{10, 1, 1.1});
    EXPECT_NE(ground(), stage.theme.color(Tone::panel));
    EXPECT_TRUE(QTest::qWaitFor([&] { return ground() == stage.theme.color(Tone::panel); }, 3000));
}

TEST_F(ComparePanelTest, KeysChoose) {
    const std::pair<int, Choice> keys[] = {{Qt::Key_1, Choice::left},   {Qt::Key_Left, Choice::left},
                                           {Qt::Key_2, Choice::right},  {Qt::Key_Right, Choice::right},
                                           {Qt::Key_Down, Choice::tie}, {Qt::Key_S, Choice::skip}};
    stage.tell(stage.session());
    std::int64_t id = 100;
    for (const auto& [key, choice] : keys) {
        stage.posted.clear();
        stage.tell(PairReady{PanelStage::pair(++id)});
        press(key);
        EXPECT_EQ(only_vote(), choice) << "key " << key;
    }
    stage.posted.clear();
    stage.tell(PairReady{PanelStage::pair(++id)});
    press(Qt::Key_R);
    EXPECT_EQ(stage.posted_of<SampleAgain>().size(), 1u);
    EXPECT_TRUE(stage.posted_of<Vote>().empty());
}

TEST_F(ComparePanelTest, KeysStayInTextFields) {
    stage.open_with_pair();
    QLineEdit* line = panel.prompt_bar().line()->lineEdit();
    line->setFocus();
    line->selectAll();
    for (const int key : {Qt::Key_1, Qt::Key_S, Qt::Key_R, Qt::Key_2, Qt::Key_Left}) {
        press(key);
    }
    EXPECT_TRUE(stage.posted_of<Vote>().empty());
    EXPECT_TRUE(stage.posted_of<SampleAgain>().empty());
    EXPECT_EQ(line->text(), "1sr2");
    panel.settings().max_tokens()->setFocus();
    press(Qt::Key_Down);
    press(Qt::Key_1);
    EXPECT_TRUE(stage.posted_of<Vote>().empty());
    // The twin: without the guard a spin box lets the arrow through.
    qApp->removeEventFilter(&guard);
    press(Qt::Key_Down);
    EXPECT_EQ(stage.posted_of<Vote>().size(), 1u);
}

TEST_F(ComparePanelTest, ThePromptListOpensAndNothingIsChosenByAStrayArrow) {
    stage.open_with_pair();
    QComboBox* line = panel.prompt_bar().line();
    line->setFocus();
    press(Qt::Key_Up);
    EXPECT_FALSE(line->view()->isVisible());
    press(Qt::Key_Down);
    EXPECT_TRUE(line->view()->isVisible());
    line->hidePopup();
    EXPECT_EQ(line->currentText(), "My package arrived broken.");
    EXPECT_TRUE(stage.posted.empty());
}

TEST_F(ComparePanelTest, UndoIsOfferedWhenThereIsSomethingToUndo) {
    stage.open_with_pair();
    EXPECT_FALSE(panel.undo_button().isEnabled());
    EXPECT_EQ(panel.undo_button().toolTip(), "There is no answer to take back");
    press(Qt::Key_Z, Qt::ControlModifier);
    EXPECT_TRUE(stage.posted_of<Undo>().empty());
    press(Qt::Key_1);
    stage.tell(LabelRecorded{1, 77, Choice::left, PanelStage::row(1, Choice::left)});
    press(Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(stage.posted_of<Undo>().size(), 1u);
    stage.tell(Undone{1, PanelStage::row(1, Choice::left), 0, 0});
    EXPECT_TRUE(panel.strip().text().startsWith("Undone: A over B"));
    EXPECT_FALSE(panel.undo_button().isEnabled());
}

TEST_F(ComparePanelTest, WalksThroughThePrompts) {
    stage.open_with_pair();
    QTest::mouseClick(panel.prompt_bar().next(), Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<GoToPrompt>().size(), 1u);
    EXPECT_EQ(stage.posted_of<GoToPrompt>()[0].prompt_id, 13);
    stage.tell(PromptsChanged{stage.state.prompts(), 13});
    EXPECT_FALSE(panel.prompt_bar().next()->isEnabled());
    EXPECT_EQ(panel.prompt_bar().next()->toolTip(), "This is the last prompt");
    QTest::mouseClick(panel.prompt_bar().previous(), Qt::LeftButton);
    EXPECT_EQ(stage.posted_of<GoToPrompt>().back().prompt_id, 12);
}

TEST_F(ComparePanelTest, ATypedPromptIsAddedAndAKnownOneIsGoneTo) {
    stage.open_with_pair();
    QLineEdit* line = panel.prompt_bar().line()->lineEdit();
    line->setFocus();
    line->selectAll();
    QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("Why is the sky blue?"));
    press(Qt::Key_Return);
    ASSERT_EQ(stage.posted_of<AddPrompts>().size(), 1u);
    EXPECT_EQ(stage.posted_of<AddPrompts>()[0].prompts, std::vector<std::string>{"Why is the sky blue?"});
    EXPECT_TRUE(stage.posted_of<AddPrompts>()[0].go_to_first);
    EXPECT_FALSE(line->hasFocus());  // the voting keys work again

    line->setFocus();
    line->selectAll();
    QTest::keyClicks(QApplication::focusWidget(), QStringLiteral("Can I cancel?"));
    press(Qt::Key_Return);
    EXPECT_EQ(stage.posted_of<AddPrompts>().size(), 1u);
    ASSERT_EQ(stage.posted_of<GoToPrompt>().size(), 1u);  // once, however often the box tells it
    EXPECT_EQ(stage.posted_of<GoToPrompt>()[0].prompt_id, 13);
}

TEST_F(ComparePanelTest, SettingsChangeOneFieldEach) {
    stage.open_with_pair();
    panel.settings().temperature()->setFocus();
    panel.settings().temperature()->selectAll();
    QTest::keyClicks(panel.settings().temperature(), QStringLiteral("0.5"));
    EXPECT_TRUE(stage.posted_of<ChangeConfig>().empty());  // not finished yet
    QTest::keyClick(panel.settings().temperature(), Qt::Key_Return);
    ASSERT_EQ(stage.posted_of<ChangeConfig>().size(), 1u);
    EXPECT_DOUBLE_EQ(stage.posted_of<ChangeConfig>()[0].config.sampling.temperature, 0.5);
    EXPECT_EQ(stage.posted_of<ChangeConfig>()[0].config.sampling.max_new_tokens, 48);
    panel.settings().blind()->click();
    EXPECT_FALSE(stage.posted_of<ChangeConfig>().back().config.blind);
    // What the engine tells is shown and not sent back.
    const std::size_t sent = stage.posted.size();
    SessionConfig config;
    config.seed = 1204;
    config.sampling.candidates = 8;
    stage.tell(ConfigChanged{config});
    EXPECT_EQ(panel.settings().seed()->text(), "1204");
    EXPECT_EQ(panel.settings().candidates()->value(), 8);
    EXPECT_EQ(stage.posted.size(), sent);
}

TEST_F(ComparePanelTest, AnErrorStandsInPlaceOfTheStrip) {
    stage.open_with_pair();
    press(Qt::Key_1);
    stage.tell(CommandFailed{"vote", "record vote: disk full; make room, then retry"});
    EXPECT_TRUE(panel.notice().isVisible());
    EXPECT_FALSE(panel.strip().isVisible());
    EXPECT_EQ(panel.notice().text(), "record vote: disk full; make room, then retry");
    EXPECT_TRUE(panel.card_a().button()->isEnabled());
    QPushButton* retry = nullptr;
    for (QPushButton* button : panel.notice().findChildren<QPushButton*>()) {
        retry = button->text() == "Retry" ? button : retry;
    }
    ASSERT_NE(retry, nullptr);
    QTest::mouseClick(retry, Qt::LeftButton);
    EXPECT_EQ(stage.posted_of<Vote>().size(), 2u);
    stage.tell(LabelRecorded{1, 77, Choice::left, PanelStage::row(1, Choice::left)});
    EXPECT_FALSE(panel.notice().isVisible());
    EXPECT_TRUE(panel.strip().isVisible());
}

TEST_F(ComparePanelTest, OutOfMemoryOffersFewerCandidates) {
    stage.open_with_pair();
    stage.tell(SamplingStarted{12, "x", 4, 48});
    stage.tell(JobEnded{"Sampling", JobEnd::failed, "sample: out of memory for 4 replies; draw fewer"});
    QPushButton* fewer = nullptr;
    for (QPushButton* button : panel.notice().findChildren<QPushButton*>()) {
        fewer = button->text() == "Draw fewer" ? button : fewer;
    }
    ASSERT_NE(fewer, nullptr);
    QTest::mouseClick(fewer, Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<ChangeConfig>().size(), 1u);
    EXPECT_EQ(stage.posted_of<ChangeConfig>()[0].config.sampling.candidates, 2);
    EXPECT_EQ(stage.posted_of<SampleAgain>().size(), 1u);
}

TEST_F(ComparePanelTest, StoppingIsNoError) {
    stage.tell(stage.session());
    stage.tell(SamplingStarted{12, "x", 4, 48});
    stage.tell(JobEnded{"Sampling", JobEnd::stopped, ""});
    stage.tell(SamplingStopped{});
    EXPECT_FALSE(panel.notice().isVisible());
    EXPECT_EQ(panel.card_a().reply_text(), "Stopped. Press R to sample again.");
    EXPECT_TRUE(panel.settings().again()->isEnabled());
    EXPECT_FALSE(panel.tie_button().isEnabled());
}

TEST_F(ComparePanelTest, EveryDisabledControlSaysWhyAndEveryControlHasAName) {
    const auto look = [&](const char* when) {
        int controls = 0;
        for (QWidget* widget : panel.findChildren<QWidget*>()) {
            const bool control =
                qobject_cast<QAbstractButton*>(widget) || qobject_cast<QComboBox*>(widget) ||
                qobject_cast<QAbstractSpinBox*>(widget) ||
                (qobject_cast<QLineEdit*>(widget) && widget->parentWidget() == &panel.settings());
            if (!control || !widget->isVisible() || qobject_cast<QLineEdit*>(widget->parentWidget())) {
                continue;
            }
            ++controls;
            EXPECT_FALSE(QAccessible::queryAccessibleInterface(widget)->text(QAccessible::Name).isEmpty())
                << when << ": " << widget->metaObject()->className();
            if (!widget->isEnabled()) {
                EXPECT_FALSE(widget->toolTip().isEmpty())
                    << when << ": " << widget->accessibleName().toStdString();
            }
        }
        EXPECT_GE(controls, 14) << when;
    };
    look("closed");
    stage.tell(stage.session());
    look("waiting");
    stage.tell(SamplingStarted{12, "x", 4, 48});
    look("streaming");
    stage.tell(PairReady{PanelStage::pair(77)});
    look("choosing");
    press(Qt::Key_1);
    look("saving");
}

TEST_F(ComparePanelTest, FocusFollowsTheOrderOfWork) {
    stage.open_with_pair(1);
    panel.prompt_bar().line()->setFocus();
    std::vector<QWidget*> met;
    for (int i = 0; i < 30 && (met.empty() || QApplication::focusWidget() != met.front()); ++i) {
        met.push_back(QApplication::focusWidget());
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
    }
    const auto place = [&](const QWidget* widget) {
        return std::find(met.begin(), met.end(), widget) - met.begin();
    };
    const std::vector<const QWidget*> order = {panel.prompt_bar().line(), panel.settings().candidates(),
                                               panel.settings().again(),  panel.card_a().button(),
                                               panel.card_b().button(),   &panel.tie_button(),
                                               &panel.skip_button(),      &panel.undo_button()};
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
        EXPECT_LT(place(order[i]), place(order[i + 1])) << "stop " << i;
    }
    EXPECT_LT(place(order.back()), std::ptrdiff_t(met.size()));
}

}  // namespace
}  // namespace plumbline::ui
