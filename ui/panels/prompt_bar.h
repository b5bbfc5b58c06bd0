#pragma once
// The prompt on the screen: choose one, type one, walk through the queue.

#include <QWidget>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

class QComboBox;
class QProgressBar;
class QToolButton;

namespace plumbline::ui {

class Label;

/// Posts GoToPrompt and AddPrompts. Bridge, state and theme must outlive it.
class PromptBar : public QWidget {
    Q_OBJECT
  public:
    PromptBar(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    QComboBox* line() const { return line_; }
    QToolButton* previous() const { return previous_; }
    QToolButton* next() const { return next_; }
    void step(int by);  // to an earlier or later prompt of the queue

  protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

  private:
    void show_prompts();
    void entered();
    void go_to(std::int64_t prompt_id);

    EngineBridge& bridge_;
    SessionState& state_;
    QComboBox* line_;
    QToolButton* previous_;
    QToolButton* next_;
    Label* place_;
    QProgressBar* progress_;
    std::vector<std::int64_t> listed_;  // prompt ids in the combo's order
    std::int64_t asked_ = 0;            // gone to, not yet on the screen
};

}  // namespace plumbline::ui
