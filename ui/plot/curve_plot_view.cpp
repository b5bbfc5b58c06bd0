// The view of a plot: what of the data it shows, and how mouse and keys move it.

#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QPushButton>
#include <algorithm>
#include <cmath>

#include "ui/plot/axis_ticks.h"
#include "ui/plot/curve_plot.h"
#include "ui/plot/qcustomplot_wrapper.h"
#include "ui/plot/round_ticker.h"
#include "ui/plot/series_line.h"

namespace plumbline::ui {

namespace {

constexpr double key_zoom = 0.8, key_pan = 0.1;
constexpr double nearest_zoom = 1e-6, farthest_zoom = 20;  // view over data
constexpr double pointer_reach = 48;                       // pixels
constexpr int tick_room_x = 46, tick_room_y = 36;          // pixels between ticks

Extent extent_of(const QCPAxis& axis) {
    return {axis.range().lower, axis.range().upper};
}

bool is_view_key(const QKeyEvent& event) {
    if ((event.modifiers() & ~(Qt::ShiftModifier | Qt::KeypadModifier)) != Qt::NoModifier) {
        return false;
    }
    switch (event.key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
        case Qt::Key_Minus:
        case Qt::Key_0:
        case Qt::Key_Left:
        case Qt::Key_Right:
        case Qt::Key_Up:
        case Qt::Key_Down:
            return true;
        default:
            return false;
    }
}

// Whether the view should reach out to a line: always, or once the data have come near it.
bool reaches(const ReferenceLine& line, Extent data) {
    return data.empty() || line.seen_from <= 0 || data.upper >= line.seen_from * line.value;
}

struct AxisView {
    Extent range;
    double step = 1;
};

// Round limits; but noise a little below 0 does not open a whole step of empty axis.
AxisView axis_view(Extent shown, int intervals, double least_step) {
    const bool barely_negative = shown.lower < 0 && -shown.lower < 0.1 * shown.upper;
    const Extent rounded = barely_negative ? Extent{0, shown.upper} : shown;
    const RoundRange round = round_range(rounded, intervals, least_step);
    const double lower = barely_negative ? shown.lower - 0.02 * round.upper : round.lower;
    return {{lower, round.upper}, round.step};
}

}  // namespace

Extent CurvePlot::x_view() const {
    return extent_of(*plot_->xAxis);
}

Extent CurvePlot::y_view() const {
    return extent_of(*plot_->yAxis);
}

void CurvePlot::resize_view(QSize plot_size) {
    const QRect axes = QRect(QPoint(), plot_size).marginsRemoved(plot_->axisRect()->minimumMargins());
    x_ticker_->intervals = std::clamp(axes.width() / tick_room_x, 2, 12);
    x_ticker_->axis_pixels = axes.width();
    y_ticker_->intervals = std::clamp(axes.height() / tick_room_y, 2, 10);
    if (whole_view_) {
        fit_view();
    }
}

void CurvePlot::fit_view() {
    Extent x, y;
    for (const CurveSpec& curve : curves_) {
        for (const auto& [whole, part] :
             {std::pair(&x, curve.series->x_extent()), std::pair(&y, curve.series->value_extent())}) {
            if (!part.empty()) {
                whole->include(part.lower);
                whole->include(part.upper);
            }
        }
    }
    const Extent x_data = x;
    const Extent y_data = y;
    x.include(0);
    x.include(x_axis_.least_upper);
    if (y.empty()) {
        y = {0, 1};
    }
    if (!least_y_.empty()) {
        y.include(least_y_.lower);
        y.include(least_y_.upper);
    }
    for (const ReferenceLine& line : reference_lines_) {
        const bool vertical = line.across == Across::vertical;
        Extent& whole = vertical ? x : y;
        if (reaches(line, vertical ? x_data : y_data)) {
            whole.include(line.value);
            if (!line.beyond_caption.isEmpty()) {
                whole.include(line.value + 0.5 * std::abs(line.value));  // room to see what lies beyond
            }
        }
    }
    const AxisView x_fit = axis_view(x, x_ticker_->intervals, x_axis_.least_step);
    const AxisView y_fit = axis_view(y, y_ticker_->intervals, 0);
    set_view(x_fit.range, y_fit.range, x_fit.step, y_fit.step);
}

void CurvePlot::set_view(Extent x, Extent y, std::optional<double> x_step, std::optional<double> y_step) {
    setting_view_ = true;
    x_ticker_->step = x_step;
    y_ticker_->step = y_step;
    plot_->xAxis->setRange(x.lower, x.upper);
    plot_->yAxis->setRange(y.lower, y.upper);
    setting_view_ = false;
}

void CurvePlot::view_moved(QCPAxis& axis, const QCPRange& now, const QCPRange& before) {
    if (setting_view_) {
        return;
    }
    Extent held;
    for (const CurveSpec& curve : curves_) {
        const Extent part = &axis == plot_->xAxis ? curve.series->x_extent() : curve.series->value_extent();
        if (!part.empty()) {
            held.include(part.lower);
            held.include(part.upper);
        }
    }
    const double size = held.empty() || held.size() == 0 ? 1 : held.size();
    const bool too_near = now.size() < before.size() && now.size() < size * nearest_zoom;
    const bool too_far = now.size() > before.size() && now.size() > size * farthest_zoom;
    if (too_near || too_far) {
        setting_view_ = true;
        axis.setRange(before);
        setting_view_ = false;
        return;
    }
    leave_whole_view();
}

void CurvePlot::leave_whole_view() {
    x_ticker_->step.reset();
    y_ticker_->step.reset();
    update_readout(std::nullopt);
    if (whole_view_) {
        whole_view_ = false;
        reset_action_->setEnabled(true);
        reset_button_->show();
        place_reset_button();
    }
    Q_EMIT view_changed();
}

void CurvePlot::zoom(double factor) {
    plot_->xAxis->scaleRange(factor);
    plot_->yAxis->scaleRange(factor);
    replot();
}

void CurvePlot::pan(double x_part, double y_part) {
    plot_->xAxis->moveRange(x_part * plot_->xAxis->range().size());
    plot_->yAxis->moveRange(y_part * plot_->yAxis->range().size());
    replot();
}

void CurvePlot::reset_view() {
    whole_view_ = true;
    reset_action_->setEnabled(false);
    reset_button_->hide();
    refresh();
    Q_EMIT view_changed();
}

void CurvePlot::place_reset_button() {
    reset_button_->adjustSize();
    const QRect axes = plot_->axisRect()->rect();
    reset_button_->move(axes.right() - reset_button_->width() - 2, axes.top() + 2);
}

void CurvePlot::update_readout(std::optional<QPointF> pointer) {
    pointer_ = pointer;
    std::optional<Readout> found;
    double best = pointer_reach;
    for (std::size_t i = 0; pointer && i < curves_.size(); ++i) {
        if (!plot_->axisRect()->rect().adjusted(-4, -4, 4, 4).contains(pointer->toPoint())) {
            break;
        }
        const std::optional<SeriesLine::Nearest> near = lines_[i].smoothed->nearest(*pointer);
        if (!near || near->distance >= best) {
            continue;
        }
        best = near->distance;
        const CurveSpec& curve = curves_[i];
        const Series& series = *curve.series;
        const auto value_line = [&](const QString& name, double smoothed, double raw) {
            const QString value = name + QLatin1Char(' ') + value_text(smoothed, curve.decimals + 1);
            return series.factor() == 0 ? value
                                        : value + tr(", raw %1").arg(value_text(raw, curve.decimals + 1));
        };
        const std::size_t at = near->index;
        Readout readout;
        readout.pixel = near->pixel;
        readout.color = theme_.color(curve.stroke.tone);
        readout.lines.append(x_axis_.counted + QLatin1Char(' ') +
                             QString::number(series.steps()[at], 'g', 10));
        if (!x_axis_.value_name.isEmpty()) {
            readout.lines.append(value_line(x_axis_.value_name, series.smoothed_x()[at], series.x()[at]));
        }
        readout.lines.append(value_line(curve.value_name, series.smoothed()[at], series.values()[at]));
        found = readout;
    }
    if (!found && !readout_) {
        return;
    }
    readout_ = found;
    plot_->layer(QStringLiteral("readout"))->replot();
}

bool CurvePlot::event(QEvent* event) {
    // The window's shortcuts use digits and arrows too; with the focus here they mean the view.
    if (event->type() == QEvent::ShortcutOverride && plot_->hasFocus() &&
        is_view_key(*static_cast<QKeyEvent*>(event))) {
        event->accept();
        return true;
    }
    return QWidget::event(event);
}

bool CurvePlot::eventFilter(QObject* watched, QEvent* event) {
    if (watched == plot_) {
        switch (event->type()) {
            case QEvent::Leave:
                update_readout(std::nullopt);
                break;
            case QEvent::FocusIn:
            case QEvent::FocusOut:
                update();
                break;
            case QEvent::Resize:
                resize_view(static_cast<QResizeEvent*>(event)->size());
                break;
            case QEvent::Paint:
                // A window that moved to a screen of another resolution.
                if (plot_->bufferDevicePixelRatio() != plot_->devicePixelRatioF()) {
                    plot_->setBufferDevicePixelRatio(plot_->devicePixelRatioF());
                    plot_->replot(QCustomPlot::rpQueuedRefresh);
                }
                break;
            default:
                break;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void CurvePlot::keyPressEvent(QKeyEvent* event) {
    if (!is_view_key(*event)) {
        QWidget::keyPressEvent(event);
        return;
    }
    switch (event->key()) {
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            zoom(key_zoom);
            break;
        case Qt::Key_Minus:
            zoom(1 / key_zoom);
            break;
        case Qt::Key_Left:
            pan(-key_pan, 0);
            break;
        case Qt::Key_Right:
            pan(key_pan, 0);
            break;
        case Qt::Key_Up:
            pan(0, key_pan);
            break;
        case Qt::Key_Down:
            pan(0, -key_pan);
            break;
        default:
            reset_view();
            break;
    }
}

void CurvePlot::contextMenuEvent(QContextMenuEvent* event) {
    menu_.popup(event->globalPos());
}

void CurvePlot::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.color(Tone::panel));
    if (plot_->hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme_.color(Tone::accent), 2));
        painter.drawRoundedRect(QRectF(rect()).adjusted(5, 5, -5, -5), 4, 4);
    }
}

void CurvePlot::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    if (stale_) {
        stale_ = false;
        refresh();
    }
}

}  // namespace plumbline::ui
