#pragma once
// The catalogue of models and the two dialogs that work with it.

#include <QObject>
#include <QPointer>

#include "ui/bridge/engine_bridge.h"
#include "ui/bridge/model_catalog.h"
#include "ui/theme/theme.h"
#include "ui/window/models_dialog.h"

namespace plumbline::ui {

/// Bridge, theme and window must outlive it.
class ModelDialogs : public QObject {
    Q_OBJECT
  public:
    ModelDialogs(EngineBridge& bridge, const Theme& theme, QWidget& window);

    ModelCatalog& catalog() { return catalog_; }
    /// With a model chosen beforehand, by its name; empty: the first one.
    void ask_new_session(const QString& model);
    void show_catalogue(const QString& chosen);

  Q_SIGNALS:
    void failed(const QString& message);  // where no dialog says it

  private:
    void added(const QStringList& names);
    void show_folder(const QString& path);

    EngineBridge& bridge_;
    const Theme& theme_;
    QWidget& window_;
    ModelCatalog catalog_;
    QPointer<ModelsDialog> dialog_;
};

}  // namespace plumbline::ui
