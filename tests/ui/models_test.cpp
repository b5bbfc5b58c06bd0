// The catalogue of models in the window: what it shows, how the keyboard and dropped files reach it.

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QAction>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QDir>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>

#include "tests/support/tiny_model.h"
#include "tests/ui/window_stage.h"
#include "ui/controls/memory_gauge.h"
#include "ui/controls/notice.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/actions.h"
#include "ui/window/model_details.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/model_rows.h"
#include "ui/window/new_session_dialog.h"
#include "ui/window/start_screen.h"

namespace plumbline::ui {
namespace {

namespace fs = std::filesystem;

/// A data folder of the test's own, there before the window looks into it.
class OwnData {
  protected:
    OwnData() {
        qputenv("PLUMBLINE_DATA_DIR", QFile::encodeName(data.path()));
        fs::create_directories(models());
        testing::tiny_model(5).write(models() / "Mine.gguf");
        QFile broken(data.filePath("models/Broken.gguf"));
        EXPECT_TRUE(broken.open(QIODevice::WriteOnly));
        broken.write("not a model");
    }
    ~OwnData() { qunsetenv("PLUMBLINE_DATA_DIR"); }
    fs::path models() const { return fs::path(data.path().toStdString()) / "models"; }

    QTemporaryDir data;
};

class Models : private OwnData, public MainWindowTest {
  protected:
    Models() { EXPECT_TRUE(settled()); }

    using OwnData::data;
    using OwnData::models;

    bool settled() {
        return QTest::qWaitFor([&] { return !catalog().busy(); });
    }
    ModelCatalog& catalog() { return window->models().catalog(); }

    ModelsDialog* open_catalogue() {
        QTest::keyClick(window.get(), Qt::Key_M, Qt::ControlModifier);
        auto* dialog = window->findChild<ModelsDialog*>();
        EXPECT_NE(dialog, nullptr) << "Ctrl+M opens it";
        EXPECT_TRUE(dialog && settled() && QTest::qWaitForWindowActive(dialog));
        return dialog;
    }
    /// What the list shows, headings with a colon.
    static QStringList rows(const ModelsDialog& dialog) {
        QStringList out;
        const QAbstractItemModel& model = *dialog.list().model();
        for (int row = 0; row < model.rowCount(); ++row) {
            const QModelIndex index = model.index(row, 0);
            out.append(index.data().toString() +
                       (index.data(ModelRows::heading_role).toBool() ? QStringLiteral(":") : QString()));
        }
        return out;
    }
    /// Drops files on a dialog; false: they were refused.
    static bool drop_on(QWidget& widget, const QStringList& paths) {
        QMimeData mime;
        QList<QUrl> urls;
        for (const QString& path : paths) {
            urls.append(QUrl::fromLocalFile(path));
        }
        mime.setUrls(urls);
        QDragEnterEvent enter(QPoint(90, 90), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        enter.ignore();
        QApplication::sendEvent(&widget, &enter);
        if (!enter.isAccepted()) {
            return false;
        }
        QDropEvent drop(QPointF(90, 90), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&widget, &drop);
        return true;
    }
    QString tiny(const QString& name) {
        const fs::path path = fs::path(folder.path().toStdString()) / name.toStdString();
        testing::tiny_model(7).write(path);
        return QString::fromStdString(path.string());
    }
    NewSessionDialog* new_session() {
        NewSessionDialog* dialog = nullptr;
        EXPECT_TRUE(QTest::qWaitFor([&] { return (dialog = window->findChild<NewSessionDialog*>()) != nullptr; }));
        return dialog;
    }
};

TEST_F(Models, TheStartScreenShowsWhatIsHere) {
    EXPECT_NE(button(window->start_screen(), "Open Mine"), nullptr);
    EXPECT_NE(button(window->start_screen(), "Open Courtesy (tiny, bundled)"), nullptr);
    EXPECT_EQ(button(window->start_screen(), "Open Broken"), nullptr);
    EXPECT_EQ(button(window->start_screen(), "Open Qwen3 0.6B"), nullptr);
    for (QPushButton* link : window->start_screen().findChildren<QPushButton*>()) {
        if (link->text() == "All models…") {
            QTest::mouseClick(link, Qt::LeftButton);
        }
    }
    EXPECT_NE(window->findChild<ModelsDialog*>(), nullptr);
}

TEST_F(Models, ListsThemUnderHeadings) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    QAbstractItemModelTester tester(dialog->list().model());
    const QStringList shown = rows(*dialog);
    ASSERT_GE(shown.size(), 8);
    EXPECT_EQ(shown.mid(0, 6), QStringList({"On this computer:", "SmolLM2 135M Instruct", "Courtesy (tiny, bundled)",
                                            "Broken", "Mine", "To fetch by hand:"}));
    EXPECT_EQ(dialog->count(), "2 models ready to use");
    EXPECT_TRUE(dialog->search().hasFocus());
    EXPECT_EQ(dialog->details().name(), "smollm2-135m-instruct") << "the first one is shown";
}

TEST_F(Models, TheKeyboardReachesAll) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    QTest::keyClicks(&dialog->search(), "qwen apache");
    EXPECT_EQ(rows(*dialog), QStringList({"To fetch by hand:", "Qwen2.5 0.5B Instruct", "Qwen3 0.6B"}));
    EXPECT_EQ(dialog->details().name(), "qwen2.5-0.5b-instruct");
    QTest::keyClick(&dialog->search(), Qt::Key_Down);
    EXPECT_EQ(dialog->details().name(), "qwen3-0.6b");
    QTest::keyClick(&dialog->search(), Qt::Key_Up);
    QTest::keyClick(&dialog->search(), Qt::Key_Up);  // not onto the heading
    EXPECT_EQ(dialog->details().name(), "qwen2.5-0.5b-instruct");
    QTest::keyClick(&dialog->search(), Qt::Key_Return);
    const QString copied = QApplication::clipboard()->text();
    EXPECT_TRUE(copied.contains("Qwen/Qwen2.5-0.5B-Instruct")) << copied.toStdString();
    EXPECT_TRUE(copied.contains(data.filePath("models/Qwen2.5-0.5B-Instruct"))) << copied.toStdString();
    EXPECT_EQ(dialog->details().act_button().text(), "Copied");

    QTest::keyClick(&dialog->search(), Qt::Key_Escape);  // clears the search first
    EXPECT_TRUE(dialog->isVisible());
    EXPECT_EQ(dialog->details().name(), "qwen2.5-0.5b-instruct") << "what was chosen stays";
    QTest::keyClicks(&dialog->search(), "mine");
    QTest::keyClick(&dialog->search(), Qt::Key_Return);
    EXPECT_FALSE(dialog->isVisible());
    NewSessionDialog* next = new_session();
    ASSERT_NE(next, nullptr);
    EXPECT_EQ(next->model().currentData().toString(), "mine");
    EXPECT_TRUE(next->need().contains("of memory")) << next->need().toStdString();
    QTest::mouseClick(&next->start_button(), Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].model, "mine");
}

TEST_F(Models, EscapeClosesAndTabGoesRound) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    QTest::keyClick(dialog, Qt::Key_Tab);
    EXPECT_TRUE(dialog->list().hasFocus());
    QTest::keyClick(&dialog->list(), Qt::Key_Down);
    EXPECT_EQ(dialog->details().name(), "courtesy");
    QTest::keyClick(dialog, Qt::Key_Tab);
    EXPECT_TRUE(dialog->details().act_button().hasFocus());
    QTest::keyClick(dialog, Qt::Key_F, Qt::ControlModifier);
    EXPECT_TRUE(dialog->search().hasFocus());
    QTest::keyClick(dialog, Qt::Key_Escape);
    EXPECT_FALSE(dialog->isVisible());
}

TEST_F(Models, ADamagedFileSaysWhatIsWrong) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    dialog->select("broken");
    EXPECT_TRUE(dialog->details().problem().contains("Broken.gguf")) << dialog->details().problem().toStdString();
    EXPECT_FALSE(dialog->details().act_button().isEnabled());
    EXPECT_FALSE(dialog->details().act_button().toolTip().isEmpty());
    EXPECT_EQ(dialog->list().currentIndex().data(ModelRows::state_role), "cannot be opened");
    QTest::keyClick(&dialog->search(), Qt::Key_Return);
    EXPECT_TRUE(dialog->isVisible()) << "there is nothing to begin with it";
    dialog->select("mine");
    EXPECT_EQ(dialog->details().problem(), "");
    EXPECT_TRUE(dialog->details().text().contains("llama"));
    EXPECT_TRUE(dialog->details().text().contains("fits"));
}

TEST_F(Models, ASearchWithoutAnAnswerSaysSo) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    QTest::keyClicks(&dialog->search(), "no such model");
    EXPECT_EQ(rows(*dialog), QStringList());
    EXPECT_EQ(dialog->details().name(), "");
    EXPECT_TRUE(dialog->details().text().contains("No model has all of these words."));
    QTest::keyClick(&dialog->search(), Qt::Key_Return);
    EXPECT_TRUE(dialog->isVisible());
}

TEST_F(Models, ADroppedModelBeginsASession) {
    const QString path = tiny("Theirs.gguf");
    EXPECT_TRUE(drop(path));
    NewSessionDialog* dialog = new_session();
    ASSERT_NE(dialog, nullptr);
    EXPECT_EQ(dialog->model().currentData().toString(), "theirs");
    EXPECT_TRUE(stage.posted_of<NewSession>().empty()) << "not before Start";
    EXPECT_TRUE(QFile::exists(data.filePath("models.json")));
    const CatalogModel* listed = catalog().find("theirs");
    ASSERT_NE(listed, nullptr);
    EXPECT_EQ(listed->source, ModelSource::own);
    EXPECT_EQ(listed->path.string(), path.toStdString());
}

TEST_F(Models, ADroppedFolderIsAModelTooAndADamagedOneIsNone) {
    EXPECT_FALSE(drop(folder.path())) << "without config.json";
    QDir(folder.path()).mkdir("hub");
    const QString config = write("hub/config.json", "{\"model_type\": \"qwen2\"}");
    EXPECT_FALSE(drop(config));
    EXPECT_TRUE(drop(folder.filePath("hub")));
    ASSERT_TRUE(settled());
    Notice& notice = window->start_screen().notice();
    EXPECT_TRUE(notice.isVisible());
    EXPECT_TRUE(notice.text().contains("hub")) << notice.text().toStdString();
    EXPECT_EQ(window->findChild<NewSessionDialog*>(), nullptr);
    EXPECT_FALSE(QFile::exists(data.filePath("models.json")));

    stage.open_with_pair();
    EXPECT_TRUE(drop(write("cut.gguf", "GGUF")));
    ASSERT_TRUE(settled());
    EXPECT_TRUE(window->compare().notice().text().contains("cut.gguf"));
}

TEST_F(Models, SeveralAtOnceAreListed) {
    EXPECT_TRUE(drop_on(*window, {tiny("a.gguf"), tiny("b.gguf")}));
    ASSERT_TRUE(settled());
    auto* dialog = window->findChild<ModelsDialog*>();
    ASSERT_NE(dialog, nullptr);
    ASSERT_TRUE(settled());
    EXPECT_EQ(dialog->details().name(), "a");
    EXPECT_TRUE(rows(*dialog).contains("Added from elsewhere:"));
    ASSERT_TRUE(drop_on(*dialog, {tiny("c.gguf")}));
    ASSERT_TRUE(settled());
    EXPECT_EQ(dialog->details().name(), "c");
    EXPECT_EQ(window->findChild<NewSessionDialog*>(), nullptr) << "it is looked at first";
    EXPECT_FALSE(drop_on(*dialog, {write("notes.txt", "no model")}));
    ASSERT_TRUE(drop_on(*dialog, {write("cut.gguf", "GGUF")}));
    ASSERT_TRUE(settled());
    EXPECT_TRUE(dialog->notice().isVisible());
    EXPECT_TRUE(dialog->notice().text().contains("cut.gguf"));
}

TEST_F(Models, DeleteTakesAnOwnModelOffTheListAlone) {
    const QString path = tiny("Theirs.gguf");
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    ASSERT_TRUE(drop_on(*dialog, {path}));
    ASSERT_TRUE(settled());
    ASSERT_EQ(dialog->details().name(), "theirs");
    QFile::rename(path, path + ".away");
    QTest::keyClick(dialog, Qt::Key_F5);
    ASSERT_TRUE(settled());
    EXPECT_EQ(dialog->details().problem(), path + " is missing; put it back, or take it off the list");
    EXPECT_EQ(dialog->list().currentIndex().data(ModelRows::state_role), "missing");
    dialog->list().setFocus();
    QTest::keyClick(&dialog->list(), Qt::Key_Delete);
    ASSERT_TRUE(settled());
    EXPECT_EQ(catalog().find("theirs"), nullptr);
    EXPECT_TRUE(QFile::exists(path + ".away"));
    dialog->select("mine");
    EXPECT_FALSE(dialog->details().remove_button().isVisible());
    QTest::keyClick(&dialog->list(), Qt::Key_Delete);
    ASSERT_TRUE(settled());
    EXPECT_NE(catalog().find("mine"), nullptr) << "the models folder is the person's own to tidy";
}

TEST_F(Models, FoldersAreShownWhereTheModelLies) {
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    QObject::disconnect(dialog, &ModelsDialog::folder_wanted, nullptr, nullptr);  // no file manager here
    QStringList wanted;
    QObject::connect(dialog, &ModelsDialog::folder_wanted, [&](const QString& path) { wanted.append(path); });
    dialog->select("mine");
    QTest::mouseClick(&dialog->details().folder_button(), Qt::LeftButton);
    dialog->select("qwen3-0.6b");
    QTest::mouseClick(&dialog->details().folder_button(), Qt::LeftButton);
    EXPECT_EQ(wanted, QStringList({data.filePath("models"), data.filePath("models")}));
}

TEST_F(Models, TheCatalogueFitsASmallWindow) {
    window->resize(1024, 700);
    ModelsDialog* dialog = open_catalogue();
    ASSERT_NE(dialog, nullptr);
    dialog->select("llama-3.2-1b-instruct");
    QTest::qWait(20);
    EXPECT_LE(dialog->width(), 1024);
    EXPECT_LE(dialog->height(), 700);
    for (const QWidget* part : {static_cast<const QWidget*>(&dialog->details().act_button()),
                                static_cast<const QWidget*>(&dialog->details().folder_button()),
                                static_cast<const QWidget*>(&dialog->list())}) {
        EXPECT_TRUE(dialog->rect().contains(QRect(part->mapTo(dialog, QPoint()), part->size())));
    }
}

TEST(FitWords, AreThoseOfTheFit) {
    const std::int64_t gigabyte = std::int64_t{1} << 30;
    const MachineMemory memory{16 * gigabyte, 6 * gigabyte};
    EXPECT_EQ(fit_words(6 * gigabyte, memory), "fits");
    EXPECT_EQ(fit_words(8 * gigabyte, memory), "fits when 2.0 GB more is free");
    EXPECT_EQ(fit_words(17 * gigabyte, memory), "does not fit");
}

}  // namespace
}  // namespace plumbline::ui
