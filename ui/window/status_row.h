#pragma once
// The status bar: what runs, how fast, on what; and that the work is saved.

#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"

class QProgressBar;
class QPushButton;

namespace plumbline::ui {

class Actions;
class KeyButton;
class Label;

/// 28 px high. Everything handed in must outlive it.
class StatusRow : public Surface {
    Q_OBJECT
  public:
    StatusRow(EngineBridge& bridge, SessionState& state, const Theme& theme, Actions& actions,
              QWidget* parent = nullptr);

    QString text() const;
    QString saved_text() const;
    /// What a press of the sign says: the session's dialogues are plain text; empty: it is not there.
    QString plain_text_note() const;
    /// A short word on something done, for a few seconds.
    void say(const QString& words);

  private:
    void show_snapshot();
    void show_template();

    EngineBridge& bridge_;
    SessionState& state_;
    Actions& actions_;
    QWidget* dot_;
    Label* text_;
    QProgressBar* bar_;
    Label* rate_;
    QPushButton* stop_;
    KeyButton* plain_text_;
    Label* device_;
    Label* memory_;
    Label* saved_;
    QString said_;
};

}  // namespace plumbline::ui
