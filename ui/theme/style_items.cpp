// Menus, tabs, headers, bars and the lines between docks.

#include <QAbstractButton>
#include <QHeaderView>
#include <QPainter>
#include <QStyleOption>
#include <QTabBar>

#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

bool has(const QStyleOption* option, QStyle::StateFlag flag) {
    return option->state & flag;
}

}  // namespace

void Style::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                        const QWidget* widget) const {
    switch (element) {
        case CE_PushButtonLabel:
            if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option)) {
                QStyleOptionButton label = *button;
                const bool enabled = has(option, State_Enabled);
                const Tone tone = !enabled                                     ? Tone::disabled
                                  : button_kind(widget) == ButtonKind::primary ? Tone::on_accent
                                                                               : Tone::text;
                label.palette.setColor(QPalette::ButtonText, color(tone));
                label.state &= ~State_HasFocus;
                QProxyStyle::drawControl(element, &label, painter, widget);
                return;
            }
            break;
        case CE_MenuBarEmptyArea:
            painter->fillRect(option->rect, color(Tone::chrome));
            return;
        case CE_MenuBarItem:
            draw_menu_bar_item(option, painter);
            return;
        case CE_MenuItem:
            draw_menu_item(option, painter, widget);
            return;
        case CE_MenuEmptyArea:
            return;
        case CE_TabBarTabShape:
            draw_tab(option, painter);
            return;
        case CE_TabBarTabLabel:
            if (const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option)) {
                const bool selected = has(option, State_Selected);
                painter->setFont(theme_.font(TextSize::interface, selected ? 600 : 400));
                painter->setPen(color(!has(option, State_Enabled) ? Tone::disabled
                                      : selected                  ? Tone::text
                                                                  : Tone::secondary));
                painter->drawText(tab->rect, Qt::AlignCenter | Qt::TextShowMnemonic, tab->text);
                return;
            }
            break;
        case CE_Header:
            painter->fillRect(option->rect, color(Tone::panel));
            painter->fillRect(QRect(option->rect.left(), option->rect.bottom(), option->rect.width(), 1),
                              color(Tone::line));
            draw_header(option, painter);
            return;
        case CE_HeaderEmptyArea:
            painter->fillRect(option->rect, color(Tone::panel));
            return;
        case CE_ToolBar:
            painter->fillRect(option->rect, color(Tone::chrome));
            painter->fillRect(QRect(option->rect.left(), option->rect.bottom(), option->rect.width(), 1),
                              color(Tone::line));
            return;
        case CE_ProgressBarGroove:
        case CE_ProgressBarContents:
            if (const auto* bar = qstyleoption_cast<const QStyleOptionProgressBar*>(option)) {
                QRectF r = QRectF(option->rect.x(), option->rect.center().y() - 1.5, option->rect.width(), 4);
                if (element == CE_ProgressBarContents) {
                    const double range = std::max(1, bar->maximum - bar->minimum);
                    r.setWidth(r.width() * std::clamp((bar->progress - bar->minimum) / range, 0.0, 1.0));
                }
                painter->save();
                painter->setRenderHint(QPainter::Antialiasing);
                painter->setPen(Qt::NoPen);
                painter->setBrush(
                    color(element == CE_ProgressBarGroove ? Tone::button_border : Tone::accent));
                painter->drawRoundedRect(r, 2, 2);
                painter->restore();
                return;
            }
            break;
        case CE_ProgressBarLabel:
        case CE_SizeGrip:
            return;
        default:
            break;
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void Style::draw_menu_bar_item(const QStyleOption* option, QPainter* painter) const {
    const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
    painter->fillRect(option->rect, color(Tone::chrome));
    if (!item) {
        return;
    }
    if (has(option, State_Selected) && has(option, State_Enabled)) {
        box(painter, option->rect.adjusted(0, 2, 0, -2), Tone::hover, Tone::hover);
    }
    painter->setPen(color(has(option, State_Enabled) ? Tone::text : Tone::disabled));
    painter->drawText(option->rect, Qt::AlignCenter | Qt::TextShowMnemonic | Qt::TextSingleLine, item->text);
}

void Style::draw_menu_item(const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
    if (!item) {
        return;
    }
    const QRect r = option->rect;
    if (item->menuItemType == QStyleOptionMenuItem::Separator) {
        painter->fillRect(QRect(r.left() + 4, r.center().y(), r.width() - 8, 1), color(Tone::line));
        return;
    }
    const bool enabled = has(option, State_Enabled);
    const bool in_combo = widget && widget->inherits("QComboBoxPrivateContainer");
    if (has(option, State_Selected) && enabled) {
        box(painter, r, Tone::selection, Tone::selection, in_combo ? 0 : 4);
    }
    const Tone tone = enabled ? Tone::text : Tone::disabled;
    const QRect mark(r.left() + 6, r.top(), 16, r.height());
    if (item->checkType != QStyleOptionMenuItem::NotCheckable && item->checked) {
        const QRectF m(mark.x(), mark.center().y() - 7.5, 16, 16);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(color(tone), 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->drawPolyline(
            QPolygonF({QPointF(m.x() + 3.5, m.y() + 8.5), QPointF(m.x() + 6.5, m.y() + 11.5),
                       QPointF(m.x() + 12.5, m.y() + 4.5)}));
        painter->restore();
    } else if (!item->icon.isNull()) {
        item->icon.paint(painter, mark, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
    }
    const QRect text = r.adjusted(30, 0, -12, 0);
    const qsizetype tab = item->text.indexOf(QLatin1Char('\t'));
    painter->setFont(item->font);
    painter->setPen(color(tone));
    painter->drawText(text, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextShowMnemonic | Qt::TextSingleLine,
                      tab >= 0 ? item->text.left(tab) : item->text);
    if (tab >= 0) {
        painter->setFont(theme_.font(TextSize::secondary));
        painter->setPen(color(enabled ? Tone::tertiary : Tone::disabled));
        painter->drawText(text, Qt::AlignVCenter | Qt::AlignRight | Qt::TextSingleLine,
                          item->text.mid(tab + 1));
    }
    if (item->menuItemType == QStyleOptionMenuItem::SubMenu) {
        draw_chevron(*painter, QRectF(r.right() - 22, r.y(), 16, r.height()), Qt::RightArrow, color(tone));
    }
}

void Style::draw_tab(const QStyleOption* option, QPainter* painter) const {
    const QRect r = option->rect;
    const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option);
    const bool below = tab && (tab->shape == QTabBar::RoundedSouth || tab->shape == QTabBar::TriangularSouth);
    if (has(option, State_MouseOver) && !has(option, State_Selected) && has(option, State_Enabled)) {
        painter->fillRect(r.adjusted(0, 0, 0, -1), color(Tone::hover));
    }
    const int line = below ? r.top() : r.bottom();
    painter->fillRect(QRect(r.left(), line, r.width(), 1), color(Tone::line));
    if (has(option, State_Selected)) {
        painter->fillRect(QRect(r.left(), below ? r.top() : r.bottom() - 1, r.width(), 2),
                          color(Tone::accent));
    }
    if (has(option, State_HasFocus) && has(option, State_KeyboardFocusChange)) {
        focus_ring(painter, r.adjusted(2, 2, -2, -3));
    }
}

void Style::draw_header(const QStyleOption* option, QPainter* painter) const {
    const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option);
    if (!header) {
        return;
    }
    painter->setFont(theme_.font(TextSize::secondary));
    painter->setPen(color(Tone::tertiary));
    const bool sorted = header->sortIndicator != QStyleOptionHeader::None;
    const bool right = header->textAlignment & Qt::AlignRight;
    const QRect r = header->rect.adjusted(8, 0, -8, 0);  // as wide as the cells below
    const QString text = painter->fontMetrics().elidedText(header->text, Qt::ElideRight, r.width());
    painter->drawText(r, int(header->textAlignment | Qt::AlignVCenter), text);
    if (sorted) {
        const int used = painter->fontMetrics().horizontalAdvance(text) + 4;
        const QRectF mark(right ? r.right() - used - 12 : r.left() + used, r.y(), 12, r.height());
        draw_chevron(*painter, mark,
                     header->sortIndicator == QStyleOptionHeader::SortUp ? Qt::UpArrow : Qt::DownArrow,
                     color(Tone::tertiary), 5.5);
    }
}

void Style::draw_separator(const QStyleOption* option, QPainter* painter, const QWidget* widget) const {
    const QRect r = option->rect;
    const bool over = has(option, State_MouseOver) && has(option, State_Enabled);
    painter->fillRect(r, color(over ? Tone::accent : Tone::canvas));
    if (over || !widget) {
        return;
    }
    // The line lies on the dock's side of the grip, so that the work area ends at it.
    QRect line = r;
    if (r.height() > r.width()) {
        const bool left = r.center().x() < widget->width() / 2;
        line = QRect(left ? r.left() : r.right(), r.top(), 1, r.height());
    } else {
        line = QRect(r.left(), r.bottom(), r.width(), 1);
    }
    painter->fillRect(line, color(Tone::line));
}

}  // namespace plumbline::ui
