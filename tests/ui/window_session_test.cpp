// How a session begins and trains, as the window's tools have it.

#include <gtest/gtest.h>

#include <QAbstractItemView>
#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QWheelEvent>

#include "core/api/algorithms.h"
#include "core/api/catalog.h"
#include "tests/ui/window_stage.h"
#include "ui/controls/chooser.h"
#include "ui/controls/key_button.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/verdict_row.h"
#include "ui/panels/verdict_strip.h"
#include "ui/window/actions.h"
#include "ui/window/docks.h"
#include "ui/window/new_session_dialog.h"
#include "ui/window/tool_row.h"
#include "ui/window/usual_settings.h"

namespace plumbline::ui {
namespace {

/// Opens the list and chooses a row of it with the keyboard.
void choose(Chooser& chooser, int row) {
    QTest::keyClick(&chooser, Qt::Key_Down);
    ASSERT_TRUE(chooser.view()->isVisible());
    while (chooser.view()->currentIndex().row() < row) {
        QTest::keyClick(chooser.view(), Qt::Key_Down);
    }
    QTest::keyClick(chooser.view(), Qt::Key_Return);
}

TEST_F(MainWindowTest, ToolsChangeTheTraining) {
    stage.open_with_pair();
    window->tool_row().beta().setValue(0.4);
    ASSERT_EQ(stage.posted_of<ChangeConfig>().size(), 1u);
    EXPECT_DOUBLE_EQ(stage.posted_of<ChangeConfig>()[0].config.live.beta, 0.4);
    window->tool_row().steps().setValue(3);
    EXPECT_EQ(stage.posted_of<ChangeConfig>().back().config.live.steps_per_click, 3);
}

TEST_F(MainWindowTest, AnAlgorithmComesWithItsMeasuredSettings) {
    SessionOpened small = stage.session();
    small.model.parameters = 500000;  // all of its weights train
    small.config.live.beta = 7;
    small.config.live.reward = "keyword(sorry)";
    stage.tell(small);
    Chooser& chooser = window->tool_row().algorithm();
    ASSERT_EQ(chooser.count(), int(algorithms().size()));
    const int ppo = chooser.findText("PPO");
    ASSERT_GE(ppo, 0);
    choose(chooser, ppo);
    ASSERT_FALSE(stage.posted_of<ChangeConfig>().empty());
    const SessionConfig posted = stage.posted_of<ChangeConfig>().back().config;
    EXPECT_EQ(posted.live.algorithm, Algorithm::ppo);
    EXPECT_EQ(posted.live.optimizer, OptimizerKind::sgd);  // that of a small model; the default is AdamW
    EXPECT_NE(posted.live.beta, 7);
    EXPECT_EQ(posted.live.reward, "keyword(sorry)");  // the person's own aim stays

    stage.tell(ConfigChanged{posted});
    EXPECT_EQ(chooser.currentIndex(), ppo);
    EXPECT_DOUBLE_EQ(window->tool_row().beta().value(), posted.live.beta);
    EXPECT_TRUE(chooser.toolTip().startsWith("PPO: ")) << chooser.toolTip().toStdString();
    int checked = 0;
    for (const QAction* action : window->actions().algorithms) {
        checked += action->isChecked();
        EXPECT_EQ(action->isChecked(), action->text() == "Algorithm PPO") << action->text().toStdString();
    }
    EXPECT_EQ(checked, 1);

    const std::size_t before = stage.posted_of<ChangeConfig>().size();
    QAction* dpo = window->actions().algorithms.front();
    dpo->trigger();
    ASSERT_EQ(stage.posted_of<ChangeConfig>().size(), before + 1);
    EXPECT_EQ(stage.posted_of<ChangeConfig>().back().config.live.algorithm, Algorithm::dpo);
    stage.tell(ConfigChanged{stage.posted_of<ChangeConfig>().back().config});
    dpo->trigger();  // chosen already
    EXPECT_EQ(stage.posted_of<ChangeConfig>().size(), before + 1);
}

TEST_F(MainWindowTest, NeitherWheelNorStrayKeyChangesTheAlgorithm) {
    stage.open_with_pair();
    const auto turn = [](QWidget& over) {
        QWheelEvent wheel({9, 9}, {9, 9}, {}, {0, -120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase,
                          false);
        QApplication::sendEvent(&over, &wheel);
    };
    Chooser& chooser = window->tool_row().algorithm();
    turn(chooser);
    QTest::keyClick(&chooser, Qt::Key_R);
    EXPECT_EQ(chooser.currentIndex(), 0);
    EXPECT_TRUE(stage.posted_of<ChangeConfig>().empty());
    Snapshot training;
    training.activity = Activity::training;
    stage.bridge.show(training);
    QTest::keyClick(&chooser, Qt::Key_Down);
    ASSERT_TRUE(chooser.view()->isVisible());
    QTest::keyClick(chooser.view(), Qt::Key_Escape);  // leaves the list, and stops nothing
    EXPECT_FALSE(chooser.view()->isVisible());
    EXPECT_EQ(stage.stops, 0);
    QTest::keyClick(window.get(), Qt::Key_Escape);
    EXPECT_EQ(stage.stops, 1);
    // The twin: a plain box would have changed.
    QComboBox plain;
    plain.addItems({"DPO", "RLOO", "KTO"});
    turn(plain);
    EXPECT_EQ(plain.currentIndex(), 1);
    QTest::keyClick(&plain, Qt::Key_K);
    EXPECT_EQ(plain.currentIndex(), 2);
}

TEST_F(MainWindowTest, ANewSessionIsCheckedInPlace) {
    window->actions().new_session->trigger();
    auto* dialog = window->findChild<NewSessionDialog*>();
    ASSERT_NE(dialog, nullptr);
    dialog->model().clear();
    QTest::mouseClick(&dialog->start_button(), Qt::LeftButton);
    EXPECT_TRUE(dialog->problem().contains("no model is chosen"));
    dialog->model().addItem("Tiny", "tiny");
    dialog->place().setText(write("taken.plumb", "x"));
    QTest::mouseClick(&dialog->start_button(), Qt::LeftButton);
    EXPECT_TRUE(dialog->problem().contains("taken.plumb exists; choose another name"));
    dialog->place().setText("/no/such/folder/a.plumb");
    QTest::mouseClick(&dialog->start_button(), Qt::LeftButton);
    EXPECT_TRUE(dialog->problem().contains("the folder /no/such/folder does not exist"));
    EXPECT_TRUE(stage.posted_of<NewSession>().empty());
    dialog->use_prompts_file(write("p.txt", "One?\nTwo?\n"));
    dialog->place().setText(folder.filePath("fresh"));
    dialog->system_prompt().setPlainText(" Be brief. ");
    QTest::mouseClick(&dialog->start_button(), Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    const NewSession session = stage.posted_of<NewSession>()[0];
    EXPECT_EQ(session.project_path, folder.filePath("fresh.plumb").toStdString());
    EXPECT_EQ(session.model, "tiny");
    EXPECT_EQ(session.config.system_prompt, "Be brief.");
    EXPECT_EQ(session.prompts, (std::vector<std::string>{"One?", "Two?"}));
}

TEST_F(MainWindowTest, ANewSessionSuitsItsModel) {
    const auto model_of = [](const char* name, std::int64_t parameters) {
        CatalogModel model;
        model.name = name;
        model.title = name;
        model.installed = true;
        model.parameters = parameters;
        return model;
    };
    NewSessionDialog dialog(stage.theme,
                            {model_of("smollm2-135m-instruct", 134515008), model_of("courtesy", 536704)},
                            window.get());
    NewSession wanted;
    QObject::connect(&dialog, &NewSessionDialog::wanted,
                     [&](const NewSession& session) { wanted = session; });
    EXPECT_EQ(dialog.system_prompt().toPlainText().toStdString(), SessionConfig{}.system_prompt);
    dialog.model().setCurrentIndex(1);
    EXPECT_EQ(dialog.system_prompt().toPlainText(), "");
    dialog.model().setCurrentIndex(0);
    EXPECT_EQ(dialog.system_prompt().toPlainText().toStdString(), SessionConfig{}.system_prompt);
    dialog.system_prompt().setPlainText("Be brief.");
    dialog.model().setCurrentIndex(1);
    EXPECT_EQ(dialog.system_prompt().toPlainText(), "Be brief.");  // the person's own words stay
    dialog.system_prompt().clear();
    QTest::mouseClick(&dialog.start_button(), Qt::LeftButton);
    EXPECT_EQ(wanted.model, "courtesy");
    EXPECT_EQ(wanted.config.system_prompt, "");
    EXPECT_EQ(wanted.config.live.optimizer, OptimizerKind::sgd);  // as measured for a model so small
    EXPECT_EQ(usual_settings("smollm2-135m-instruct").live.optimizer, OptimizerKind::adamw);
}

TEST_F(MainWindowTest, AModelFromAFileGetsItsSettingsOnceItsSizeIsKnown) {
    window->start_model("/home/ann/tiny.gguf");
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].config.live.optimizer, OptimizerKind::adamw);
    SessionOpened opened = stage.session();
    opened.model.parameters = 500000;
    stage.tell(opened);
    ASSERT_EQ(stage.posted_of<ChangeConfig>().size(), 1u);
    EXPECT_EQ(stage.posted_of<ChangeConfig>()[0].config.live.optimizer, OptimizerKind::sgd);

    window->open_path("/home/ann/old.plumb");  // an old session keeps its own
    stage.tell(opened);
    EXPECT_EQ(stage.posted_of<ChangeConfig>().size(), 1u);
}

TEST_F(MainWindowTest, SixRepliesFoldTheBottomDock) {
    stage.open_with_pair();
    EXPECT_TRUE(window->docks().panel("data")->isVisible());
    SessionConfig six;
    six.sampling.shown = six.sampling.candidates = 6;
    stage.tell(ConfigChanged{six});
    stage.tell(SamplingStarted{12, "x", 6, 48});
    EXPECT_FALSE(window->docks().panel("data")->isVisible());
    EXPECT_TRUE(window->compare().cards().card(5).isVisible());
    stage.tell(PairReady{PanelStage::pair(78)});  // two again
    EXPECT_TRUE(window->docks().panel("data")->isVisible());
}

TEST_F(MainWindowTest, SixRepliesFitASmallWindow) {
    window->resize(1024, 700);
    SessionOpened opened = stage.session();
    opened.config.sampling.shown = opened.config.sampling.candidates = 6;
    stage.tell(opened);
    Pair pair = PanelStage::pair(77);
    pair.more.assign(4, pair.left);
    stage.tell(PairReady{pair});
    window->compare().verdicts().mode().findChildren<QAbstractButton*>()[1]->click();
    QTest::qWait(50);
    EXPECT_EQ(window->size(), QSize(1024, 700));
    std::vector<QWidget*> parts = {&window->compare().verdicts().record(), &window->compare().undo_button(),
                                   &window->compare().strip()};
    for (int place = 0; place < 6; ++place) {
        parts.push_back(&window->compare().cards().card(place));
    }
    for (QWidget* part : parts) {
        const QRect rect(part->mapTo(&window->compare(), QPoint()), part->size());
        EXPECT_TRUE(part->isVisible());
        EXPECT_TRUE(window->compare().rect().contains(rect)) << part->accessibleName().toStdString();
    }
}

}  // namespace
}  // namespace plumbline::ui
