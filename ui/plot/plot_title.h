#pragma once
// The row above a plot: its title, which opens the plot's menu, and the legend with the latest values.

#include <QAbstractButton>
#include <optional>
#include <vector>

#include "ui/plot/curve_spec.h"

namespace plumbline::ui {

struct TitleEntry {
    std::optional<Stroke> stroke;  // a short line before the name
    QString name, value;
    QString warning;      // not empty: said after the value, with an icon, in the warning colour
    QString explanation;  // in the tooltip
};

/// Height of the row in pixels.
inline constexpr int title_height = 24;

/// Entries stand at the right; where room is short their names are elided, then the first ones left out.
void paint_title(QPainter& painter, QRect row, const QString& title, const std::vector<TitleEntry>& entries,
                 const Theme& theme);

/// `clicked` comes from the title itself only. The theme must outlive it.
class PlotTitle : public QAbstractButton {
    Q_OBJECT
  public:
    explicit PlotTitle(const Theme& theme, QWidget* parent = nullptr);

    void set_title(const QString& title);
    void set_entries(std::vector<TitleEntry> entries);
    const std::vector<TitleEntry>& entries() const { return entries_; }
    QRect title_rect() const;
    QSize sizeHint() const override;

  protected:
    bool hitButton(const QPoint& place) const override { return title_rect().contains(place); }
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;

  private:
    const Theme& theme_;
    std::vector<TitleEntry> entries_;
    bool over_title_ = false;
};

}  // namespace plumbline::ui
