#pragma once
// How standard widgets look: Fusion's behaviour, our own paint. Lines are 1 px, corners 4 px, the focus
// ring is 2 px in the accent; nothing has a shadow or a gradient.

#include <QProxyStyle>

#include "ui/theme/theme.h"

class QStyleOptionComboBox;
class QStyleOptionSlider;
class QStyleOptionSpinBox;
class QStyleOptionToolButton;

namespace plumbline::ui {

/// What a push button is for; set with set_button_kind.
enum class ButtonKind { plain, flat, primary, choose };

void set_button_kind(QWidget& button, ButtonKind kind);
ButtonKind button_kind(const QWidget* button);
/// A 24 px control instead of one of 32 px.
void set_compact(QWidget& control);
bool is_compact(const QWidget* control);

/// The theme must outlive it.
class Style : public QProxyStyle {
    Q_OBJECT
  public:
    explicit Style(const Theme& theme);

    using QProxyStyle::polish;
    void polish(QWidget* widget) override;
    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* data) const override;
    QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                           const QWidget* widget) const override;
    QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl sub,
                         const QWidget* widget) const override;
    QRect subElementRect(SubElement element, const QStyleOption* option,
                         const QWidget* widget) const override;
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override;
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override;

  private:
    QColor color(Tone tone) const { return theme_.color(tone); }
    void box(QPainter* painter, const QRect& rect, Tone fill, Tone border, int radius = 4) const;
    void focus_ring(QPainter* painter, const QRect& rect, int radius = 4) const;

    void draw_button(const QStyleOption* option, QPainter* painter, const QWidget* widget) const;
    void draw_check(const QStyleOption* option, QPainter* painter, bool round) const;
    void draw_input_frame(const QStyleOption* option, QPainter* painter) const;
    void draw_combo(const QStyleOptionComboBox* option, QPainter* painter, const QWidget* widget) const;
    void draw_spin(const QStyleOptionSpinBox* option, QPainter* painter, const QWidget* widget) const;
    void draw_slider(const QStyleOptionSlider* option, QPainter* painter, const QWidget* widget) const;
    void draw_scroll_bar(const QStyleOptionSlider* option, QPainter* painter, const QWidget* widget) const;
    void draw_tool_button(const QStyleOptionToolButton* option, QPainter* painter,
                          const QWidget* widget) const;
    void draw_menu_item(const QStyleOption* option, QPainter* painter, const QWidget* widget) const;
    void draw_menu_bar_item(const QStyleOption* option, QPainter* painter) const;
    void draw_tab(const QStyleOption* option, QPainter* painter) const;
    void draw_header(const QStyleOption* option, QPainter* painter) const;
    void draw_separator(const QStyleOption* option, QPainter* painter, const QWidget* widget) const;

    const Theme& theme_;
};

/// A chevron of `width` px, centred in `rect`.
void draw_chevron(QPainter& painter, const QRectF& rect, Qt::ArrowType direction, const QColor& color,
                  double width = 7);

}  // namespace plumbline::ui
