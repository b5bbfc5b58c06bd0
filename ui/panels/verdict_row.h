#pragma once
// The controls under the replies: how much better, ranks, ties, and taking back.

#include <QWidget>
#include <vector>

#include "core/api/labels.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

class KeyButton;
class Label;
class Segmented;

/// Two replies: strength and tie. More: pick the best, or rank them. Only shows and tells; the panel decides
/// what a press means and when it may be pressed. The theme must outlive it.
class VerdictRow : public QWidget {
    Q_OBJECT
  public:
    explicit VerdictRow(const Theme& theme, QWidget* parent = nullptr);

    /// `places`: the ranks given so far, best first.
    void show_state(int shown, bool ranking, Strength strength, const std::vector<int>& places);

    Segmented& strength() const { return *strength_; }
    Segmented& mode() const { return *mode_; }  // 0: pick the best, 1: rank
    KeyButton& tie() const { return *tie_; }
    KeyButton& bad() const { return *bad_; }
    KeyButton& record() const { return *record_; }
    KeyButton& skip() const { return *skip_; }
    KeyButton& undo() const { return *undo_; }
    QString tally() const;
    /// In the order of the eye, for the focus order.
    QList<QWidget*> controls() const;

  protected:
    void resizeEvent(QResizeEvent* event) override;

  private:
    void fit();

    Label* strength_word_;
    Segmented* strength_;
    Segmented* mode_;
    Label* tally_;
    KeyButton* tie_;
    KeyButton* record_;
    KeyButton* bad_;
    KeyButton* skip_;
    KeyButton* undo_;
    bool two_ = true;
    bool undo_keys_ = true;
};

/// "1st", "2nd", "3rd", "4th" …
QString ordinal(int rank);

}  // namespace plumbline::ui
