#pragma once
// The catalogue of models, and the dialogs on models.

#include <QObject>
#include <QPointer>

#include "ui/bridge/engine_bridge.h"
#include "ui/bridge/model_catalog.h"
#include "ui/bridge/session_state.h"
#include "ui/bridge/template_reader.h"
#include "ui/theme/theme.h"
#include "ui/window/models_dialog.h"

namespace plumbline::ui {

/// All of it must outlive this, `window` owns it.
class ModelDialogs : public QObject {
    Q_OBJECT
  public:
    ModelDialogs(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget& window);

    ModelCatalog& catalog() { return catalog_; }
    /// With a model chosen beforehand, by its name; empty: the first one.
    void ask_new_session(const QString& model);
    void show_catalogue(const QString& chosen);
    /// Of the session, to be looked at: it is fixed.
    void show_chat_template();

  Q_SIGNALS:
    void failed(const QString& message);  // where no dialog says it

  private:
    void added(const QStringList& names);
    void show_folder(const QString& path);

    EngineBridge& bridge_;
    SessionState& state_;
    const Theme& theme_;
    QWidget& window_;
    ModelCatalog catalog_;
    TemplateReader templates_;
    QPointer<ModelsDialog> dialog_;
};

}  // namespace plumbline::ui
