#pragma once
// Preferences from files and into files: the menu's entries, what they ask, and how it went.

#include <QObject>
#include <QString>

#include "ui/bridge/session_state.h"

class QAction;
class QMenu;
class QWidget;

namespace plumbline::ui {

class Notice;
class StatusRow;

/// All of it must outlive this, `window` owns it.
class DataExchange : public QObject {
    Q_OBJECT
  public:
    DataExchange(EngineBridge& bridge, SessionState& state, Notice& notice, StatusRow& status, QWidget& window);

    void add_to(QMenu& file);
    QAction* import_preferences;
    /// In the order of DataFormat.
    QList<QAction*> exports;

  private:
    void ask_import();
    void ask_export(DataFormat format);
    void refresh();
    void told(const AnswersImported& imported);
    void told(const DataExported& exported);

    EngineBridge& bridge_;
    SessionState& state_;
    Notice& notice_;
    StatusRow& status_;
    QWidget& window_;
};

}  // namespace plumbline::ui
