#include "ui/theme/style.h"

#include <QAbstractButton>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSlider>
#include <QStyleFactory>
#include <QStyleOption>
#include <QTabBar>

namespace plumbline::ui {

namespace {

constexpr const char* kind_property = "plumbline_kind";
constexpr const char* compact_property = "plumbline_compact";
constexpr int scroll_extent = 10;

}  // namespace

void set_button_kind(QWidget& button, ButtonKind kind) {
    button.setProperty(kind_property, static_cast<int>(kind));
    button.update();
}

ButtonKind button_kind(const QWidget* button) {
    return button ? static_cast<ButtonKind>(button->property(kind_property).toInt()) : ButtonKind::plain;
}

void set_compact(QWidget& control) {
    control.setProperty(compact_property, true);
    control.updateGeometry();
}

bool is_compact(const QWidget* control) {
    return control && control->property(compact_property).toBool();
}

Style::Style(const Theme& theme)
    : QProxyStyle(QStyleFactory::create(QStringLiteral("Fusion"))), theme_(theme) {}

void Style::polish(QWidget* widget) {
    QProxyStyle::polish(widget);
    if (qobject_cast<QAbstractButton*>(widget) || qobject_cast<QComboBox*>(widget) ||
        qobject_cast<QAbstractSpinBox*>(widget) || qobject_cast<QLineEdit*>(widget) ||
        qobject_cast<QTabBar*>(widget) || qobject_cast<QScrollBar*>(widget) ||
        qobject_cast<QSlider*>(widget)) {
        widget->setAttribute(Qt::WA_Hover);
    }
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
    switch (metric) {
        case PM_IndicatorWidth:
        case PM_IndicatorHeight:
        case PM_ExclusiveIndicatorWidth:
        case PM_ExclusiveIndicatorHeight:
        case PM_SmallIconSize:
        case PM_ToolBarIconSize:
        case PM_ButtonIconSize:
        case PM_TabBarIconSize:
        case PM_SliderThickness:
        case PM_SliderControlThickness:
            return 16;
        case PM_SliderLength:
            return 14;
        case PM_LayoutLeftMargin:
        case PM_LayoutRightMargin:
        case PM_LayoutTopMargin:
        case PM_LayoutBottomMargin:
            return 16;
        case PM_LayoutHorizontalSpacing:
        case PM_LayoutVerticalSpacing:
        case PM_CheckBoxLabelSpacing:
        case PM_HeaderMargin:
            return 8;
        case PM_ScrollBarExtent:
            return scroll_extent;
        case PM_ScrollBarSliderMin:
            return 24;
        case PM_ScrollView_ScrollBarSpacing:
        case PM_ToolBarFrameWidth:
        case PM_ToolBarItemMargin:
        case PM_ToolBarItemSpacing:
        case PM_MenuBarPanelWidth:
        case PM_MenuBarVMargin:
        case PM_MenuBarItemSpacing:
        case PM_ButtonShiftHorizontal:
        case PM_ButtonShiftVertical:
        case PM_DockWidgetFrameWidth:
        case PM_TabBarBaseOverlap:
        case PM_TabBarTabShiftVertical:
        case PM_TabBarTabShiftHorizontal:
        case PM_FocusFrameVMargin:
            return 0;
        case PM_MenuBarHMargin:
            return 8;
        case PM_MenuPanelWidth:
        case PM_DefaultFrameWidth:
        case PM_ComboBoxFrameWidth:
        case PM_SpinBoxFrameWidth:
            return 1;
        case PM_FocusFrameHMargin:  // also the space before an item's text
            return 7;
        case PM_MenuVMargin:
        case PM_MenuHMargin:
            return 4;
        case PM_ToolTipLabelFrameWidth:
            return 6;
        case PM_DockWidgetSeparatorExtent:
            return 4;
        case PM_TabBarTabHSpace:
            return 24;
        case PM_TabBarTabVSpace:
            return 16;
        default:
            return QProxyStyle::pixelMetric(metric, option, widget);
    }
}

int Style::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                     QStyleHintReturn* data) const {
    switch (hint) {
        case SH_UnderlineShortcut:
        case SH_Slider_AbsoluteSetButtons:
            return hint == SH_UnderlineShortcut ? 1 : int(Qt::LeftButton);
        case SH_DialogButtonBox_ButtonsHaveIcons:
        case SH_EtchDisabledText:
        case SH_ComboBox_Popup:
        case SH_Widget_Animation_Duration:
        case SH_Menu_SloppySubMenus:
            return 0;
        case SH_ToolTip_WakeUpDelay:
            return 400;
        default:
            return QProxyStyle::styleHint(hint, option, widget, data);
    }
}

QSize Style::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                              const QWidget* widget) const {
    const int height = is_compact(widget) ? 24 : 32;
    switch (type) {
        case CT_PushButton:
            return {std::max(size.width() + (is_compact(widget) ? 20 : 24), height), height};
        case CT_LineEdit:
            return {size.width() + 16, height};
        case CT_ComboBox: {
            const QSize content = QProxyStyle::sizeFromContents(type, option, size, widget);
            return {content.width() + 12, height};
        }
        case CT_SpinBox:
            return {size.width() + 28, height};
        case CT_ToolButton: {
            const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option);
            const bool text = button && button->toolButtonStyle != Qt::ToolButtonIconOnly;
            return {size.width() + (text ? 10 : 8), height};
        }
        case CT_MenuBarItem:
            return {size.width() + 16, 28};
        case CT_MenuItem: {
            const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
            if (item && item->menuItemType == QStyleOptionMenuItem::Separator) {
                return {size.width(), 9};
            }
            const QSize content = QProxyStyle::sizeFromContents(type, option, size, widget);
            return {content.width() + 24, 28};
        }
        case CT_TabBarTab:
            return {size.width(), 40};
        case CT_CheckBox:
        case CT_RadioButton: {
            const QSize content = QProxyStyle::sizeFromContents(type, option, size, widget);
            return {content.width(), std::max(24, content.height())};
        }
        case CT_ItemViewItem: {
            const QSize content = QProxyStyle::sizeFromContents(type, option, size, widget);
            return {content.width(), std::max(28, content.height())};
        }
        case CT_HeaderSection:
            return {QProxyStyle::sizeFromContents(type, option, size, widget).width(), 28};
        case CT_ProgressBar:
            return {size.width(), 4};
        default:
            return QProxyStyle::sizeFromContents(type, option, size, widget);
    }
}

QRect Style::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl sub,
                            const QWidget* widget) const {
    const QRect r = option->rect;
    if (control == CC_ComboBox) {
        const int arrow = r.height() >= 40 ? 40 : 26;
        switch (sub) {
            case SC_ComboBoxArrow:
                return visualRect(option->direction, r,
                                  QRect(r.right() + 1 - arrow, r.y(), arrow, r.height()));
            case SC_ComboBoxEditField:
                return visualRect(option->direction, r, r.adjusted(r.height() >= 40 ? 10 : 8, 1, -arrow, -1));
            default:
                break;
        }
    }
    if (control == CC_SpinBox) {
        const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
        const int buttons = spin && spin->buttonSymbols == QAbstractSpinBox::NoButtons ? 0 : 20;
        const QRect arrows(r.right() + 1 - buttons, r.y() + 1, buttons, r.height() - 2);
        switch (sub) {
            case SC_SpinBoxUp:
                return visualRect(option->direction, r, arrows.adjusted(0, 0, 0, -arrows.height() / 2));
            case SC_SpinBoxDown:
                return visualRect(option->direction, r, arrows.adjusted(0, arrows.height() / 2, 0, 0));
            case SC_SpinBoxEditField:
                return visualRect(option->direction, r, r.adjusted(6, 1, -buttons, -1));
            case SC_SpinBoxFrame:
                return r;
            default:
                break;
        }
    }
    if (control == CC_ScrollBar) {
        if (const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
            const bool across = bar->orientation == Qt::Horizontal;
            const int length = across ? r.width() : r.height();
            const int range = bar->maximum - bar->minimum;
            const int handle =
                range <= 0 ? length
                           : std::min(length, std::max<int>(24, int(qint64(length) * bar->pageStep /
                                                                    (qint64(range) + bar->pageStep))));
            const int at = sliderPositionFromValue(bar->minimum, bar->maximum, bar->sliderPosition,
                                                   length - handle, bar->upsideDown);
            const auto part = [&](int from, int extent) {
                return across ? QRect(r.x() + from, r.y(), extent, r.height())
                              : QRect(r.x(), r.y() + from, r.width(), extent);
            };
            switch (sub) {
                case SC_ScrollBarSlider:
                    return part(at, handle);
                case SC_ScrollBarGroove:
                    return r;
                case SC_ScrollBarSubPage:
                    return part(0, at);
                case SC_ScrollBarAddPage:
                    return part(at + handle, length - at - handle);
                default:
                    return {};
            }
        }
    }
    return QProxyStyle::subControlRect(control, option, sub, widget);
}

QRect Style::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const {
    if (element == SE_LineEditContents) {
        const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
        const int margin = frame && frame->lineWidth > 0 ? 6 : 0;
        return option->rect.adjusted(margin, 0, -margin, 0);
    }
    return QProxyStyle::subElementRect(element, option, widget);
}

void Style::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                          const QWidget* widget) const {
    switch (element) {
        case PE_PanelButtonCommand:
            draw_button(option, painter, widget);
            return;
        case PE_FrameFocusRect:
        case PE_FrameStatusBarItem:
        case PE_PanelStatusBar:
        case PE_FrameDefaultButton:
        case PE_IndicatorToolBarSeparator:
        case PE_IndicatorHeaderArrow:  // part of the label, see draw_header
        case PE_PanelScrollAreaCorner:
            return;
        case PE_PanelLineEdit:
            if (const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
                frame && frame->lineWidth > 0) {
                draw_input_frame(option, painter);
            }
            return;
        case PE_FrameLineEdit:
            return;
        case PE_IndicatorCheckBox:
            draw_check(option, painter, false);
            return;
        case PE_IndicatorRadioButton:
            draw_check(option, painter, true);
            return;
        case PE_PanelMenu:
            painter->fillRect(option->rect, color(Tone::card));
            return;
        case PE_FrameMenu:
        case PE_PanelTipLabel:
            box(painter, option->rect, Tone::card, Tone::button_border, 0);
            return;
        case PE_Frame:
            if (widget && widget->inherits("QComboBoxPrivateContainer")) {
                box(painter, option->rect, Tone::card, Tone::input_border, 0);
                return;
            }
            if (qobject_cast<const QPlainTextEdit*>(widget)) {
                draw_input_frame(option, painter);
                return;
            }
            painter->setPen(color(Tone::button_border));
            painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
            return;
        case PE_FrameDockWidget:
            painter->setPen(color(Tone::line));
            painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
            return;
        case PE_FrameTabBarBase:
            painter->fillRect(QRect(option->rect.left(), option->rect.bottom(), option->rect.width(), 1),
                              color(Tone::line));
            return;
        case PE_IndicatorDockWidgetResizeHandle:
            draw_separator(option, painter, widget);
            return;
        case PE_PanelItemViewRow:
            return;
        case PE_PanelItemViewItem: {
            const bool selected = option->state & State_Selected;
            if (selected || (option->state & State_MouseOver && option->state & State_Enabled)) {
                painter->fillRect(option->rect, color(selected ? Tone::selection : Tone::hover));
            }
            return;
        }
        case PE_IndicatorArrowDown:
            draw_chevron(*painter, option->rect, Qt::DownArrow, color(Tone::secondary));
            return;
        case PE_IndicatorArrowUp:
            draw_chevron(*painter, option->rect, Qt::UpArrow, color(Tone::secondary));
            return;
        case PE_IndicatorArrowRight:
            draw_chevron(*painter, option->rect, Qt::RightArrow, color(Tone::secondary));
            return;
        case PE_IndicatorArrowLeft:
            draw_chevron(*painter, option->rect, Qt::LeftArrow, color(Tone::secondary));
            return;
        default:
            QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                               const QWidget* widget) const {
    switch (control) {
        case CC_ComboBox:
            if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option)) {
                draw_combo(combo, painter, widget);
                return;
            }
            break;
        case CC_SpinBox:
            if (const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option)) {
                draw_spin(spin, painter, widget);
                return;
            }
            break;
        case CC_Slider:
            if (const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
                draw_slider(slider, painter, widget);
                return;
            }
            break;
        case CC_ScrollBar:
            if (const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
                draw_scroll_bar(bar, painter, widget);
                return;
            }
            break;
        case CC_ToolButton:
            if (const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
                draw_tool_button(button, painter, widget);
                return;
            }
            break;
        default:
            break;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

}  // namespace plumbline::ui
