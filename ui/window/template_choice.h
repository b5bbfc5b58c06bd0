#pragma once
// The chat template of a session to be begun: what the model's own is, and a person's in its place.

#include <QHash>
#include <QWidget>
#include <optional>

#include "ui/bridge/template_reader.h"
#include "ui/theme/theme.h"

class QPushButton;

namespace plumbline::ui {

class ChatTemplateDialog;
class Label;

/// What is chosen, in words; whoever lays it out places the button too. Keeps a template of one's own for each model
/// that was chosen. The theme must outlive it.
class TemplateChoice : public QWidget {
    Q_OBJECT
  public:
    explicit TemplateChoice(const Theme& theme, QWidget* parent = nullptr);

    /// By its name, or a file.
    void choose_model(const QString& model, const QString& title);
    /// What stands before the question in the dialog's example.
    void set_instructions(const QString& text) { instructions_ = text; }
    /// Empty: the model's own.
    QString jinja() const { return own_.value(model_); }
    QString text() const;
    QString note() const;
    QPushButton& edit_button() const { return *edit_; }

  private:
    void show_model(const ModelTemplate& read);
    void show_template(const WrittenDialogue& dialogue);
    void ask();
    void edit();

    const Theme& theme_;
    QString model_, title_, instructions_;
    QHash<QString, QString> own_;   // by model
    std::optional<ModelTemplate> read_;
    TemplateReader reader_;
    Label* name_;
    Label* note_;
    QPushButton* edit_;
};

}  // namespace plumbline::ui
