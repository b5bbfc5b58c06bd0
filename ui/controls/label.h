#pragma once
// Text in one of the theme's sizes and tones.

#include <QLabel>

#include "ui/theme/theme.h"

namespace plumbline::ui {

enum class Face { inter, mono };

/// Plain text only: nothing that a model wrote is taken for markup. The theme must outlive it.
class Label : public QLabel {
    Q_OBJECT
  public:
    Label(const Theme& theme, const QString& text, TextSize size = TextSize::interface,
          Tone tone = Tone::text, int weight = 400, Face face = Face::inter, QWidget* parent = nullptr);

    void set_tone(Tone tone);
    /// Too long a line ends in an ellipsis; the whole text is then the tooltip.
    void set_elided(Qt::TextElideMode mode);
    QSize minimumSizeHint() const override;

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    void apply();
    const Theme& theme_;
    Tone tone_;
    Qt::TextElideMode elide_ = Qt::ElideNone;
};

}  // namespace plumbline::ui
