#pragma once
// A chat template, and what it makes of a dialogue while one writes it.

#include <QDialog>
#include <QTimer>

#include "ui/bridge/template_reader.h"
#include "ui/theme/theme.h"

class QPlainTextEdit;
class QPushButton;

namespace plumbline::ui {

class CodeEdit;
class Label;

enum class TemplateUse { edit, look };

/// The theme must outlive it.
class ChatTemplateDialog : public QDialog {
    Q_OBJECT
  public:
    /// `jinja` empty: the model's own. `instructions` stand before the question of the example.
    ChatTemplateDialog(const Theme& theme, TemplateUse use, const QString& model_title, const ModelTemplate& model,
                       const QString& jinja, const QString& instructions, QWidget* parent);

    CodeEdit& editor() const { return *editor_; }
    QPlainTextEdit& preview() const { return *preview_; }
    QPushButton& ok_button() const { return *ok_; }
    QPushButton& reset_button() const { return *reset_; }
    QPushButton& load_button() const { return *load_; }
    QString state() const;     // what the template is, or what is wrong with it
    /// The text, or nothing where it is the model's own.
    QString jinja() const;
    void load(const QString& file);

  Q_SIGNALS:
    void chosen(const QString& jinja);   // empty: the model's own

  private:
    QWidget* build_panes();
    QWidget* build_foot();
    void ask();
    void show_written(const WrittenDialogue& dialogue);
    void show_preview();
    void show_state(const QString& text, Tone tone);
    bool is_own() const;

    const Theme& theme_;
    const TemplateUse use_;
    const ModelTemplate model_;
    const std::vector<Message> example_;
    TemplateReader reader_;
    QTimer pause_;               // of the typing
    QString own_;                // the model's own text, as the editor has it
    std::string shown_;          // in the preview: of the last text that worked
    bool outdated_ = false;      // for the text that stands there now does not
    CodeEdit* editor_;
    QPlainTextEdit* preview_;
    Label* mark_;
    Label* state_;
    QPushButton* reset_ = nullptr;
    QPushButton* load_ = nullptr;
    QPushButton* ok_ = nullptr;
};

}  // namespace plumbline::ui
