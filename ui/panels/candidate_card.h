#pragma once
// One of the two replies between which the person chooses.

#include <QString>

#include "core/api/events.h"
#include "ui/controls/surface.h"

class QLabel;

namespace plumbline::ui {

class KeyButton;
class Label;
class ReplyView;

/// Both cards are alike in size, weight and text. The theme must outlive it.
class CandidateCard : public Surface {
    Q_OBJECT
  public:
    enum class Side { a, b };
    CandidateCard(const Theme& theme, Side side, QWidget* parent = nullptr);

    void show_nothing(const QString& why);  // no reply; `why` stands in its place
    void begin(int max_new_tokens);         // an empty reply that will grow
    void append(const QString& text, int tokens, double seconds, bool ended);
    void show_reply(const Candidate& candidate, bool reward_hidden);
    /// Whether the button can be pressed; if not, why.
    void set_choosable(const QString& why_not);
    void set_greyed(bool greyed);

    KeyButton* button() const { return button_; }
    QString header_text() const;
    QString reward_text() const;
    QString reply_text() const;

  Q_SIGNALS:
    void chosen();

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void set_reward(const QString& text, bool hidden_mark);

    Label* letter_;
    Label* header_;
    QLabel* reward_mark_;
    Label* reward_;
    ReplyView* reply_;
    KeyButton* button_;
    int max_new_tokens_ = 0;
    double fraction_ = -1;  // of the longest reply allowed; below 0: no progress line
    double rate_ = 0;       // tokens a second while it was written; 0: not known
    bool greyed_ = false;
};

}  // namespace plumbline::ui
