#pragma once
// The work area: a prompt, two replies, and the answer which is better.

#include <QWidget>
#include <array>
#include <chrono>

#include "ui/bridge/session_state.h"
#include "ui/controls/surface.h"
#include "ui/theme/theme.h"

class QAction;
class QComboBox;

namespace plumbline::ui {

class CandidateCard;
class KeyButton;
class Notice;
class PromptBar;
class SamplingSettings;
class VerdictStrip;

/// Its actions (votes, skip, undo, again) carry the keys and are also the menu's. Bridge, state and theme
/// must outlive it.
class ComparePanel : public Surface {
    Q_OBJECT
  public:
    ComparePanel(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    /// In the menu's order: A, B, tie, skip, again, previous, next, undo.
    QList<QAction*> actions_for_menu() const;
    QAction* undo_action() const { return undo_; }

    CandidateCard& card_a() const { return *cards_[0]; }
    CandidateCard& card_b() const { return *cards_[1]; }
    KeyButton& tie_button() const { return *tie_button_; }
    KeyButton& skip_button() const { return *skip_button_; }
    KeyButton& undo_button() const { return *undo_button_; }
    VerdictStrip& strip() const { return *strip_; }
    Notice& notice() const { return *notice_; }
    PromptBar& prompt_bar() const { return *prompt_bar_; }
    SamplingSettings& settings() const { return *settings_; }
    void focus_cards();

  Q_SIGNALS:
    void log_wanted();

  private:
    void build(const Theme& theme);
    void build_actions();
    void vote(Choice choice);
    void undo();
    void refresh();  // enabled states and greys, after any change of phase
    void show_pair();
    void stream_started(const SamplingStarted& started);
    void streamed(const TokensStreamed& streamed);
    void failed(const QString& message, bool can_retry);
    void set_pair_choice(PairChoice choice);

    EngineBridge& bridge_;
    SessionState& state_;
    PromptBar* prompt_bar_;
    SamplingSettings* settings_;
    QWidget* card_area_;
    std::array<CandidateCard*, 2> cards_{};
    QComboBox* shown_;
    KeyButton* tie_button_;
    KeyButton* skip_button_;
    KeyButton* undo_button_;
    VerdictStrip* strip_;
    Notice* notice_;
    QAction* left_ = nullptr;
    QAction* right_ = nullptr;
    QAction* tie_ = nullptr;
    QAction* skip_ = nullptr;
    QAction* again_ = nullptr;
    QAction* previous_ = nullptr;
    QAction* next_ = nullptr;
    QAction* undo_ = nullptr;
    std::chrono::steady_clock::time_point stream_start_;
    std::optional<Command> last_asked_;  // for Retry
    std::int64_t shown_pair_ = 0;
};

}  // namespace plumbline::ui
