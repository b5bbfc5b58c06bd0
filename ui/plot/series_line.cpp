#include "ui/plot/series_line.h"

#include <algorithm>
#include <cmath>

namespace plumbline::ui {

namespace {

constexpr double tip_radius = 4;
constexpr int tip_room = 120;                // around the axes, for a dot and its text at the border
constexpr double captions_height = 20;       // at the top of the axes
constexpr std::size_t dense_pixel = 200;     // points of a curve in one column
constexpr std::size_t greatest_path = 3000;  // the painter takes a frame for 6000
constexpr double longest_smooth = 24'000;    // pixels of a path: smooth edges of more take the painter a frame

PixelMap pixel_map(const QCPAxis& axis) {
    const QCPRange range = axis.range();
    const double lower = axis.coordToPixel(range.lower);
    const double upper = axis.coordToPixel(range.upper);
    PixelMap map;
    map.scale = (upper - lower) / range.size();
    map.offset = lower - map.scale * range.lower;
    return map;
}

double length_of(const std::vector<QPolygonF>& lines) {
    double out = 0;
    for (const QPolygonF& line : lines) {
        for (qsizetype i = 1; i < line.size(); ++i) {
            out += (line[i] - line[i - 1]).manhattanLength();
        }
    }
    return out;
}

QCPRange to_range(Extent extent, bool& found) {
    found = !extent.empty();
    return found ? QCPRange(extent.lower, extent.upper) : QCPRange();
}

}  // namespace

SeriesLine::SeriesLine(QCPAxis* x_axis, QCPAxis* y_axis, std::shared_ptr<const Series> series, Part part)
    : QCPAbstractPlottable(x_axis, y_axis), series_(std::move(series)), part_(part) {
    setSelectable(QCP::stNone);
}

PixelMap SeriesLine::to_x() const {
    return pixel_map(*keyAxis());
}

PixelMap SeriesLine::to_y() const {
    return pixel_map(*valueAxis());
}

QPointF SeriesLine::pixel_of(std::size_t index) const {
    return {to_x()(series_->smoothed_x()[index]), to_y()(series_->smoothed()[index])};
}

std::optional<SeriesLine::Nearest> SeriesLine::nearest(QPointF place) const {
    const std::span<const double> x = series_->smoothed_x();
    const std::span<const double> y = series_->smoothed();
    const PixelMap map_x = to_x();
    const PixelMap map_y = to_y();
    IndexRange range = {0, series_->size()};
    const bool by_x = series_->ordered() && series_->smoothing() == Smoothing::value;
    if (by_x) {
        const double at = (place.x() - map_x.offset) / map_x.scale;
        const double half = std::abs(0.5 / map_x.scale);  // all points of the pixel under the cursor
        range = visible_points(x, {at - half, at + half});
    }
    std::optional<Nearest> best;
    double best_order = 0;
    for (std::size_t i = range.first; i < range.end; ++i) {
        if (!drawable(x[i]) || !drawable(y[i])) {
            continue;
        }
        const QPointF pixel(map_x(x[i]), map_y(y[i]));
        const QPointF way = pixel - place;
        const double distance = std::hypot(way.x(), way.y());
        const double order = by_x ? std::abs(way.x()) : distance;
        if (!best || order < best_order || (order == best_order && distance < best->distance)) {
            best = Nearest{i, pixel, distance};
            best_order = order;
        }
    }
    return best;
}

double SeriesLine::selectTest(const QPointF&, bool, QVariant*) const {
    return -1;  // nothing is selected by clicking
}

QCPRange SeriesLine::getKeyRange(bool& found, QCP::SignDomain) const {
    return to_range(series_->x_extent(), found);
}

QCPRange SeriesLine::getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const {
    return to_range(series_->value_extent(), found);
}

QRect SeriesLine::clipRect() const {
    const QRect axes = QCPAbstractPlottable::clipRect();
    return part_ == Part::tip ? axes.adjusted(-tip_room, -tip_room, tip_room, tip_room) : axes;
}

void SeriesLine::draw(QCPPainter* painter) {
    if (series_->empty()) {
        return;
    }
    applyDefaultAntialiasingHint(painter);
    if (part_ == Part::tip) {
        draw_tip(painter);
        return;
    }
    const bool raw = part_ == Part::raw;
    std::span<const double> x = raw ? series_->x() : series_->smoothed_x();
    std::span<const double> y = raw ? series_->values() : series_->smoothed();
    std::vector<QPolygonF> lines;
    const bool path = series_->smoothing() == Smoothing::both;
    const bool whole = series_->gaps() == 0;
    if (path) {
        lines = path_lines(x, y, to_x(), to_y(), greatest_path, whole ? Gaps::none : Gaps::some);
    } else {
        if (series_->ordered()) {
            const QCPRange range = keyAxis()->range();
            const IndexRange part = visible_points(x, {range.lower, range.upper});
            x = x.subspan(part.first, part.end - part.first);
            y = y.subspan(part.first, part.end - part.first);
        }
        const bool fast = whole && series_->ordered() && to_x().scale > 0;
        if (x.size() > dense_pixel * static_cast<std::size_t>(std::max(1, clipRect().width()))) {
            painter->setAntialiasing(false);  // upright bars side by side have no slanted edge to smooth
        }
        lines = fast ? ascending_column_lines(x, y, to_x(), to_y()) : column_lines(x, y, to_x(), to_y());
    }
    painter->setPen(pen());
    painter->setBrush(Qt::NoBrush);
    const double margin = pen().widthF() + 1;
    const QRectF bounds = QRectF(clipRect()).adjusted(-margin, -margin, margin, margin);
    lines = clipped_lines(lines, bounds);
    if (path && !raw && length_of(lines) > longest_smooth) {
        painter->setAntialiasing(false);
    }
    for (const QPolygonF& line : lines) {
        if (path && raw) {
            // Joined up, the scattered points of a path would cover it.
            painter->drawPoints(line);
            continue;
        }
        painter->drawPolyline(line);
    }
}

void SeriesLine::draw_tip(QCPPainter* painter) const {
    const std::optional<std::size_t> last = series_->last_drawable();
    if (!last) {
        return;
    }
    const QPointF at = pixel_of(*last);
    const QRectF axes(QCPAbstractPlottable::clipRect());
    if (!axes.adjusted(-1, -1, 1, 1).contains(at)) {
        return;
    }
    painter->setPen(Qt::NoPen);
    painter->setBrush(pen().color());
    painter->drawEllipse(at, tip_radius, tip_radius);
    if (tip_text_.text.isEmpty()) {
        return;
    }
    QString text = tip_text_.text;
    text.replace(QLatin1String("%1"), QString::number(series_->steps()[*last], 'g', 10));
    const QFontMetricsF metrics(tip_text_.font);
    const double width = metrics.horizontalAdvance(text);
    const double gap = tip_radius + 5;
    const bool right = at.x() + gap + width <= axes.right();
    const double left = right ? at.x() + gap : at.x() - gap - width;
    // Above the dot, or below it where captions stand.
    const double above = at.y() - gap + metrics.descent();
    const bool below = above - metrics.ascent() < axes.top() + captions_height;
    const double base = below ? at.y() + gap + metrics.ascent() - metrics.descent() : above;
    painter->setFont(tip_text_.font);
    painter->setPen(tip_text_.color);
    painter->drawText(QPointF(left, base), text);
}

void SeriesLine::drawLegendIcon(QCPPainter*, const QRectF&) const {}  // the title row is the legend

}  // namespace plumbline::ui
