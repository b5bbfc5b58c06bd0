#pragma once
// The row of tools under the menu.

#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"

class QDoubleSpinBox;
class QSpinBox;
class QToolButton;

namespace plumbline::ui {

class Actions;
class Chooser;
class KeyButton;

/// 48 px high. Gives up words before tools when the window is narrow. Everything handed in must outlive it.
class ToolRow : public Surface {
    Q_OBJECT
  public:
    ToolRow(EngineBridge& bridge, SessionState& state, const Theme& theme, Actions& actions,
            QWidget* parent = nullptr);

    Chooser& algorithm() const { return *algorithm_; }
    QDoubleSpinBox& beta() const { return *beta_; }
    QSpinBox& steps() const { return *steps_; }

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void refresh();
    void set_words(bool shown);

    EngineBridge& bridge_;
    SessionState& state_;
    Actions& actions_;
    KeyButton* new_;
    KeyButton* open_;
    KeyButton* pause_;
    KeyButton* stop_;
    QWidget* algorithm_word_;
    Chooser* algorithm_;
    QDoubleSpinBox* beta_;
    QSpinBox* steps_;
    KeyButton* find_;
    QToolButton* theme_button_;
    bool showing_ = false;
    bool words_ = true;
};

}  // namespace plumbline::ui
