// Buttons, inputs, sliders and scroll bars.

#include <QLineEdit>
#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>

#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

bool has(const QStyleOption* option, QStyle::StateFlag flag) {
    return option->state & flag;
}

/// Buttons show the ring for the keyboard only; inputs show it whenever they have the focus.
bool keyboard_focus(const QStyleOption* option) {
    return has(option, QStyle::State_HasFocus) && has(option, QStyle::State_KeyboardFocusChange);
}

}  // namespace

void draw_chevron(QPainter& painter, const QRectF& rect, Qt::ArrowType direction, const QColor& color,
                  double width) {
    const QPointF c = rect.center();
    const double w = width / 2;
    const double h = width / 4;
    QPolygonF line;
    switch (direction) {
        case Qt::UpArrow:
            line << QPointF(c.x() - w, c.y() + h) << QPointF(c.x(), c.y() - h)
                 << QPointF(c.x() + w, c.y() + h);
            break;
        case Qt::LeftArrow:
            line << QPointF(c.x() + h, c.y() - w) << QPointF(c.x() - h, c.y())
                 << QPointF(c.x() + h, c.y() + w);
            break;
        case Qt::RightArrow:
            line << QPointF(c.x() - h, c.y() - w) << QPointF(c.x() + h, c.y())
                 << QPointF(c.x() - h, c.y() + w);
            break;
        default:
            line << QPointF(c.x() - w, c.y() - h) << QPointF(c.x(), c.y() + h)
                 << QPointF(c.x() + w, c.y() - h);
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, width < 7 ? 1.25 : 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter.drawPolyline(line);
    painter.restore();
}

void Style::box(QPainter* painter, const QRect& rect, Tone fill, Tone border, int radius) const {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing, radius > 0);
    painter->setPen(color(border));
    painter->setBrush(color(fill));
    const QRectF r = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5);
    if (radius > 0) {
        painter->drawRoundedRect(r, radius, radius);
    } else {
        painter->drawRect(r);
    }
    painter->restore();
}

void Style::focus_ring(QPainter* painter, const QRect& rect, int radius) const {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(color(Tone::accent), 2));
    painter->setBrush(Qt::NoBrush);
    painter->drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), radius, radius);
    painter->restore();
}

void Style::draw_button(const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    const bool enabled = has(option, State_Enabled);
    const bool over = enabled && has(option, State_MouseOver);
    const bool down = enabled && has(option, State_Sunken);
    const QRect r = option->rect;
    switch (button_kind(widget)) {
        case ButtonKind::flat:
            if (over || down) {
                box(painter, r, down ? Tone::selection : Tone::hover, down ? Tone::selection : Tone::hover);
            }
            break;
        case ButtonKind::primary:
            box(painter, r, enabled ? Tone::accent : Tone::panel, enabled ? Tone::accent : Tone::line);
            if (over || down) {
                painter->save();
                painter->setOpacity(down ? 0.24 : 0.12);
                box(painter, r, Tone::on_accent, Tone::on_accent);
                painter->restore();
            }
            break;
        case ButtonKind::choose:
        case ButtonKind::plain: {
            const Tone rest = button_kind(widget) == ButtonKind::choose ? Tone::chrome : Tone::card;
            const Tone fill = !enabled                ? Tone::panel
                              : down                  ? Tone::selection
                              : over                  ? Tone::hover
                              : has(option, State_On) ? Tone::selection
                                                      : rest;
            const bool lit = down || has(option, State_On);
            box(painter, r, fill, !enabled ? Tone::line : lit ? Tone::accent : Tone::button_border);
            break;
        }
    }
    if (keyboard_focus(option)) {
        focus_ring(painter, r);
    }
}

void Style::draw_check(const QStyleOption* option, QPainter* painter, bool round) const {
    const bool enabled = has(option, State_Enabled);
    const bool on = has(option, State_On);
    const bool partly = has(option, State_NoChange);
    const int radius = round ? 8 : 3;
    if (on || partly) {
        box(painter, option->rect, enabled ? Tone::accent : Tone::disabled,
            enabled ? Tone::accent : Tone::disabled, radius);
    } else {
        const bool over = enabled && has(option, State_MouseOver);
        box(painter, option->rect, over ? Tone::hover : Tone::card, enabled ? Tone::input_border : Tone::line,
            radius);
    }
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    const QRectF r = option->rect;
    if (on && round) {
        painter->setPen(Qt::NoPen);
        painter->setBrush(color(Tone::on_accent));
        painter->drawEllipse(r.center(), 3, 3);
    } else if (on) {
        painter->setPen(QPen(color(Tone::on_accent), 2, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->drawPolyline(QPolygonF({QPointF(r.x() + 4, r.y() + 8.25), QPointF(r.x() + 7, r.y() + 11.25),
                                         QPointF(r.x() + 12, r.y() + 5)}));
    } else if (partly) {
        painter->setPen(QPen(color(Tone::on_accent), 2));
        painter->drawLine(QPointF(r.x() + 4, r.center().y()), QPointF(r.right() - 4, r.center().y()));
    }
    painter->restore();
    if (keyboard_focus(option)) {
        focus_ring(painter, option->rect.adjusted(-2, -2, 2, 2), radius + 1);
    }
}

void Style::draw_input_frame(const QStyleOption* option, QPainter* painter) const {
    const bool enabled = has(option, State_Enabled);
    box(painter, option->rect, enabled ? Tone::card : Tone::panel, enabled ? Tone::input_border : Tone::line);
    if (enabled && has(option, State_HasFocus)) {
        focus_ring(painter, option->rect);
    }
}

void Style::draw_combo(const QStyleOptionComboBox* option, QPainter* painter, const QWidget* widget) const {
    draw_input_frame(option, painter);
    const QRect arrow = subControlRect(CC_ComboBox, option, SC_ComboBoxArrow, widget);
    draw_chevron(*painter, arrow, Qt::DownArrow,
                 color(has(option, State_Enabled) ? Tone::secondary : Tone::disabled));
}

void Style::draw_spin(const QStyleOptionSpinBox* option, QPainter* painter, const QWidget* widget) const {
    draw_input_frame(option, painter);
    if (option->buttonSymbols == QAbstractSpinBox::NoButtons) {
        return;
    }
    const auto arrow = [&](SubControl sub, Qt::ArrowType direction, QAbstractSpinBox::StepEnabledFlag step,
                           double shift) {
        const bool live = has(option, State_Enabled) && (option->stepEnabled & step);
        const bool over = live && option->activeSubControls == sub && has(option, State_MouseOver);
        const QRectF r = QRectF(subControlRect(CC_SpinBox, option, sub, widget)).translated(-2, shift);
        draw_chevron(*painter, r, direction,
                     color(!live  ? Tone::disabled
                           : over ? Tone::accent
                                  : Tone::secondary));
    };
    const double shift = option->rect.height() > 24 ? 3 : 1.5;
    arrow(SC_SpinBoxUp, Qt::UpArrow, QAbstractSpinBox::StepUpEnabled, shift);
    arrow(SC_SpinBoxDown, Qt::DownArrow, QAbstractSpinBox::StepDownEnabled, -shift);
}

void Style::draw_slider(const QStyleOptionSlider* option, QPainter* painter, const QWidget* widget) const {
    const bool enabled = has(option, State_Enabled);
    const bool across = option->orientation == Qt::Horizontal;
    const QRectF r = option->rect;
    const QRectF handle = subControlRect(CC_Slider, option, SC_SliderHandle, widget);
    const QRectF groove = across ? QRectF(r.x(), r.center().y() - 2, r.width(), 4)
                                 : QRectF(r.center().x() - 2, r.y(), 4, r.height());
    QRectF filled = groove;
    if (across) {
        filled.setRight(handle.center().x());
    } else {
        filled.setTop(handle.center().y());
    }
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(color(Tone::button_border));
    painter->drawRoundedRect(groove, 2, 2);
    painter->setBrush(color(enabled ? Tone::accent : Tone::disabled));
    painter->drawRoundedRect(filled, 2, 2);
    painter->setPen(QPen(color(enabled ? Tone::accent : Tone::disabled), 2));
    painter->setBrush(color(has(option, State_Sunken) ? Tone::selection : Tone::card));
    painter->drawEllipse(handle.center(), 6, 6);
    if (keyboard_focus(option)) {
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(color(Tone::accent), 1));
        painter->drawEllipse(handle.center(), 7.5, 7.5);
    }
    painter->restore();
}

void Style::draw_scroll_bar(const QStyleOptionSlider* option, QPainter* painter,
                            const QWidget* widget) const {
    if (option->maximum <= option->minimum) {
        return;
    }
    const bool across = option->orientation == Qt::Horizontal;
    const QRectF handle = subControlRect(CC_ScrollBar, option, SC_ScrollBarSlider, widget);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    const bool active =
        option->activeSubControls & SC_ScrollBarSlider && option->state & (State_MouseOver | State_Sunken);
    painter->setBrush(color(active ? Tone::input_border : Tone::button_border));
    painter->drawRoundedRect(across ? handle.adjusted(2, 2, -2, -2) : handle.adjusted(2, 2, -2, -2), 3, 3);
    painter->restore();
}

void Style::draw_tool_button(const QStyleOptionToolButton* option, QPainter* painter,
                             const QWidget* widget) const {
    const bool enabled = has(option, State_Enabled);
    const bool down = has(option, State_Sunken);
    const bool on = has(option, State_On);
    if (enabled && (has(option, State_MouseOver) || down || on)) {
        const Tone fill = down || on ? Tone::selection : Tone::hover;
        box(painter, option->rect, fill, fill);
    }
    if (keyboard_focus(option)) {
        focus_ring(painter, option->rect);
    }
    QStyleOptionToolButton label = *option;
    label.state &= ~QStyle::State_MouseOver;
    drawControl(CE_ToolButtonLabel, &label, painter, widget);
    if (option->features & QStyleOptionToolButton::HasMenu &&
        option->toolButtonStyle != Qt::ToolButtonIconOnly) {
        const QRect r = option->rect;
        draw_chevron(*painter, QRectF(r.right() - 18, r.y(), 16, r.height()), Qt::DownArrow,
                     color(enabled ? Tone::secondary : Tone::disabled));
    }
}

}  // namespace plumbline::ui
