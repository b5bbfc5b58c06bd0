#include <gtest/gtest.h>

#include <QAbstractItemView>
#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QToolButton>
#include <QWheelEvent>

#include "core/api/algorithms.h"
#include "core/api/catalog.h"
#include "tests/ui/stage.h"
#include "ui/controls/chooser.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/controls/segmented.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/candidate_grid.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/verdict_row.h"
#include "ui/panels/verdict_strip.h"
#include "ui/window/actions.h"
#include "ui/window/command_palette.h"
#include "ui/window/docks.h"
#include "ui/window/main_window.h"
#include "ui/window/new_session_dialog.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"
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

class MainWindowTest : public testing::Test {
  protected:
    MainWindowTest()
        : settings(folder.filePath("settings.ini"), QSettings::IniFormat),
          window(std::make_unique<MainWindow>(stage.bridge, stage.theme, settings)) {
        window->resize(1440, 900);
        show_active(*window);
    }
    QString write(const QString& name, const QByteArray& bytes) {
        QFile file(folder.filePath(name));
        EXPECT_TRUE(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        return file.fileName();
    }
    /// Drops a file on the window; false: it was refused.
    bool drop(const QString& path) {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(path)});
        QDragEnterEvent enter(QPoint(400, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        enter.ignore();
        QApplication::sendEvent(window.get(), &enter);
        if (!enter.isAccepted()) {
            return false;
        }
        QDropEvent drop(QPointF(400, 400), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(window.get(), &drop);
        return true;
    }
    QPushButton* button(QWidget& in, const QString& accessible_name) {
        QTest::qWait(1);  // rows that were just laid out are shown by the event loop
        for (QPushButton* found : in.findChildren<QPushButton*>()) {
            if (found->accessibleName() == accessible_name && found->isVisible()) {
                return found;
            }
        }
        return nullptr;
    }

    PanelStage stage;
    QTemporaryDir folder;
    QSettings settings;
    std::unique_ptr<MainWindow> window;
};

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
    window->start_screen().show_models({{.name = "tiny",
                                         .title = "Tiny",
                                         .path = {},
                                         .installed = true,
                                         .parameters = 1000000,
                                         .memory_bytes = 0,
                                         .licence = {},
                                         .how_to_get = {}},
                                        {.name = "far",
                                         .title = "Far away",
                                         .path = {},
                                         .installed = false,
                                         .parameters = 0,
                                         .memory_bytes = 0,
                                         .licence = {},
                                         .how_to_get = "Run packaging/run.sh once."}});
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
    const QString model = write("a.gguf", "GGUF");
    const QString project = write("b.plumb", "x");
    const QString prompts = write("c.txt", "One?\n\n Two? \nOne?\n");
    const QString picture = write("d.png", "x");
    EXPECT_FALSE(drop(picture));
    EXPECT_FALSE(drop(prompts));  // no session to add them to
    EXPECT_TRUE(drop(project));
    ASSERT_EQ(stage.posted_of<OpenSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<OpenSession>()[0].project_path, project.toStdString());
    EXPECT_TRUE(drop(model));
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].model, model.toStdString());
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
