#pragma once
// An error or a warning in its place: cause, and what can be done about it. Or that something long is done.

#include <QString>
#include <functional>
#include <vector>

#include "ui/controls/surface.h"

class QGridLayout;
class QLabel;
class QToolButton;

namespace plumbline::ui {

class Label;

/// Hidden until something is shown. Stays until it is cleared or dismissed. The theme must outlive it.
class Notice : public Surface {
    Q_OBJECT
  public:
    struct Way {
        QString text;  // "Retry"
        std::function<void()> take;
    };
    explicit Notice(const Theme& theme, QWidget* parent = nullptr);

    void show_problem(const QString& text, const std::vector<Way>& ways = {});
    void show_done(const QString& text, const std::vector<Way>& ways = {});
    void clear();
    /// Off: what is wrong stands there as long as it is so.
    void set_dismissable(bool on);
    QString text() const;

  Q_SIGNALS:
    void told();
    void dismissed();

  private:
    void tell(Tone tone, const QString& icon, const QString& text, const std::vector<Way>& ways);
    void draw_mark();

    Label* text_;
    QLabel* mark_;
    QString icon_;
    Tone tone_ = Tone::warning;
    QGridLayout* grid_;
    QWidget* ways_;
    QToolButton* dismiss_;
};

}  // namespace plumbline::ui
