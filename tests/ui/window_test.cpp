#include <gtest/gtest.h>

#include <QAction>
#include <QDoubleSpinBox>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QPushButton>

#include "core/api/catalog.h"
#include "tests/ui/window_stage.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/verdict_strip.h"
#include "ui/window/actions.h"
#include "ui/window/command_palette.h"
#include "ui/window/docks.h"
#include "ui/window/main_window.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"
#include "ui/window/tool_row.h"

namespace plumbline::ui {
namespace {

TEST_F(MainWindowTest, StartsWithNothingOpen) {
    EXPECT_TRUE(window->start_screen().isVisible());
    EXPECT_FALSE(window->compare().isVisible());
    EXPECT_FALSE(window->docks().panel("session")->isVisible());
    EXPECT_FALSE(window->actions().pause->isEnabled());
    EXPECT_EQ(window->actions().pause->toolTip(), "There is no session");
    EXPECT_FALSE(window->tool_row().beta().isEnabled());
    EXPECT_EQ(window->tool_row().beta().toolTip(), "There is no session");
    EXPECT_EQ(window->status_row().text(), "Idle, no model loaded");
}

TEST_F(MainWindowTest, OpensAModelOfTheListAndShowsTheSession) {
    CatalogModel tiny, far;
    tiny.name = "tiny";
    tiny.title = "Tiny";
    tiny.source = far.source = ModelSource::installed;
    tiny.installed = true;
    tiny.parameters = 1000000;
    far.name = "far";
    far.title = "Far away";
    far.how_to_get = "Run packaging/run.sh once.";
    ASSERT_TRUE(QTest::qWaitFor([&] { return !window->models().catalog().busy(); }));
    window->start_screen().show_models({tiny, far});
    EXPECT_EQ(button(window->start_screen(), "Open Far away"), nullptr);  // says how to get it instead
    QPushButton* open = button(window->start_screen(), "Open Tiny");
    ASSERT_NE(open, nullptr);
    QTest::mouseClick(open, Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].model, "tiny");
    EXPECT_EQ(stage.posted_of<NewSession>()[0].project_path, "");
    EXPECT_FALSE(open->isEnabled());  // once is enough
    EXPECT_FALSE(open->toolTip().isEmpty());

    stage.tell(stage.session());
    EXPECT_TRUE(window->compare().isVisible());
    EXPECT_TRUE(window->docks().panel("session")->isVisible());
    EXPECT_TRUE(window->docks().panel("plots")->isVisible());
    EXPECT_TRUE(window->docks().panel("data")->isVisible());
    EXPECT_TRUE(window->windowTitle().startsWith("support-tone.plumb"));
    EXPECT_TRUE(window->actions().pause->isEnabled());

    stage.tell(SessionClosed{});
    EXPECT_TRUE(window->start_screen().isVisible());
    EXPECT_FALSE(window->docks().panel("data")->isVisible());
}

TEST_F(MainWindowTest, AFailureToOpenStandsOnTheStartScreen) {
    window->open_path("/home/ann/refund.plumb");
    ASSERT_EQ(stage.posted_of<OpenSession>().size(), 1u);
    stage.tell(CommandFailed{"open project",
                             "open project: its model /m.gguf is missing; put it back or locate it"});
    Notice& notice = window->start_screen().notice();
    ASSERT_TRUE(notice.isVisible());
    EXPECT_EQ(notice.text(), "open project: its model /m.gguf is missing; put it back or locate it");
    QStringList ways;
    for (const QPushButton* way : notice.findChildren<QPushButton*>()) {
        ways.append(way->text());
    }
    EXPECT_EQ(ways, QStringList("Locate model…"));

    window->open_path("/home/ann/refund.plumb");
    EXPECT_FALSE(notice.isVisible());  // a second try starts clean
    stage.tell(
        CommandFailed{"open project", "open project: /home/ann/refund.plumb is damaged; restore a copy"});
    QPushButton* retry = nullptr;
    for (QPushButton* way : notice.findChildren<QPushButton*>()) {
        retry = way->text() == "Retry" ? way : retry;
    }
    ASSERT_NE(retry, nullptr);
    QTest::mouseClick(retry, Qt::LeftButton);
    EXPECT_EQ(stage.posted_of<OpenSession>().size(), 3u);
}

TEST_F(MainWindowTest, StoppingALoadIsNoFailure) {
    window->start_model("tiny");
    EXPECT_TRUE(window->actions().stop->isEnabled());
    QTest::keyClick(window.get(), Qt::Key_Escape);
    EXPECT_EQ(stage.stops, 1);
    stage.tell(JobEnded{"Loading", JobEnd::stopped, ""});
    stage.tell(CommandFailed{"new session", "stopped"});
    EXPECT_FALSE(window->start_screen().notice().isVisible());
    EXPECT_EQ(stage.state.phase(), Phase::closed);
}

TEST_F(MainWindowTest, TakesDroppedFiles) {
    const QString project = write("b.plumb", "x");
    const QString prompts = write("c.txt", "One?\n\n Two? \nOne?\n");
    const QString picture = write("d.png", "x");
    EXPECT_FALSE(drop(picture));
    EXPECT_FALSE(drop(prompts));  // no session to add them to
    EXPECT_TRUE(drop(project));
    ASSERT_EQ(stage.posted_of<OpenSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<OpenSession>()[0].project_path, project.toStdString());
    stage.tell(stage.session());
    EXPECT_TRUE(drop(prompts));
    ASSERT_EQ(stage.posted_of<AddPrompts>().size(), 1u);
    EXPECT_EQ(stage.posted_of<AddPrompts>()[0].prompts, (std::vector<std::string>{"One?", "Two?"}));
    EXPECT_FALSE(stage.posted_of<AddPrompts>()[0].go_to_first);
}

TEST_F(MainWindowTest, AWrongPromptFileSaysWhatIsWrong) {
    stage.open_with_pair();
    EXPECT_TRUE(drop(write("bad.txt", QByteArray("caf\xE9\n", 5))));
    EXPECT_TRUE(stage.posted_of<AddPrompts>().empty());
    EXPECT_TRUE(window->compare().notice().text().contains("bad.txt is not UTF-8 text; save it as UTF-8"));
    EXPECT_TRUE(drop(write("empty.txt", " \n\n")));
    EXPECT_TRUE(window->compare().notice().text().contains("empty.txt has no prompt"));
    EXPECT_TRUE(drop(write("big.txt", QByteArray(4 * 1024 * 1024 + 1, 'a'))));
    EXPECT_TRUE(window->compare().notice().text().contains("has 4194305 bytes, more than 4 MB"));
    EXPECT_TRUE(drop(write("fits.txt", QByteArray(4 * 1024 * 1024, 'a'))));  // the limit itself is fine
    EXPECT_EQ(stage.posted_of<AddPrompts>().size(), 1u);
}

TEST_F(MainWindowTest, RemembersSessions) {
    const QString project = write("kept.plumb", "x");
    SessionOpened opened = stage.session(3);
    opened.project_path = project.toStdString();
    stage.tell(opened);
    stage.tell(LabelRecorded{4, 0, Choice::left, PanelStage::row(4, Choice::left)});
    stage.tell(SessionClosed{});
    ASSERT_NE(button(window->start_screen(), "Open session kept"), nullptr);
    const QList<RecentSession> recent = RecentSessions(settings).list();
    ASSERT_EQ(recent.size(), 1);
    EXPECT_EQ(recent[0].labels, 4);
    QTest::mouseClick(button(window->start_screen(), "Open session kept"), Qt::LeftButton);
    EXPECT_EQ(stage.posted_of<OpenSession>()[0].project_path, project.toStdString());
    stage.tell(CommandFailed{"open project", "open project: gone; choose another"});

    // A session whose file is gone can be taken off the list, not opened.
    QFile::remove(project);
    window->start_screen().show_recent(RecentSessions(settings).list());
    EXPECT_EQ(button(window->start_screen(), "Open session kept"), nullptr);
    QTest::mouseClick(button(window->start_screen(), "Remove kept from the list"), Qt::LeftButton);
    EXPECT_TRUE(RecentSessions(settings).list().isEmpty());
}

TEST_F(MainWindowTest, PauseAndStopHaveKeys) {
    stage.open_with_pair();
    QTest::keyClick(window.get(), Qt::Key_P);
    ASSERT_EQ(stage.posted_of<PauseTraining>().size(), 1u);
    EXPECT_TRUE(stage.posted_of<PauseTraining>()[0].paused);
    Snapshot snapshot;
    snapshot.activity = Activity::idle;
    snapshot.training_paused = true;
    snapshot.pending_clicks = 1;
    stage.bridge.show(snapshot);
    EXPECT_EQ(window->actions().pause->iconText(), "Resume");
    EXPECT_EQ(window->status_row().text(), "Training is paused, 1 vote waiting");
    QTest::keyClick(window.get(), Qt::Key_P);
    EXPECT_FALSE(stage.posted_of<PauseTraining>()[1].paused);
    QTest::keyClick(window.get(), Qt::Key_Escape);
    EXPECT_EQ(stage.stops, 0);  // nothing runs
    snapshot.activity = Activity::training;
    stage.bridge.show(snapshot);
    QTest::keyClick(window.get(), Qt::Key_Escape);
    EXPECT_EQ(stage.stops, 1);
}

TEST_F(MainWindowTest, TheStatusRowTellsWhatRuns) {
    stage.open_with_pair();
    Snapshot snapshot;
    snapshot.activity = Activity::sampling_ahead;
    snapshot.text = "Sampling ahead 4 × 48 tokens";
    snapshot.saved_unix_time = 1700000000;
    stage.bridge.show(snapshot);
    EXPECT_EQ(window->status_row().text(), "Sampling ahead 4 × 48 tokens");
    const QString clock = QDateTime::fromSecsSinceEpoch(1700000000).toString("HH:mm:ss");
    EXPECT_TRUE(window->status_row().saved_text().endsWith("Saved " + clock));
}

TEST_F(MainWindowTest, FindsACommandByItsWords) {
    stage.open_with_pair();
    QTest::keyClick(window.get(), Qt::Key_K, Qt::ControlModifier);
    auto* palette = window->findChild<CommandPalette*>();
    ASSERT_NE(palette, nullptr);
    QTest::keyClicks(&palette->line(), QStringLiteral("samp ag"));
    ASSERT_EQ(palette->list().count(), 1);
    EXPECT_EQ(palette->list().item(0)->text(), "Session › Sample again");
    QTest::keyClick(&palette->line(), Qt::Key_Return);
    EXPECT_EQ(stage.posted_of<SampleAgain>().size(), 1u);
    EXPECT_FALSE(palette->isVisible());
}

TEST_F(MainWindowTest, EveryMenuEntryThatIsOffSaysWhy) {
    int off = 0;
    for (const QAction* menu : window->menuBar()->actions()) {
        for (const QAction* action : menu->menu()->actions()) {
            if (!action->isEnabled() && !action->isSeparator() && action->toolTip() != action->text()) {
                ++off;
                EXPECT_FALSE(action->toolTip().isEmpty()) << action->text().toStdString();
                EXPECT_NE(action->toolTip(), QString(action->text()).remove('&'))
                    << action->text().toStdString();
            }
        }
    }
    EXPECT_GE(off, 10);
}

TEST_F(MainWindowTest, ThemeButtonChangesTheScheme) {
    const auto ground = [&] { return window->start_screen().grab().toImage().pixelColor(5, 5); };
    EXPECT_EQ(ground(), QColor(0xEB, 0xEE, 0xF2));  // canvas, light
    window->actions().dark->trigger();
    EXPECT_EQ(stage.theme.scheme(), Scheme::dark);
    EXPECT_EQ(ground(), QColor(0x14, 0x17, 0x1A));
    EXPECT_TRUE(QTest::qWaitFor(
        [&] { return window->palette().color(QPalette::Window) == QColor(0x1B, 0x1F, 0x23); }));
    window->actions().dark->trigger();
    EXPECT_EQ(ground(), QColor(0xEB, 0xEE, 0xF2));
}

TEST_F(MainWindowTest, ASmallWindowStaysUsable) {
    stage.open_with_pair(5);
    window->resize(1024, 700);
    QTest::qWait(50);
    EXPECT_EQ(window->size(), QSize(1024, 700));  // nothing forces it larger
    CandidateCard& a = window->compare().card_a();
    CandidateCard& b = window->compare().card_b();
    EXPECT_EQ(a.size(), b.size());
    EXPECT_GE(a.width(), 240);
    EXPECT_GE(a.height(), 200);
    for (QWidget* part : {static_cast<QWidget*>(&a), static_cast<QWidget*>(&b),
                          static_cast<QWidget*>(&window->compare().undo_button()),
                          static_cast<QWidget*>(&window->compare().strip())}) {
        const QRect place(part->mapTo(window.get(), QPoint(0, 0)), part->size());
        EXPECT_TRUE(window->rect().contains(place)) << part->metaObject()->className();
    }
    EXPECT_TRUE(window->docks().panel("plots")->isVisible());
    EXPECT_FALSE(window->docks().panel("data")->isVisible());  // folded to its tabs
    window->docks().reveal("log");
    EXPECT_TRUE(window->docks().panel("log")->isVisible());

    window->resize(1440, 900);
    QTest::qWait(50);
    EXPECT_TRUE(window->docks().panel("session")->isVisible());
    EXPECT_TRUE(window->docks().panel("plots")->isVisible());
    EXPECT_LT(window->docks().panel("session")->mapTo(window.get(), QPoint()).x(), 10);
}

TEST_F(MainWindowTest, TheLayoutIsKept) {
    stage.open_with_pair();
    auto* plots = window->findChild<QDockWidget*>(QStringLiteral("plots"));
    ASSERT_NE(plots, nullptr);
    plots->close();
    window->docks().reveal("log");
    window->close();
    MainWindow again(stage.bridge, stage.theme, settings);
    again.show();
    stage.tell(stage.session());
    EXPECT_FALSE(again.docks().panel("plots")->isVisible());
    EXPECT_TRUE(again.docks().panel("session")->isVisible());
    EXPECT_TRUE(again.docks().panel("log")->isVisible());
    again.docks().reset();
    EXPECT_TRUE(again.docks().panel("plots")->isVisible());
}

TEST_F(MainWindowTest, ClosingWaitsForAnAnswerUnseen) {
    stage.open_with_pair();
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_1);
    ASSERT_EQ(stage.posted_of<Vote>().size(), 1u);
    EXPECT_FALSE(window->close());      // not gone yet
    EXPECT_FALSE(window->isVisible());  // but off the screen
    bool gone = false;
    class Watch : public QObject {
      public:
        explicit Watch(bool& flag) : flag_(flag) {}
        bool eventFilter(QObject*, QEvent* event) override {
            flag_ = flag_ || (event->type() == QEvent::Close && event->isAccepted());
            return false;
        }

      private:
        bool& flag_;
    } watch(gone);
    window->installEventFilter(&watch);
    stage.tell(LabelRecorded{1, 77, Choice::left, PanelStage::row(1, Choice::left)});
    EXPECT_TRUE(QTest::qWaitFor([&] { return gone; }, 1000));
}

TEST_F(MainWindowTest, ClosesAtOnceOtherwise) {
    stage.open_with_pair();
    stage.tell(SamplingStarted{12, "x", 4, 48});
    EXPECT_TRUE(window->close());
    EXPECT_EQ(stage.stops, 1);
}

}  // namespace
}  // namespace plumbline::ui
