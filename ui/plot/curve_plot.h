#pragma once
// One live plot: a title row that is the legend, curves over left and bottom axes, a view that the mouse and
// the keyboard move.

#include <QMenu>
#include <QWidget>
#include <optional>
#include <vector>

#include "ui/plot/curve_spec.h"
#include "ui/plot/plot_export.h"
#include "ui/plot/plot_title.h"

class QCPAxis;
class QCPRange;
class QCustomPlot;
class QPushButton;

namespace plumbline::ui {

class RoundTicker;
class SeriesLine;

/// Draws the series that it is given and never changes them; `refresh` after they changed. Follows the data
/// until the view is moved (wheel, drag, keys), and again after a reset (double click, key 0, menu).
/// The theme must outlive it. GUI thread.
class CurvePlot : public QWidget {
    Q_OBJECT
  public:
    explicit CurvePlot(const Theme& theme, QWidget* parent = nullptr);
    ~CurvePlot() override;

    void set_title(const QString& title);
    QString title() const { return title_->text(); }
    void set_x_axis(const XAxis& axis);
    void set_curves(std::vector<CurveSpec> curves);
    void set_reference_lines(std::vector<ReferenceLine> lines);
    const std::vector<ReferenceLine>& reference_lines() const { return reference_lines_; }
    /// The whole view holds at least this much of the y axis.
    void set_least_y(Extent extent);
    void set_badges(std::vector<Badge> badges);
    /// Said in the middle while there is no point to draw.
    void set_empty_text(const QString& text);
    void refresh();

    /// The menu of title and right click; the owner may add to it.
    QMenu& menu() { return menu_; }

    Extent x_view() const;
    Extent y_view() const;
    bool whole_view() const { return whole_view_; }
    /// Below 1: nearer, about the middle.
    void zoom(double factor);
    /// By parts of the view: 0.1 to the right or up.
    void pan(double x_part, double y_part);
    void reset_view();

    /// What the read-out says, a line each; empty while the pointer is near no point.
    QStringList readout() const { return readout_ ? readout_->lines : QStringList(); }
    /// What stands in the middle or the corner of the axes at present.
    QString message() const;
    QString note() const;
    const std::vector<TitleEntry>& legend() const { return title_->entries(); }

    /// Title and plot, `size` in units of the screen at 100 %, `scale` pixels each.
    QImage picture(QSize size, double scale);
    std::vector<NamedSeries> table() const;

  Q_SIGNALS:
    void view_changed();
    void picture_wanted();
    void table_wanted();

  protected:
    bool event(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;

  private:
    struct Readout {
        QPointF pixel;
        QColor color;
        QStringList lines;
    };
    struct Lines {
        SeriesLine *raw, *smoothed, *tip;  // owned by the plot
    };
    void add_layers();
    void build_menu();
    void apply_theme();
    void style_lines();
    void resize_view(QSize plot_size);
    void fit_view();
    void set_view(Extent x, Extent y, std::optional<double> x_step, std::optional<double> y_step);
    void view_moved(QCPAxis& axis, const QCPRange& now, const QCPRange& before);
    void leave_whole_view();
    void update_legend();
    void update_readout(std::optional<QPointF> pointer);
    void place_reset_button();
    void replot();

    const Theme& theme_;
    PlotTitle* title_;
    QCustomPlot* plot_;
    QPushButton* reset_button_;
    QMenu menu_;
    QAction* reset_action_ = nullptr;
    QSharedPointer<RoundTicker> x_ticker_, y_ticker_;

    XAxis x_axis_;
    Extent least_y_;
    std::vector<CurveSpec> curves_;
    std::vector<Lines> lines_;
    std::vector<ReferenceLine> reference_lines_;
    std::vector<Badge> badges_;
    QString empty_text_;
    bool whole_view_ = true;
    bool setting_view_ = false;
    bool stale_ = true;  // changed while hidden
    std::optional<QPointF> pointer_;
    std::optional<Readout> readout_;
};

}  // namespace plumbline::ui
