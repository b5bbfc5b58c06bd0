#pragma once
// Sessions, models and prompts that lie in files: what is asked for, and what is made of it.

#include <QObject>
#include <QString>

#include "ui/bridge/session_state.h"
#include "ui/controls/notice.h"

class QWidget;

namespace plumbline::ui {

class StatusRow;

/// All of it must outlive this, `window` owns it.
class SessionFiles : public QObject {
    Q_OBJECT
  public:
    SessionFiles(EngineBridge& bridge, SessionState& state, StatusRow& status, QWidget& window);

    void open_path(const QString& path);            // .plumb, or a model
    void start_model(const QString& name_or_path);  // a new session with the usual settings
    void add_prompts(const QString& path);

    void ask_open();
    void ask_model_folder();
    void ask_prompts();
    void ask_copy();

  Q_SIGNALS:
    void failed(const QString& message);
    /// No session is open now, and why; with what can be done.
    void opening_failed(const QString& message, const std::vector<plumbline::ui::Notice::Way>& ways);

  private:
    void tell_failure(const QString& message);
    void locate_model();

    EngineBridge& bridge_;
    SessionState& state_;
    StatusRow& status_;
    QWidget& window_;
};

}  // namespace plumbline::ui
