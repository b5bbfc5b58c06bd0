#pragma once
// The replies on the screen, two to six.

#include <QWidget>
#include <array>
#include <chrono>

#include "core/api/events.h"
#include "ui/theme/theme.h"

class QGridLayout;

namespace plumbline::ui {

class CandidateCard;

/// Two side by side, three in a row, four in two rows of two, more in two rows of three. Holds the focus at
/// the start, so that it rests on no card. The theme must outlive it.
class CandidateGrid : public QWidget {
    Q_OBJECT
  public:
    static constexpr int most = 6;

    explicit CandidateGrid(const Theme& theme, QWidget* parent = nullptr);

    void set_count(int count);  // 2..6
    int count() const { return count_; }
    CandidateCard& card(int place) const { return *cards_[static_cast<std::size_t>(place)]; }
    /// The cards' buttons in order, for the focus order.
    QList<QWidget*> buttons() const;

    void show_nothing(const QString& why);
    void begin(int max_new_tokens);
    void append(const TokensStreamed& streamed);
    void show_pair(const Pair& pair, bool reward_hidden);
    void set_choosable(const QString& why_not);
    void set_greyed(bool greyed);

  Q_SIGNALS:
    void chosen(int place);

  protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void focusInEvent(QFocusEvent*) override { update(); }
    void focusOutEvent(QFocusEvent*) override { update(); }

  private:
    void spread();

    const Theme& theme_;
    QGridLayout* grid_;
    std::array<CandidateCard*, most> cards_{};
    int count_ = 0;
    std::chrono::steady_clock::time_point begun_;
};

}  // namespace plumbline::ui
