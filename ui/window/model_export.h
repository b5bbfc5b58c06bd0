#pragma once
// The session's policy as files for elsewhere: the menu's entry, what it asks, and how it went.

#include <QObject>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

class QAction;
class QWidget;

namespace plumbline::ui {

class Notice;
class StatusRow;

/// All of it must outlive this, `window` owns it.
class ModelExport : public QObject {
    Q_OBJECT
  public:
    ModelExport(EngineBridge& bridge, SessionState& state, const Theme& theme, Notice& notice, StatusRow& status,
                QWidget& window);

    QAction* action;

  private:
    void ask();
    void told(const ModelExported& exported);
    void told(const JobEnded& ended);
    void refresh();

    EngineBridge& bridge_;
    SessionState& state_;
    const Theme& theme_;
    Notice& notice_;
    StatusRow& status_;
    QWidget& window_;
};

}  // namespace plumbline::ui
