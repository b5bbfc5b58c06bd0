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
    canvas,
    chrome,
    panel,
    card,
    hover,
    text,
    secondary,
    tertiary,
    disabled,
    line,
    button_border,
    input_border,
    accent,
    on_accent,
    selection,
    selection_border,
    warning,
    up1,
    up2,
    up3,
    down1,
    down2,
    down3,
    run1,
    run2,
    run3,
    run4,
    grid,
    axis,
};

enum class TextSize { axis, secondary, interface, lesson, reply, reply_small, lesson_title, start_title };

/// Owned by the application; used on the GUI thread.
class Theme : public QObject {
    Q_OBJECT
  public:
    explicit Theme(QApplication& application);  // loads the bundled fonts, applies style and palette

    Scheme scheme() const { return scheme_; }
    void set_scheme(Scheme scheme);
    /// What the desktop's own palette is, read before any Theme was applied.
    Scheme system_scheme() const { return system_scheme_; }
    QColor color(Tone tone) const;
    QFont font(TextSize size, int weight = 400) const;  // Inter
    QFont mono(TextSize size, int weight = 400) const;  // JetBrains Mono, one px smaller
    /// resources/icons/NAME.svg at any size; its tone follows later changes of scheme.
    QIcon icon(const QString& name, Tone tone = Tone::text) const;
    /// Whether things may move on the screen; off where the platform asks for less motion.
    bool animations() const { return animations_; }
    void set_animations(bool on) { animations_ = on; }

  Q_SIGNALS:
    void changed();

  private:
    void apply();
    QApplication& application_;
    Scheme scheme_ = Scheme::light;
    Scheme system_scheme_ = Scheme::light;
    bool animations_ = true;
};

}  // namespace plumbline::ui
