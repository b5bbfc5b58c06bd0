#pragma once
// The choices of a new session: model, place, prompts, instructions.

#include <QDialog>

#include "core/api/catalog.h"
#include "core/api/commands.h"
#include "ui/theme/theme.h"

class QComboBox;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;

namespace plumbline::ui {

class Label;
class Notice;
class TemplateChoice;

/// Says in place what is wrong; `wanted` comes only for choices that can be carried out. The theme must
/// outlive it.
class NewSessionDialog : public QDialog {
    Q_OBJECT
  public:
    NewSessionDialog(const Theme& theme, const std::vector<CatalogModel>& models, QWidget* parent);

    /// Those that can be opened; what was chosen stays.
    void show_models(const std::vector<CatalogModel>& models);
    /// Chooses a model by its name, or a file that is not in the list.
    void choose_model(const QString& name_or_path);

    QComboBox& model() const { return *model_; }
    QLineEdit& place() const { return *place_; }
    QPlainTextEdit& system_prompt() const { return *system_prompt_; }
    QPushButton& start_button() const { return *start_; }
    void use_prompts_file(const QString& path);
    TemplateChoice& chat_template() const { return *template_; }
    QString problem() const;
    QString need() const;  // of memory, in words

  Q_SIGNALS:
    void wanted(const plumbline::NewSession& session);

  protected:
    bool event(QEvent* event) override;

  private:
    void start();
    void show_usual();
    void show_need(const std::string& model);
    void browse_place();

    Notice* notice_;
    std::vector<CatalogModel> models_;
    QComboBox* model_;
    Label* need_;
    TemplateChoice* template_;
    QLineEdit* place_;
    QPlainTextEdit* system_prompt_;
    QComboBox* prompts_;
    QPushButton* start_;
    QString usual_prompt_;
    std::vector<std::string> file_prompts_;
};

}  // namespace plumbline::ui
