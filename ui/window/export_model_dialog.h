#pragma once
// The choices of an export of the policy: form, weights, place.

#include <QDialog>

#include "core/api/commands.h"
#include "core/api/events.h"
#include "ui/theme/theme.h"

class QComboBox;
class QLineEdit;
class QPushButton;

namespace plumbline::ui {

class Label;
class Segmented;

/// Says in place what is wrong, and what would be replaced; `wanted` comes only for what can be tried. The theme must
/// outlive it.
class ExportModelDialog : public QDialog {
    Q_OBJECT
  public:
    /// `name`: of the file or folder, without ending. `trains_all`: every weight of the model trains, so that there is
    /// no adapter.
    ExportModelDialog(const Theme& theme, const ModelInfo& model, const QString& name, bool trains_all,
                      QWidget* parent);

    void choose(ModelFormat format);
    QComboBox& type() const { return *type_; }
    QLineEdit& place() const { return *place_; }
    QPushButton& export_button() const { return *export_; }
    QString about() const;    // of the form
    QString remark() const;   // on the place

  Q_SIGNALS:
    void wanted(const plumbline::ExportModel& command);

  private:
    void check();
    void browse();
    QString path() const;
    QString usual_place() const;

    const ModelInfo model_;
    const QString name_;
    const bool trains_all_;
    ModelFormat format_ = ModelFormat::gguf;
    bool place_is_usual_ = true;
    Segmented* formats_;
    Label* about_;
    Label* type_word_;
    QComboBox* type_;
    QLineEdit* place_;
    Label* remark_;
    QPushButton* export_;
};

}  // namespace plumbline::ui
