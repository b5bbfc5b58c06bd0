#pragma once
// What can be asked of the window, apart from the panels' own actions: names, keys, and when they are
// available.

#include <QList>
#include <QObject>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

class QAction;

namespace plumbline::ui {

/// Posts what needs no dialog. Bridge, state and theme must outlive it.
class Actions : public QObject {
    Q_OBJECT
  public:
    Actions(EngineBridge& bridge, SessionState& state, Theme& theme, QObject* parent = nullptr);

    QAction* new_session;
    QAction* open;
    QAction* models;
    QAction* open_folder;
    QAction* chat_template;
    QAction* prompts_from_file;
    QAction* save_copy;
    QAction* close_session;
    QAction* quit;
    QAction* pause;
    QAction* stop;
    /// One an algorithm, in the order of algorithms(); the one of the session is checked.
    QList<QAction*> algorithms;
    QAction* find_command;
    QAction* dark;
    QAction* about;
    QAction* keys;

    /// Why training settings cannot be changed now; empty: they can.
    QString training_locked() const;
    bool busy() const { return busy_; }

  Q_SIGNALS:
    void busy_changed();

  private:
    void refresh();
    void make_algorithms();
    void set_algorithm(Algorithm algorithm);
    QAction* make(const QString& text, const QKeySequence& key, const QString& tip);

    EngineBridge& bridge_;
    SessionState& state_;
    Theme& theme_;
    bool busy_ = false;
};

}  // namespace plumbline::ui
