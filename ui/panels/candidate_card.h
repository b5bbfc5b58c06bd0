#pragma once
// One of the replies between which the person chooses.

#include <QString>

#include "core/api/events.h"
#include "ui/controls/surface.h"

class QLabel;

namespace plumbline::ui {

class KeyButton;
class Label;
class ReplyView;

/// All cards are alike in size, weight and text. The theme must outlive it.
class CandidateCard : public Surface {
    Q_OBJECT
  public:
    /// `place` counts the cards from 0, which is A.
    CandidateCard(const Theme& theme, int place, QWidget* parent = nullptr);

    /// With more than two cards on the screen each makes do with less room.
    void set_dense(bool dense);
    /// What its button says, and the keys that do the same. `chosen`: it has its rank already.
    void set_offer(const QString& text, const QString& tip, const QStringList& keys, bool chosen);

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
    QString offer() const;

  Q_SIGNALS:
    void chosen();

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void set_reward(const QString& text, bool hidden_mark);

    const QString name_;
    Label* letter_;
    Label* header_;
    QLabel* reward_mark_;
    Label* reward_;
    ReplyView* reply_;
    KeyButton* button_;
    int max_new_tokens_ = 0;
    double fraction_ = -1;  // of the longest reply allowed; below 0: no progress line
    double rate_ = 0;       // tokens a second while it was written; 0: not known
    bool dense_ = false;
    bool chosen_ = false;
};

/// "A" for place 0.
QString letter_of(int place);

}  // namespace plumbline::ui
