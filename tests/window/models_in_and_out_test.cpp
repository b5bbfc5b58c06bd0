// What a person brings to the window and takes from it, with the real engine: a chat template of one's own, and the
// policy as files that open again.

#include <QAction>
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>

#include "core/api/offline.h"
#include "tests/window/engine_stage.h"
#include "ui/controls/code_edit.h"
#include "ui/controls/key_button.h"
#include "ui/controls/notice.h"
#include "ui/panels/candidate_card.h"
#include "ui/panels/compare_panel.h"
#include "ui/window/chat_template_dialog.h"
#include "ui/window/export_model_dialog.h"
#include "ui/window/model_dialogs.h"
#include "ui/window/model_export.h"
#include "ui/window/new_session_dialog.h"
#include "ui/window/start_screen.h"
#include "ui/window/status_row.h"
#include "ui/window/template_choice.h"

namespace plumbline::ui {
namespace {

namespace fs = std::filesystem;

class ModelsInAndOut : public EngineWindowTest {
  protected:
    /// Fills in the dialog of the menu's entry; the file or folder that is written.
    fs::path write(ModelFormat format, const std::string& type, const std::string& name) {
        window->findChild<ModelExport*>()->action->trigger();
        auto* dialog = window->findChild<ExportModelDialog*>();
        dialog->choose(format);
        dialog->type().setCurrentIndex(dialog->type().findData(QString::fromStdString(type)));
        const fs::path path = folder / name;
        dialog->place().setText(QString::fromStdString(path.string()));
        QTest::mouseClick(&dialog->export_button(), Qt::LeftButton);
        Notice& notice = window->compare().notice();
        EXPECT_TRUE(until([&] { return notice.text().startsWith(QString::fromStdString(name + " written")); }))
            << failure << notice.text().toStdString();
        return path;
    }
    /// Log-probability of a reply to plain text.
    double score(const fs::path& scored, const fs::path& adapter = {}) const {
        EngineOptions options;
        options.threads = 1;
        options.device = "cpu";
        const std::vector<ScoreRequest> reply = {{std::string("Why?"), std::string(" So")}};
        return logprobs(scored.string(), adapter.string(), reply, options, {})[0].sum;
    }
};

TEST_F(ModelsInAndOut, WhatIsWrittenOpensAgainAndHasLearned) {
    SessionConfig config;
    config.lora.weights = Weights::lora;
    start(folder / "out.plumb", config);
    QTest::mouseClick(window->compare().card_a().button(), Qt::LeftButton);
    ASSERT_TRUE(until([&] { return clicks_done == 1; })) << failure;
    ASSERT_TRUE(reaches(Phase::choosing));
    const fs::path gguf = write(ModelFormat::gguf, "f32", "out.gguf");
    const fs::path merged = write(ModelFormat::safetensors, "f32", "merged");
    const fs::path adapter = write(ModelFormat::peft, "", "adapter");
    const fs::path small = write(ModelFormat::gguf, "q8_0", "small.gguf");
    EXPECT_EQ(inspect_model(gguf.string(), "f32").file_dtype, "F32");
    EXPECT_EQ(inspect_model(merged.string(), "f32").parameters, inspect_model(model.string(), "f32").parameters);
    EXPECT_EQ(inspect_model(small.string(), "f32").file_dtype, "Q8_0");
    const double learned = score(gguf);
    EXPECT_GT(std::abs(learned - score(model)), 1e-5);
    EXPECT_NEAR(score(merged), learned, 1e-4);
    EXPECT_NEAR(score(model, adapter), learned, 1e-4);

    bridge->post(CloseSession{});
    ASSERT_TRUE(reaches(Phase::closed));
    window->start_model(QString::fromStdString(merged.string()));
    ASSERT_TRUE(reaches(Phase::choosing)) << failure;
}

TEST_F(ModelsInAndOut, AFailureIsToldAndLeavesTheSession) {
    start(folder / "out.plumb");
    bridge->post(ExportModel{ModelFormat::gguf, "", model.string()});
    Notice& notice = window->compare().notice();
    ASSERT_TRUE(until([&] { return notice.text().contains("is the model that the policy stands on"); })) << failure;
    EXPECT_EQ(window->state().phase(), Phase::choosing);
}

TEST_F(ModelsInAndOut, ATemplateOfOnesOwnIsTheSessions) {
    window->models().ask_new_session(QString::fromStdString(model.string()));
    auto* dialog = window->findChild<NewSessionDialog*>();
    ASSERT_NE(dialog, nullptr);
    ASSERT_TRUE(until([&] { return dialog->chat_template().edit_button().isEnabled(); }));
    QTest::mouseClick(&dialog->chat_template().edit_button(), Qt::LeftButton);
    auto* editor = dialog->findChild<ChatTemplateDialog*>();
    ASSERT_NE(editor, nullptr);
    const std::string own =
        "{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\n' }}{% endfor %}{{ 'assistant:' }}";
    editor->editor().setPlainText(QString::fromStdString(own));
    ASSERT_TRUE(until([&] { return editor->ok_button().isEnabled(); }));
    QTest::mouseClick(&editor->ok_button(), Qt::LeftButton);
    QTest::mouseClick(&dialog->start_button(), Qt::LeftButton);
    ASSERT_TRUE(reaches(Phase::choosing)) << failure;
    EXPECT_EQ(window->state().config().chat_template, own);
    EXPECT_EQ(window->state().model().chat_template, "turns");
    EXPECT_EQ(window->status_row().plain_text_note(), "");
}

}  // namespace
}  // namespace plumbline::ui
