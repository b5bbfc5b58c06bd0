// Export of the policy in the window: what is asked, what is posted, how the answer is told. And which files a model
// may be opened by.

#include "ui/window/model_export.h"

#include <QStorageInfo>
#include <QAction>
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QLineEdit>

#include "tests/ui/window_stage.h"
#include "ui/controls/notice.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/actions.h"
#include "ui/window/export_model_dialog.h"
#include "ui/window/model_files.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"

namespace plumbline::ui {
namespace {

class ModelExportTest : public MainWindowTest {
  protected:
    ExportModelDialog& ask(bool all_weights = false) {
        SessionOpened opened = stage.session();
        opened.model.vocab = 49152;
        opened.model.hidden = 576;
        opened.config.lora.weights = all_weights ? Weights::all : Weights::lora;
        opened.model.parameters = all_weights ? 1000000 : opened.model.parameters;
        stage.tell(opened);
        stage.tell(PairReady{PanelStage::pair(77)});
        QTest::keyClick(window.get(), Qt::Key_E, Qt::ControlModifier | Qt::ShiftModifier);
        auto* dialog = window->findChild<ExportModelDialog*>();
        EXPECT_TRUE(dialog && QTest::qWaitForWindowActive(dialog)) << "Ctrl+Shift+E opens it";
        return *dialog;
    }
    ModelExport& entry() { return *window->findChild<ModelExport*>(); }
    Notice& notice() { return window->compare().notice(); }
};

TEST_F(ModelExportTest, AsksForFormWeightsAndPlace) {
    EXPECT_FALSE(entry().action->isEnabled());
    EXPECT_EQ(entry().action->toolTip(), "There is no session");
    ExportModelDialog& dialog = ask();
    EXPECT_EQ(dialog.place().text(), QDir::home().filePath("support-tone.gguf"));
    EXPECT_EQ(dialog.type().currentText(), "F16, about 257 MB");   // 134515008 weights of two bytes
    ASSERT_EQ(dialog.type().findData("q4_1"), 6);
    dialog.choose(ModelFormat::safetensors);
    EXPECT_EQ(dialog.place().text(), QDir::home().filePath("support-tone-merged")) << "the usual place follows";
    EXPECT_EQ(dialog.type().count(), 3);
    dialog.choose(ModelFormat::peft);
    EXPECT_FALSE(dialog.type().isVisible());
    EXPECT_TRUE(dialog.about().contains("peft"));
    dialog.choose(ModelFormat::gguf);
    dialog.type().setCurrentIndex(dialog.type().findData("q8_0"));
    dialog.place().selectAll();
    QTest::keyClicks(&dialog.place(), folder.filePath("mine"));
    dialog.choose(ModelFormat::gguf);
    EXPECT_EQ(dialog.place().text(), folder.filePath("mine")) << "what was typed stays";
    dialog.type().setCurrentIndex(dialog.type().findData("q8_0"));
    QTest::keyClick(&dialog.place(), Qt::Key_Return);
    ASSERT_EQ(stage.posted_of<ExportModel>().size(), 1u);
    const ExportModel command = stage.posted_of<ExportModel>()[0];
    EXPECT_EQ(command.format, ModelFormat::gguf);
    EXPECT_EQ(command.type, "q8_0");
    EXPECT_EQ(command.path, folder.filePath("mine.gguf").toStdString());
}

TEST_F(ModelExportTest, SaysWhatIsWrongWithAPlace) {
    ExportModelDialog& dialog = ask();
    const auto remark = [&](ModelFormat format, const QString& place) {
        dialog.choose(format);
        dialog.place().setText(place);
        return (dialog.export_button().isEnabled() ? QStringLiteral("ok: ") : QStringLiteral("no: ")) + dialog.remark();
    };
    const QString there = write("there.gguf", "x");
    EXPECT_TRUE(remark(ModelFormat::gguf, folder.filePath("new")).startsWith("ok: ")) << dialog.remark().toStdString();
    // In a root of its own a program may not see what its folders lie on.
    EXPECT_EQ(dialog.remark().endsWith("are free there."), QStorageInfo(folder.path()).isValid());
    EXPECT_EQ(remark(ModelFormat::gguf, there), "ok: There is such a file; it will be replaced.");
    EXPECT_EQ(remark(ModelFormat::gguf, " "), "no: Choose a place.");
    EXPECT_EQ(remark(ModelFormat::gguf, folder.filePath("no/new.gguf")),
              "no: The folder " + folder.filePath("no") + " does not exist; choose another.");
    EXPECT_EQ(remark(ModelFormat::safetensors, folder.path()), "no: That folder is not empty; choose a new one.");
    EXPECT_TRUE(remark(ModelFormat::safetensors, there).startsWith("no: There is a file of that name"));
    EXPECT_EQ(remark(ModelFormat::peft, folder.path()),
              "ok: That folder is not empty; an adapter in it will be replaced.");
    QDir(folder.path()).mkdir("folder.gguf");
    EXPECT_TRUE(
        remark(ModelFormat::gguf, folder.filePath("folder.gguf")).startsWith("no: There is a folder of that name"));
}

TEST_F(ModelExportTest, AllWeightsAreNoAdapter) {
    ExportModelDialog& dialog = ask(true);
    EXPECT_TRUE(dialog.export_button().isEnabled());
    dialog.choose(ModelFormat::peft);
    EXPECT_FALSE(dialog.export_button().isEnabled());
    EXPECT_TRUE(dialog.remark().contains("no adapter")) << dialog.remark().toStdString();
    EXPECT_EQ(dialog.export_button().toolTip(), dialog.remark());
}

TEST_F(ModelExportTest, TellsWhatWasWritten) {
    stage.open_with_pair();
    stage.tell(ModelExported{"/data/mine.gguf", {"q4_1", 272, 98 << 20, {"the token matrix is Q8_0"}}});
    EXPECT_EQ(notice().text(), "mine.gguf written: 272 tensors as Q4_1, 98 MB. Note: the token matrix is Q8_0.");
    stage.tell(ModelExported{"/data/mine", {"", 420, 3 << 20, {}}});
    EXPECT_EQ(notice().text(), "mine written: an adapter of 420 tensors, 3 MB.");
    stage.tell(CommandFailed{"export", "export: /data/mine: no room; make some"});
    EXPECT_EQ(notice().text(), "export: /data/mine: no room; make some");
}

TEST_F(ModelExportTest, ShowsItsProgressAndStops) {
    stage.open_with_pair();
    Snapshot snapshot;
    snapshot.activity = Activity::exchanging;
    snapshot.text = "Writing mine.gguf";
    snapshot.progress = 0.5;
    stage.bridge.show(snapshot);
    EXPECT_EQ(window->status_row().text(), "Writing mine.gguf");
    QPushButton* stop = button(window->status_row(), "Stop what runs");
    ASSERT_NE(stop, nullptr);
    QTest::mouseClick(stop, Qt::LeftButton);
    EXPECT_EQ(stage.stops, 1);
    stage.tell(JobEnded{"Writing mine.gguf", JobEnd::stopped, ""});
    EXPECT_EQ(window->status_row().text(), "Export stopped; nothing was written");
    EXPECT_FALSE(notice().isVisible());
}

class ModelFolders : public MainWindowTest {
  protected:
    ModelFolders() {
        QDir(folder.path()).mkdir("hub");
        config = write("hub/config.json", "{}");
        weights = write("hub/model.safetensors", "x");
    }
    /// What the open dialog's filter shows.
    QFileDialog* dialog() {
        auto* found = window->findChild<QFileDialog*>();
        EXPECT_NE(found, nullptr);
        return found;
    }
    QString config, weights;
};

TEST_F(ModelFolders, AreMeantByAFileInThem) {
    EXPECT_EQ(model_of(config), folder.filePath("hub"));
    EXPECT_EQ(model_of(weights), folder.filePath("hub"));
    EXPECT_EQ(model_of(folder.filePath("hub")), folder.filePath("hub"));
    const QString alone = write("model.safetensors", "x"), gguf = write("hub/m.gguf", "x");
    EXPECT_EQ(model_of(alone), alone);
    EXPECT_EQ(model_of(gguf), gguf);
}

TEST_F(ModelFolders, AreOpenedFromTheDialogs) {
    window->actions().open->trigger();
    QFileDialog* open = dialog();
    EXPECT_TRUE(open->nameFilters().front().contains("*.plumb *.gguf config.json *.safetensors"));
    Q_EMIT open->fileSelected(config);
    delete open;
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].model, folder.filePath("hub").toStdString());
    stage.tell(CommandFailed{"new session", "open model: no"});
    QTest::keyClick(window.get(), Qt::Key_O, Qt::ControlModifier | Qt::ShiftModifier);
    QFileDialog* folders = dialog();
    EXPECT_EQ(folders->fileMode(), QFileDialog::Directory);
    Q_EMIT folders->fileSelected(folder.filePath("hub"));
    EXPECT_EQ(stage.posted_of<NewSession>().size(), 2u);
}

TEST_F(ModelFolders, AMovedModelMayBeOne) {
    window->open_path("/home/ann/refund.plumb");
    stage.tell(CommandFailed{"open project", "open project: its model /m is missing; put it back or locate it"});
    for (QPushButton* way : window->start_screen().notice().findChildren<QPushButton*>()) {
        if (way->text() == "Locate model…") {
            QTest::mouseClick(way, Qt::LeftButton);
        }
    }
    Q_EMIT dialog()->fileSelected(weights);
    ASSERT_EQ(stage.posted_of<OpenSession>().size(), 2u);
    EXPECT_EQ(stage.posted_of<OpenSession>()[1].model_path, folder.filePath("hub").toStdString());
}

}  // namespace
}  // namespace plumbline::ui
