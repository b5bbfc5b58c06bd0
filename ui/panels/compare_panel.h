#pragma once
// The work area: a prompt, its replies, and the answer which is better.

#include <QWidget>
#include <array>
#include <optional>
#include <vector>

#include "ui/bridge/session_state.h"
#include "ui/controls/notice.h"
#include "ui/controls/surface.h"
#include "ui/theme/theme.h"

class QAction;

namespace plumbline::ui {

class CandidateCard;
class CandidateGrid;
class KeyButton;
class PromptBar;
class SamplingSettings;
class VerdictRow;
class VerdictStrip;

/// Its actions (votes, skip, undo, again) carry the keys and are also the menu's. Bridge, state and theme
/// must outlive it.
class ComparePanel : public Surface {
    Q_OBJECT
  public:
    ComparePanel(EngineBridge& bridge, SessionState& state, const Theme& theme, QWidget* parent = nullptr);

    /// In the menu's order: A, B …, strengths, tie, bad, ranking, skip, again, previous, next, undo.
    QList<QAction*> actions_for_menu() const;
    QAction* undo_action() const { return undo_; }

    CandidateGrid& cards() const { return *cards_; }
    CandidateCard& card_a() const;
    CandidateCard& card_b() const;
    VerdictRow& verdicts() const { return *verdicts_; }
    KeyButton& tie_button() const;
    KeyButton& skip_button() const;
    KeyButton& undo_button() const;
    VerdictStrip& strip() const { return *strip_; }
    Notice& notice() const { return *notice_; }
    PromptBar& prompt_bar() const { return *prompt_bar_; }
    SamplingSettings& settings() const { return *settings_; }
    void focus_cards();

  Q_SIGNALS:
    void log_wanted();
    void count_changed(int cards);  // of replies on the screen

  private:
    void build(const Theme& theme);
    void build_actions();
    void choose(int place);  // by its key or button: best, or the next rank
    void vote(Verdict verdict);
    void vote_bad();
    void set_strength(Strength strength);
    void set_ranking(bool ranking);
    void forget_ranks();
    void undo();
    bool choosing() const;
    void refresh();         // everything, after any change of phase
    void refresh_count();   // how many replies there are
    void refresh_offers();  // what the cards and the row say
    void refresh_access();  // what can be pressed, and why not
    void show_pair();
    void failed(const QString& message, bool can_retry);
    void halted(const QString& message);
    void show_problem(const QString& message, std::vector<Notice::Way> ways);
    void back_to_work();    // the strip again in place of a problem
    void forget_problem();  // the same, unless training waits for the person

    EngineBridge& bridge_;
    SessionState& state_;
    PromptBar* prompt_bar_;
    SamplingSettings* settings_;
    CandidateGrid* cards_;
    VerdictRow* verdicts_;
    VerdictStrip* strip_;
    Notice* notice_;
    std::array<QAction*, 6> choose_{};
    std::array<QAction*, 3> strengths_{};
    QAction* tie_ = nullptr;
    QAction* bad_ = nullptr;
    QAction* rank_ = nullptr;
    QAction* record_ = nullptr;
    QAction* take_rank_ = nullptr;
    QAction* skip_ = nullptr;
    QAction* again_ = nullptr;
    QAction* previous_ = nullptr;
    QAction* next_ = nullptr;
    QAction* undo_ = nullptr;
    Strength strength_ = Strength::clear;  // of the next choice
    bool ranking_ = false;                 // of more than two replies
    std::vector<int> places_;              // ranked so far, best first
    std::optional<Command> last_asked_;    // for Retry
    std::int64_t shown_pair_ = 0;
    bool halted_ = false;                  // training, until it is resumed or an answer undone
};

}  // namespace plumbline::ui
