#include "ui/controls/surface.h"

#include <QPainter>

namespace plumbline::ui {

Surface::Surface(const Theme& theme, Tone fill, Edge edge, QWidget* parent)
    : QWidget(parent), theme_(theme), fill_(fill), edge_(edge) {
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void Surface::set_fill(Tone fill) {
    fill_ = fill;
    update();
}

void Surface::set_border(Tone border) {
    border_ = border;
    update();
}

void Surface::set_filled(bool filled) {
    filled_ = filled;
    update();
}

void Surface::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QColor line = theme_.color(border_);
    if (edge_ == Edge::box) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(line);
        painter.setBrush(theme_.color(fill_));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
        return;
    }
    if (filled_) {
        painter.fillRect(rect(), theme_.color(fill_));
    }
    switch (edge_) {
        case Edge::top:
            painter.fillRect(0, 0, width(), 1, line);
            break;
        case Edge::bottom:
            painter.fillRect(0, height() - 1, width(), 1, line);
            break;
        case Edge::left:
            painter.fillRect(0, 0, 1, height(), line);
            break;
        case Edge::right:
            painter.fillRect(width() - 1, 0, 1, height(), line);
            break;
        default:
            break;
    }
}

Divider::Divider(const Theme& theme, int height, QWidget* parent) : QWidget(parent), theme_(theme) {
    setFixedSize(1, height);
    connect(&theme, &Theme::changed, this, qOverload<>(&QWidget::update));
}

void Divider::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme_.color(Tone::button_border));
}

}  // namespace plumbline::ui
