#pragma once
// Colours, type scale and spacing of the window. One Theme lives in the application and is handed to whoever
// paints; nobody else names a colour or a font.

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QObject>
#include <QString>

class QApplication;

namespace plumbline::ui {

enum class Scheme { light, dark };

enum class Tone {
    canvas, chrome, panel, card, hover,
    text, secondary, tertiary, disabled,
    line, button_border, input_border,
    accent, on_accent, selection, selection_border, warning,
    up1, up2, up3, down1, down2, down3,
    run1, run2, run3, run4, grid, axis,
};

enum class TextSize { axis, secondary, interface, lesson, reply, reply_small, lesson_title, start_title };

/// Owned by the application; used on the GUI thread.
class Theme : public QObject {
    Q_OBJECT
  public:
    explicit Theme(QApplication& application);   // loads the bundled fonts, applies style and palette

    Scheme scheme() const { return scheme_; }
    void set_scheme(Scheme scheme);
    QColor color(Tone tone) const;
    QFont font(TextSize size, int weight = 400) const;   // Inter
    QFont mono(TextSize size, int weight = 400) const;   // JetBrains Mono, one px smaller
    QIcon icon(const QString& name, Tone tone = Tone::text) const;   // resources/icons/NAME.svg, tinted

  Q_SIGNALS:
    void changed();

  private:
    void apply();
    QApplication& application_;
    Scheme scheme_ = Scheme::light;
};

}  // namespace plumbline::ui
