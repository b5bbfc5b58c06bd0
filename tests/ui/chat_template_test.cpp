// The chat template in the window: its note, the dialog in which it is edited, and what becomes of it.

#include <QAction>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QThreadPool>

#include "tests/support/tiny_model.h"
#include "tests/ui/window_stage.h"
#include "ui/controls/code_edit.h"
#include "ui/panels/session_panel.h"
#include "ui/window/actions.h"
#include "ui/window/chat_template_dialog.h"
#include "ui/window/docks.h"
#include "ui/window/model_details.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/new_session_dialog.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"
#include "ui/window/template_choice.h"

namespace plumbline::ui {
namespace {

namespace fs = std::filesystem;

ModelTemplate model_template() {
    return {testing::tiny_chat_template(), "<|im_start|>", "<|im_end|>", "", {"<|im_start|>", "<|im_end|>"}};
}

class ChatTemplateDialogTest : public ::testing::Test {
  protected:
    void open(TemplateUse use = TemplateUse::edit, const ModelTemplate& model = model_template(),
              const QString& jinja = {}) {
        dialog = std::make_unique<ChatTemplateDialog>(stage.theme, use, QStringLiteral("Tiny"), model, jinja,
                                                      QStringLiteral("Be brief."), nullptr);
        dialog->setAttribute(Qt::WA_DeleteOnClose, false);
        QObject::connect(dialog.get(), &ChatTemplateDialog::chosen,
                         [this](const QString& text) { chosen.append(text); });
        show_active(*dialog);
    }
    bool settles(bool usable) {
        return QTest::qWaitFor([&] { return dialog->ok_button().toolTip() != "It is being tried"; }, 5000) &&
               dialog->ok_button().isEnabled() == usable;
    }
    void type(const QString& text) {
        dialog->editor().selectAll();
        const QStringList lines = text.split(QLatin1Char('\n'));
        QTest::keyClicks(&dialog->editor(), lines.front());
        for (const QString& line : lines.mid(1)) {
            QTest::keyClick(&dialog->editor(), Qt::Key_Return);
            QTest::keyClicks(&dialog->editor(), line);
        }
    }

    PanelStage stage;
    std::unique_ptr<ChatTemplateDialog> dialog;
    QStringList chosen;
};

TEST_F(ChatTemplateDialogTest, ShowsWhatTheModelIsGiven) {
    open();
    ASSERT_TRUE(settles(true));
    EXPECT_EQ(dialog->editor().text().toStdString(), testing::tiny_chat_template());
    EXPECT_EQ(dialog->preview().toPlainText(),
              "<|im_start|>system↵\nBe brief.<|im_end|>↵\n<|im_start|>user↵\nWhat is a plumb line?<|im_end|>↵\n"
              "<|im_start|>assistant↵\n");
    const auto background = [&](int position) {
        QTextCursor cursor(dialog->preview().document());
        cursor.setPosition(position + 1);
        return cursor.charFormat().background().color();
    };
    EXPECT_EQ(background(3), stage.theme.color(Tone::up1)) << "within a special token";
    EXPECT_NE(background(14), stage.theme.color(Tone::up1)) << "within 'system'";
    EXPECT_EQ(dialog->state(), "It works. Its form: chatml.");
    EXPECT_FALSE(dialog->reset_button().isEnabled());
    QTest::mouseClick(&dialog->ok_button(), Qt::LeftButton);
    EXPECT_EQ(chosen, QStringList({""})) << "the model's own is no text of one's own";
}

TEST_F(ChatTemplateDialogTest, AnEditIsSeenAndUsed) {
    open();
    ASSERT_TRUE(settles(true));
    const QString own = QStringLiteral("{% for m in messages %}{{ m.role }}:\u00a0{{ m.content }}\n{% endfor %}");
    dialog->editor().setPlainText(own);
    EXPECT_FALSE(dialog->ok_button().isEnabled()) << "until it is tried";
    ASSERT_TRUE(settles(true));
    EXPECT_TRUE(dialog->preview().toPlainText().startsWith("system:")) << dialog->preview().toPlainText().toStdString();
    QTest::keyClick(&dialog->editor(), Qt::Key_Return, Qt::ControlModifier);
    ASSERT_TRUE(QTest::qWaitFor([&] { return !chosen.isEmpty(); })) << "Ctrl+Enter presses the button";
    EXPECT_EQ(chosen, QStringList({own})) << "to the last space";
    EXPECT_FALSE(dialog->isVisible());
}

TEST_F(ChatTemplateDialogTest, ABrokenOneCannotBeUsedAndSaysWhere) {
    open();
    ASSERT_TRUE(settles(true));
    type(QStringLiteral("{{ messages[0].content }}\n{% if x"));
    ASSERT_TRUE(settles(false));
    EXPECT_TRUE(dialog->state().startsWith("This template cannot be used: line 2: ")) << dialog->state().toStdString();
    EXPECT_EQ(dialog->editor().marked_line(), 2);
    EXPECT_FALSE(dialog->ok_button().toolTip().isEmpty());
    QTest::mouseClick(&dialog->ok_button(), Qt::LeftButton);
    EXPECT_TRUE(chosen.isEmpty());
    QTest::mouseClick(&dialog->reset_button(), Qt::LeftButton);
    ASSERT_TRUE(settles(true));
    EXPECT_EQ(dialog->editor().marked_line(), 0);
    EXPECT_EQ(dialog->jinja(), "");
    dialog->editor().undo();
    EXPECT_TRUE(dialog->editor().text().endsWith("{% if x")) << "a reset can be taken back";
    type(QStringLiteral(" "));
    ASSERT_TRUE(settles(false));
    EXPECT_TRUE(dialog->ok_button().toolTip().contains("empty"));
}

TEST_F(ChatTemplateDialogTest, TakesAFile) {
    QTemporaryDir folder;
    const auto write = [&](const QString& name, const QByteArray& bytes) {
        QFile file(folder.filePath(name));
        EXPECT_TRUE(file.open(QIODevice::WriteOnly));
        file.write(bytes);
        return file.fileName();
    };
    open();
    ASSERT_TRUE(settles(true));
    const QString before = dialog->editor().text();
    dialog->load(write("latin.jinja", "caf\xE9 {{ messages }}"));
    EXPECT_TRUE(dialog->state().contains("latin.jinja is not UTF-8 text")) << dialog->state().toStdString();
    dialog->load(folder.filePath("absent.jinja"));
    EXPECT_TRUE(dialog->state().contains("absent.jinja")) << dialog->state().toStdString();
    dialog->load(write("big.jinja", QByteArray(1024 * 1024 + 1, 'a')));
    EXPECT_TRUE(dialog->state().contains("more than 1 MB")) << dialog->state().toStdString();
    EXPECT_EQ(dialog->editor().text(), before);
    dialog->load(write("good.jinja", "{{ messages[-1].content }}"));
    ASSERT_TRUE(settles(true));
    EXPECT_EQ(dialog->preview().toPlainText(), "What is a plumb line?");
}

TEST_F(ChatTemplateDialogTest, AModelsOwnMayBeNoneOrDamaged) {
    ModelTemplate model = model_template();
    model.jinja.clear();
    open(TemplateUse::edit, model);
    ASSERT_TRUE(settles(true));
    EXPECT_TRUE(dialog->state().contains("plain text")) << dialog->state().toStdString();
    model.jinja = "{% for %}";
    open(TemplateUse::edit, model);
    ASSERT_TRUE(settles(true)) << "one may leave it as it is";
    EXPECT_TRUE(dialog->state().contains("line 1") && dialog->state().contains("plain text"))
        << dialog->state().toStdString();
}

TEST_F(ChatTemplateDialogTest, OfASessionIsLookedAt) {
    open(TemplateUse::look, model_template(), QStringLiteral("{{ messages[-1].content }}!"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return dialog->preview().toPlainText() == "What is a plumb line?!"; }));
    EXPECT_TRUE(dialog->editor().isReadOnly());
    QTest::keyClicks(&dialog->editor(), QStringLiteral("x"));
    EXPECT_EQ(dialog->editor().text(), "{{ messages[-1].content }}!");
    QTest::keyClick(dialog.get(), Qt::Key_Escape);
    EXPECT_FALSE(dialog->isVisible());
}

TEST(TemplateReader, MayBeGoneBeforeItsAnswer) {
    QTemporaryDir folder;
    const fs::path model = testing::write_tiny_model(folder.path().toStdString(), 5);
    int answers = 0;
    auto reader = std::make_unique<TemplateReader>();
    QObject::connect(reader.get(), &TemplateReader::read, [&] { ++answers; });
    reader->ask_model(QString::fromStdString(model.string()));
    reader.reset();
    TemplateReader other;
    QObject::connect(&other, &TemplateReader::read, [&] { answers += 10; });
    other.ask_model(QStringLiteral("absent"));
    other.ask_model(QString::fromStdString(model.string()));
    EXPECT_TRUE(QTest::qWaitFor([&] { return answers > 0; }));
    QThreadPool::globalInstance()->waitForDone();
    QTest::qWait(1);
    EXPECT_EQ(answers, 10) << "of the last question alone";
}

/// Two models in the data folder: one with a template, one without.
class TemplateData {
  protected:
    TemplateData() {
        qputenv("PLUMBLINE_DATA_DIR", QFile::encodeName(data.path()));
        const fs::path models = fs::path(data.path().toStdString()) / "models";
        fs::create_directories(models);
        testing::tiny_model(5).write(models / "Chat.gguf");
        std::string bytes = testing::tiny_model(5).bytes();
        const std::string key = "tokenizer.chat_template";
        bytes[bytes.find(key) + key.size() - 1] = 'X';   // the key is no longer there
        testing::write_whole(models / "Plain.gguf", bytes);
    }
    ~TemplateData() { qunsetenv("PLUMBLINE_DATA_DIR"); }
    QTemporaryDir data;
};

const QString no_template = QStringLiteral("The model has no chat template; messages are joined as plain text.");

class ChatTemplateInWindow : private TemplateData, public MainWindowTest {
  protected:
    ChatTemplateInWindow() {
        EXPECT_TRUE(QTest::qWaitFor([&] { return !window->models().catalog().busy(); }));
    }
    NewSessionDialog& new_session(const QString& model) {
        window->models().ask_new_session(model);
        auto* dialog = window->findChild<NewSessionDialog*>();
        EXPECT_TRUE(QTest::qWaitForWindowActive(dialog));
        EXPECT_TRUE(QTest::qWaitFor([&] { return dialog->chat_template().edit_button().isEnabled(); }));
        EXPECT_TRUE(QTest::qWaitFor([&] { return dialog->chat_template().text() != "reading…"; }));
        return *dialog;
    }
    using TemplateData::data;
};

TEST_F(ChatTemplateInWindow, TheStartScreenAndTheCatalogueSayWhoHasNone) {
    QTest::qWait(1);   // rows that were just laid out are shown by the event loop
    int plain = 0;
    for (const QWidget* part : window->start_screen().findChildren<QWidget*>()) {
        plain += part->toolTip() == no_template && part->isVisible();
    }
    EXPECT_EQ(plain, 1);
    window->models().show_catalogue(QStringLiteral("plain"));
    auto* catalogue = window->findChild<ModelsDialog*>();
    ASSERT_TRUE(QTest::qWaitFor([&] { return catalogue->details().text().contains(no_template); }));
    catalogue->select(QStringLiteral("chat"));
    EXPECT_TRUE(catalogue->details().text().contains("chatml")) << catalogue->details().text().toStdString();
}

TEST_F(ChatTemplateInWindow, TheNewSessionSaysSoAndTakesOnesOwn) {
    NewSessionDialog& dialog = new_session(QStringLiteral("plain"));
    EXPECT_EQ(dialog.chat_template().text(), "none: plain text");
    EXPECT_EQ(dialog.chat_template().note(), no_template);
    dialog.choose_model(QStringLiteral("chat"));
    ASSERT_TRUE(QTest::qWaitFor([&] { return dialog.chat_template().text() == "chatml, the model's own"; }));
    EXPECT_EQ(dialog.chat_template().note(), "");

    QTest::mouseClick(&dialog.chat_template().edit_button(), Qt::LeftButton);
    auto* editor = dialog.findChild<ChatTemplateDialog*>();
    ASSERT_NE(editor, nullptr);
    const QString own = QStringLiteral("{% for m in messages %}[{{ m.content }}]{% endfor %}");
    editor->editor().setPlainText(own);
    ASSERT_TRUE(QTest::qWaitFor([&] { return editor->ok_button().isEnabled(); }));
    EXPECT_TRUE(editor->preview().toPlainText().contains("[What is a plumb line?]"));
    QTest::mouseClick(&editor->ok_button(), Qt::LeftButton);
    ASSERT_TRUE(QTest::qWaitFor([&] { return dialog.chat_template().text() == "turns, your own text"; }))
        << dialog.chat_template().text().toStdString();
    dialog.choose_model(QStringLiteral("plain"));
    EXPECT_EQ(dialog.chat_template().jinja(), "") << "it was written for the other model";
    dialog.choose_model(QStringLiteral("chat"));
    QTest::mouseClick(&dialog.start_button(), Qt::LeftButton);
    ASSERT_EQ(stage.posted_of<NewSession>().size(), 1u);
    EXPECT_EQ(stage.posted_of<NewSession>()[0].config.chat_template, own.toStdString());
}

TEST_F(ChatTemplateInWindow, ADamagedModelIsToldInPlace) {
    window->models().ask_new_session(write(QStringLiteral("cut.gguf"), "GGUF"));
    auto* dialog = window->findChild<NewSessionDialog*>();
    ASSERT_TRUE(QTest::qWaitFor([&] { return dialog->chat_template().note().contains("cut.gguf"); }))
        << dialog->chat_template().note().toStdString();
    EXPECT_FALSE(dialog->chat_template().edit_button().isEnabled());
}

TEST_F(ChatTemplateInWindow, ASessionOfPlainTextShowsASign) {
    SessionOpened opened = stage.session();
    opened.model.chat_template = "chatml";
    stage.tell(opened);
    EXPECT_EQ(window->status_row().plain_text_note(), "");
    auto* panel = window->findChild<SessionPanel*>();
    ASSERT_NE(panel, nullptr);
    EXPECT_EQ(panel->template_text(), "Chat template chatml");
    opened.model.chat_template = "none";
    opened.model.chat_template_note = no_template.toStdString();
    stage.tell(opened);
    EXPECT_EQ(window->status_row().plain_text_note(), no_template);
    EXPECT_EQ(panel->template_text(), "Plain text, no chat template");
    stage.tell(SessionClosed{});
    EXPECT_EQ(window->status_row().plain_text_note(), "");
}

TEST_F(ChatTemplateInWindow, ASessionsOwnIsShownByItsKey) {
    EXPECT_FALSE(window->actions().chat_template->isEnabled());
    SessionOpened opened = stage.session();
    opened.model.path = data.filePath("models/Chat.gguf").toStdString();
    opened.config.chat_template = "{{ messages[-1].content }}";
    stage.tell(opened);
    QTest::keyClick(window.get(), Qt::Key_T, Qt::ControlModifier);
    ASSERT_TRUE(QTest::qWaitFor([&] { return window->findChild<ChatTemplateDialog*>() != nullptr; }));
    EXPECT_EQ(window->findChild<ChatTemplateDialog*>()->editor().text(), "{{ messages[-1].content }}");
    EXPECT_TRUE(window->findChild<ChatTemplateDialog*>()->editor().isReadOnly());
}

}  // namespace
}  // namespace plumbline::ui
