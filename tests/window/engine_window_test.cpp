// The whole program but its command line: real window, real engine, a tiny model of random weights.

#include <QAbstractButton>
#include <QAction>
#include <QPushButton>
#include <QSpinBox>
#include <QTimer>
#include <map>
#include <set>

#include "core/api/algorithms.h"
#include "core/api/offline.h"
#include "tests/window/engine_stage.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/sampling_settings.h"
#include "ui/panels/verdict_row.h"
#include "ui/panels/verdict_strip.h"
#include "ui/plot/metric_catalog.h"
#include "ui/window/actions.h"
#include "ui/window/docks.h"
#include "ui/window/start_screen.h"

namespace plumbline::ui {
namespace {

TEST_F(EngineWindowTest, AModelOpensAndAClickIsLearned) {
    window->start_model(QString::fromStdString(model.string()));
    ASSERT_TRUE(reaches(Phase::choosing)) << failure;
    EXPECT_TRUE(window->compare().isVisible());
    const Pair pair = *window->state().pair();
    QString text = QString::fromStdString(pair.left.text);
    text.replace("\r\n", "\n").replace('\r', '\n');  // one kind of line end on the screen
    EXPECT_EQ(window->compare().card_a().reply_text().toStdString(), text.toStdString());
    QTest::mouseClick(window->compare().card_a().button(), Qt::LeftButton);
    EXPECT_EQ(window->state().phase(), Phase::saving);
    ASSERT_TRUE(until([&] { return clicks_done == 1; })) << failure;
    EXPECT_EQ(window->state().labels(), 1);
    const int steps = window->state().config().live.steps_per_click;  // measured to suit so small a model
    EXPECT_GT(steps, LiveConfig{}.steps_per_click);
    EXPECT_EQ(window->state().policy_steps(), steps);
    const QString told = window->compare().strip().text();
    EXPECT_TRUE(told.startsWith("A over B | Reward model loss ")) << told.toStdString();
    EXPECT_TRUE(told.contains(QStringLiteral("Policy +%1 steps").arg(steps))) << told.toStdString();
    ASSERT_TRUE(reaches(Phase::choosing));
    EXPECT_NE(window->state().pair()->id, pair.id);
    EXPECT_EQ(window->state().history().back().left, pair.left.text);
    EXPECT_EQ(window->state().history().back().prompt, pair.prompt);
}

TEST_F(EngineWindowTest, FastClicksAreAllKept) {
    const auto project = folder / "fast.plumb";
    start(project);
    for (int click = 1; click <= 6; ++click) {
        ASSERT_TRUE(reaches(Phase::choosing)) << "click " << click << ": " << failure;
        CandidateCard& card = click % 2 ? window->compare().card_a() : window->compare().card_b();
        QTest::mouseClick(card.button(), Qt::LeftButton);  // learning of the one before may still run
        ASSERT_TRUE(until([&] { return recorded == click; })) << failure;
    }
    ASSERT_TRUE(until([&] { return clicks_done == 6; })) << failure;
    EXPECT_EQ(window->state().labels(), 6);
    EXPECT_EQ(window->state().policy_steps(), 6 * window->state().config().live.steps_per_click);
    EXPECT_TRUE(window->state().heldout_accuracy().has_value());
    close();
    const CheckResult checked = check_project(project);
    EXPECT_TRUE(checked.ok) << (checked.problems.empty() ? "" : checked.problems.front());
}

TEST_F(EngineWindowTest, EveryKindOfAnswerIsLearned) {
    start(folder / "answers.plumb");
    const auto press = [&](int key) { QTest::keyClick(&window->compare().cards(), Qt::Key(key)); };
    const auto answered = [&](int count) {
        return until([&] { return clicks_done == count; }) && reaches(Phase::choosing);
    };
    press(Qt::Key_Q);
    press(Qt::Key_1);
    ASSERT_TRUE(answered(1)) << failure;
    press(Qt::Key_0);
    ASSERT_TRUE(answered(2)) << failure;
    EXPECT_EQ(window->state().history()[0].text, "A slightly over B");
    EXPECT_EQ(window->state().history()[1].choice, Choice::both_bad);

    window->compare().settings().shown()->setValue(4);
    ASSERT_TRUE(until([&] { return window->state().pair() && window->state().pair()->more.size() == 2; }))
        << failure;
    const std::string third = window->state().pair()->more[0].text;
    EXPECT_FALSE(third.empty());
    press(Qt::Key_3);
    ASSERT_TRUE(answered(3)) << failure;
    EXPECT_EQ(window->state().history()[2].choice, Choice::ranking);

    window->compare().verdicts().mode().findChildren<QAbstractButton*>()[1]->click();
    for (const int key : {Qt::Key_4, Qt::Key_1, Qt::Key_2, Qt::Key_Backspace, Qt::Key_Return}) {
        press(key);
    }
    ASSERT_TRUE(answered(4)) << failure;
    EXPECT_EQ(window->state().history()[3].text, "D over A over the rest");
    press(Qt::Key_0);
    ASSERT_TRUE(answered(5)) << failure;
    EXPECT_EQ(window->state().history()[4].choice, Choice::thumbs);
    EXPECT_EQ(window->state().labels(), 5);
    EXPECT_EQ(failure, "");
}

TEST_F(EngineWindowTest, EveryAlgorithmLearnsAndItsMetricsHaveTitles) {
    SessionConfig config;
    config.sampling.max_new_tokens = 8;
    config.live.collapse_guard = 0;   // random weights drift as they like
    start(folder / "algorithms.plumb", config);
    QObject::connect(bridge.get(), &EngineBridge::training_halted,
                     [&](const TrainingHalted& halted) { failure += halted.message; });
    std::set<std::string> unknown, seen;
    QObject::connect(bridge.get(), &EngineBridge::metrics_added, [&](const MetricsAdded& added) {
        for (const MetricPoint& point : added.points) {
            seen.insert(point.name);
            if (metric_info(point.name).title == QString::fromStdString(point.name)) {
                unknown.insert(point.name);
            }
        }
    });
    std::map<Algorithm, int> steps;
    QObject::connect(bridge.get(), &EngineBridge::policy_stepped,
                     [&](const PolicyStepped& stepped) { ++steps[stepped.algorithm]; });
    int clicks = 0;
    for (const AlgorithmInfo& entry : algorithms()) {
        window->actions().algorithms[qsizetype(entry.algorithm)]->trigger();
        ASSERT_TRUE(until([&] { return window->state().config().live.algorithm == entry.algorithm; }))
            << failure;
        ASSERT_TRUE(reaches(Phase::choosing)) << failure;
        QTest::mouseClick(window->compare().card_b().button(), Qt::LeftButton);
        ++clicks;
        ASSERT_TRUE(until([&] { return clicks_done == clicks; })) << entry.name << ": " << failure;
        EXPECT_GT(steps[entry.algorithm], 0) << entry.name;
    }
    EXPECT_EQ(unknown, std::set<std::string>());
    EXPECT_TRUE(seen.contains("value/explained_variance"));
    EXPECT_TRUE(seen.contains("frac_reward_zero_std"));
}

TEST_F(EngineWindowTest, UndoBringsThePairBack) {
    start(folder / "undo.plumb");
    const std::int64_t first = window->state().pair()->id;
    QTest::mouseClick(window->compare().card_b().button(), Qt::LeftButton);
    ASSERT_TRUE(until([&] { return clicks_done == 1; })) << failure;
    QTest::mouseClick(&window->compare().undo_button(), Qt::LeftButton);
    ASSERT_TRUE(until([&] { return window->state().labels() == 0; })) << failure;
    ASSERT_TRUE(until([&] { return window->state().pair() && window->state().pair()->id == first; }));
    EXPECT_EQ(window->state().policy_steps(), 0);
    EXPECT_TRUE(window->state().history().back().undone);
    EXPECT_TRUE(window->compare().strip().text().startsWith("Undone: B over A"));
    EXPECT_FALSE(window->compare().undo_button().isEnabled());
}

TEST_F(EngineWindowTest, ClosingInTheMidstLosesNothing) {
    const auto project = folder / "midst.plumb";
    start(project);
    QTest::mouseClick(window->compare().card_a().button(), Qt::LeftButton);
    window->close();  // before the engine has answered
    ASSERT_TRUE(until([&] { return recorded == 1; })) << failure;
    close();

    launch();
    window->open_path(QString::fromStdString(project.string()));
    ASSERT_TRUE(reaches(Phase::choosing)) << failure;
    EXPECT_EQ(window->state().labels(), 1);
    EXPECT_EQ(window->state().history().back().choice, Choice::left);
    EXPECT_TRUE(window->compare().undo_button().isEnabled());
}

TEST_F(EngineWindowTest, AMovedModelIsAskedFor) {
    const auto project = folder / "moved.plumb";
    start(project);
    bridge->post(CloseSession{});
    ASSERT_TRUE(reaches(Phase::closed));
    const auto moved = folder / "elsewhere.gguf";
    std::filesystem::rename(model, moved);
    window->open_path(QString::fromStdString(project.string()));
    ASSERT_TRUE(until([&] { return window->start_screen().notice().isVisible(); })) << failure;
    EXPECT_TRUE(window->start_screen().notice().text().contains(QString::fromStdString(model.string())));
    bool locate = false;
    for (const QPushButton* way : window->start_screen().notice().findChildren<QPushButton*>()) {
        locate = locate || way->text() == "Locate model…";
    }
    EXPECT_TRUE(locate);
    bridge->post(OpenSession{project.string(), moved.string()});
    ASSERT_TRUE(reaches(Phase::choosing)) << failure;
}

TEST_F(EngineWindowTest, ADamagedFileIsToldAndTheWindowGoesOn) {
    const auto broken = folder / "broken.gguf";
    plumbline::testing::write_whole(broken, "GGUF but not more");
    window->start_model(QString::fromStdString(broken.string()));
    ASSERT_TRUE(until([&] { return window->start_screen().notice().isVisible(); }));
    EXPECT_TRUE(window->start_screen().notice().text().contains("broken.gguf"))
        << window->start_screen().notice().text().toStdString();
    EXPECT_EQ(window->state().phase(), Phase::closed);
    start(folder / "after.plumb");
}

TEST_F(EngineWindowTest, TheEventLoopTurnsWhileTheEngineWorks) {
    start(folder / "loop.plumb");
    SessionConfig config = window->state().config();
    config.live.steps_per_click = 64;
    bridge->post(ChangeConfig{config});
    ASSERT_TRUE(until([&] { return window->state().config().live.steps_per_click == 64; }));
    ASSERT_TRUE(reaches(Phase::choosing));
    int turns = 0;
    QTimer ticking;
    QObject::connect(&ticking, &QTimer::timeout, [&] { ++turns; });
    bool training = false;
    QObject::connect(bridge.get(), &EngineBridge::reward_fitted, [&] {
        training = true;
        ticking.start(1);
    });
    QTest::mouseClick(window->compare().card_a().button(), Qt::LeftButton);
    ASSERT_TRUE(until([&] { return clicks_done == 1; })) << failure;
    EXPECT_TRUE(training);
    EXPECT_GT(turns, 2);
}

}  // namespace
}  // namespace plumbline::ui
