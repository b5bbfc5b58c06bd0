#include "ui/plot/round_ticker.h"

#include <QFontMetricsF>
#include <algorithm>

#include "ui/plot/axis_ticks.h"

namespace plumbline::ui {

double RoundTicker::getTickStep(const QCPRange& range) {
    range_ = range;
    used_step_ = step ? *step : std::max(round_step(range.size() / std::max(intervals, 1)), least_step);
    return used_step_;
}

QVector<QString> RoundTicker::createLabelVector(const QVector<double>& ticks, const QLocale&, QChar, int) {
    QVector<QString> labels;
    labels.reserve(ticks.size());
    for (const double tick : ticks) {
        labels.append(tick_text(tick, used_step_));
    }
    last_label_.reset();
    if (!unit.isEmpty() && !ticks.isEmpty()) {
        place_unit(ticks, labels);
    }
    return labels;
}

void RoundTicker::place_unit(const QVector<double>& ticks, QVector<QString>& labels) {
    const QFontMetricsF metrics(font);
    const auto pixel = [&](double tick) { return (tick - range_.lower) / range_.size() * axis_pixels; };
    const auto half = [&](const QString& label) { return metrics.horizontalAdvance(label) / 2; };
    LastLabel last;
    last.text = labels.last() + QLatin1Char(' ') + unit;
    // The number under its tick, but all of it on the axis.
    last.left = std::min(pixel(ticks.last()) - half(labels.last()),
                         axis_pixels - 1 - metrics.horizontalAdvance(last.text));
    labels.last().clear();
    const double gap = metrics.horizontalAdvance(QLatin1Char('0')) / 2;
    const qsizetype before = labels.size() - 2;
    if (before >= 0 && pixel(ticks[before]) + half(labels[before]) + gap > last.left) {
        labels[before].clear();
    }
    last_label_ = last;
}

}  // namespace plumbline::ui
