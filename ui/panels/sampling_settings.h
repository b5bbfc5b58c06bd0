#pragma once
// How replies are drawn and shown: the line under the prompt.

#include <QWidget>

#include "ui/bridge/session_state.h"
#include "ui/theme/theme.h"

class QCheckBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace plumbline::ui {

class Chooser;
class KeyButton;

/// Posts ChangeConfig with the one field changed, and what must follow it: no more replies are shown than
/// drawn. Bridge, state and theme must outlive it.
class SamplingSettings : public QWidget {
    Q_OBJECT
  public:
    SamplingSettings(EngineBridge& bridge, SessionState& state, const Theme& theme,
                     QWidget* parent = nullptr);

    QSpinBox* candidates() const { return candidates_; }
    QSpinBox* shown() const { return shown_; }
    Chooser* pair_choice() const { return pair_choice_; }
    QDoubleSpinBox* temperature() const { return temperature_; }
    QSpinBox* max_tokens() const { return max_tokens_; }
    QLineEdit* seed() const { return seed_; }
    QCheckBox* blind() const { return blind_; }
    QCheckBox* shuffle() const { return shuffle_; }
    KeyButton* again() const { return again_; }
    /// In the order of the eye, for the focus order.
    QList<QWidget*> controls() const;

  private:
    void show_config();
    template <class Change>
    void change(Change change);

    EngineBridge& bridge_;
    SessionState& state_;
    QSpinBox* candidates_;
    QSpinBox* shown_;
    Chooser* pair_choice_;
    QDoubleSpinBox* temperature_;
    QSpinBox* max_tokens_;
    QLineEdit* seed_;
    QCheckBox* blind_;
    QCheckBox* shuffle_;
    KeyButton* again_;
    bool showing_ = false;  // values come from the engine, not from the person
};

}  // namespace plumbline::ui
