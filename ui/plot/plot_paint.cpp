#include "ui/plot/plot_paint.h"

#include <algorithm>

namespace plumbline::ui {

namespace {

constexpr double caption_gap = 6;

QPen dashed(const QColor& color) {
    QPen pen(color, 1);
    pen.setDashPattern({4, 3});
    pen.setCapStyle(Qt::FlatCap);
    return pen;
}

const QCPAxis& axis_of(const QCPAxisRect& axes, Across across) {
    return *axes.axis(across == Across::horizontal ? QCPAxis::atLeft : QCPAxis::atBottom);
}

}  // namespace

PaintedPart::PaintedPart(QCPAxisRect* axes, const QString& layer, Clip clip, Paint paint)
    : QCPLayerable(axes->parentPlot(), layer, nullptr), axes_(axes), clip_(clip), paint_(std::move(paint)) {}

QRect PaintedPart::clipRect() const {
    return clip_ == Clip::axes ? axes_->rect().adjusted(0, 0, 1, 1) : QCPLayerable::clipRect();
}

void PaintedPart::applyDefaultAntialiasingHint(QCPPainter* painter) const {
    applyAntialiasingHint(painter, true, QCP::aeOther);
}

void PaintedPart::draw(QCPPainter* painter) {
    paint_(*painter);
}

void paint_beyond(QCPPainter& painter, const QCPAxisRect& axes, const ReferenceLine& line,
                  const Theme& theme) {
    if (line.beyond_caption.isEmpty()) {
        return;
    }
    QRectF region(axes.rect());
    const double at = axis_of(axes, line.across).coordToPixel(line.value);
    if (line.across == Across::vertical) {
        region.setLeft(std::max(region.left(), at));
    } else {
        region.setBottom(std::min(region.bottom(), at));
    }
    if (!region.isValid()) {
        return;
    }
    QColor shade = theme.color(Tone::axis);
    shade.setAlphaF(0.14F);
    painter.fillRect(region, shade);
}

void paint_reference(QCPPainter& painter, const QCPAxisRect& axes, const ReferenceLine& line,
                     const Theme& theme) {
    const QRectF rect(axes.rect());
    const QCPAxis& axis = axis_of(axes, line.across);
    const double at = axis.coordToPixel(line.value);
    painter.setFont(theme.font(TextSize::axis));
    const QFontMetricsF metrics(painter.font());
    const QPen text_pen(theme.color(Tone::tertiary));
    if (line.across == Across::vertical && line.value > axis.range().upper) {
        const QString text = line.caption + QStringLiteral(" →");
        painter.setPen(text_pen);
        painter.drawText(
            QPointF(rect.right() - metrics.horizontalAdvance(text), rect.top() + metrics.ascent() + 4), text);
        return;
    }
    if (!axis.range().contains(line.value)) {
        return;
    }
    painter.setPen(dashed(theme.color(Tone::axis)));
    if (line.across == Across::horizontal) {
        painter.drawLine(QPointF(rect.left(), at), QPointF(rect.right(), at));
        const double width = metrics.horizontalAdvance(line.caption);
        const bool below = at + metrics.height() + 2 <= rect.bottom();
        const double base = below ? at + metrics.ascent() + 3 : at - metrics.descent() - 3;
        painter.setPen(text_pen);
        painter.drawText(QPointF(rect.right() - width - 2, base), line.caption);
        const double beyond_base = at - metrics.descent() - 3;
        if (!line.beyond_caption.isEmpty() && beyond_base - metrics.ascent() > rect.top()) {
            const double beyond_width = metrics.horizontalAdvance(line.beyond_caption);
            painter.drawText(QPointF(rect.right() - beyond_width - 2, beyond_base), line.beyond_caption);
        }
        return;
    }
    painter.drawLine(QPointF(at, rect.top()), QPointF(at, rect.bottom()));
    const QString caption = line.beyond_caption.isEmpty() ? line.caption : line.beyond_caption;
    const double width = metrics.horizontalAdvance(caption);
    const double base =
        line.caption_low ? rect.bottom() - metrics.descent() - 4 : rect.top() + metrics.ascent() + 4;
    painter.setPen(text_pen);
    if (at + caption_gap + width <= rect.right()) {
        painter.drawText(QPointF(at + caption_gap, base), caption);
    } else {
        // No room beyond the line: the line's own name, before it.
        painter.drawText(QPointF(at - caption_gap - metrics.horizontalAdvance(line.caption), base),
                         line.caption);
    }
}

void paint_unit(QCPPainter& painter, const QCPAxis& axis, const RoundTicker& ticker, const Theme& theme) {
    if (!ticker.last_label()) {
        return;
    }
    const QRectF rect(axis.axisRect()->rect());
    const double top = rect.bottom() - 1 + axis.tickLengthOut() + axis.tickLabelPadding();
    painter.setFont(ticker.font);
    painter.setPen(theme.color(Tone::tertiary));
    // The ticker placed it before the other axis' numbers took their room: wide ones leave less.
    const double room = rect.width() - 1 - QFontMetricsF(ticker.font).horizontalAdvance(ticker.last_label()->text);
    painter.drawText(QRectF(rect.left() + std::min(ticker.last_label()->left, room), top, 0, 0), Qt::TextDontClip,
                     ticker.last_label()->text);
}

void paint_message(QCPPainter& painter, QRect axes, const QString& text, const Theme& theme) {
    painter.setFont(theme.font(TextSize::interface));
    const QFontMetrics metrics(painter.font());
    QRect ground =
        metrics.boundingRect(axes, Qt::AlignCenter | Qt::TextWordWrap, text).adjusted(-8, -4, 8, 4);
    painter.fillRect(ground, theme.color(Tone::panel));  // reference lines end before the words
    painter.setPen(theme.color(Tone::tertiary));
    painter.drawText(axes, Qt::AlignCenter | Qt::TextWordWrap, text);
}

void paint_note(QCPPainter& painter, QRect axes, const QString& text, const Theme& theme) {
    painter.setFont(theme.font(TextSize::axis));
    painter.setPen(theme.color(Tone::tertiary));
    painter.drawText(axes.adjusted(6, 4, -6, -4), Qt::AlignLeft | Qt::AlignBottom | Qt::TextWordWrap, text);
}

void paint_readout(QCPPainter& painter, QRect bounds, QPointF point, const QColor& color,
                   const QStringList& lines, const Theme& theme) {
    painter.setPen(QPen(color, 2));
    painter.setBrush(theme.color(Tone::panel));
    painter.drawEllipse(point, 4.5, 4.5);

    painter.setFont(theme.mono(TextSize::secondary));
    const QFontMetricsF metrics(painter.font());
    double width = 0;
    for (const QString& line : lines) {
        width = std::max(width, metrics.horizontalAdvance(line));
    }
    const double padding = 6;
    QRectF card(0, 0, width + 2 * padding,
                metrics.height() * static_cast<double>(lines.size()) + 2 * padding);
    const bool right = point.x() + 10 + card.width() <= bounds.right();
    card.moveLeft(right ? point.x() + 10 : point.x() - 10 - card.width());
    card.moveBottom(point.y() - 8);
    card.moveLeft(std::clamp(card.left(), double(bounds.left()),
                             std::max(double(bounds.left()), bounds.right() - card.width())));
    card.moveTop(std::clamp(card.top(), double(bounds.top()),
                            std::max(double(bounds.top()), bounds.bottom() - card.height())));
    painter.setPen(QPen(theme.color(Tone::button_border), 1));
    painter.setBrush(theme.color(Tone::card));
    painter.drawRoundedRect(card, 4, 4);
    painter.setPen(theme.color(Tone::text));
    double base = card.top() + padding + metrics.ascent();
    for (const QString& line : lines) {
        painter.drawText(QPointF(card.left() + padding, base), line);
        base += metrics.height();
    }
}

}  // namespace plumbline::ui
