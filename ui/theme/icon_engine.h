#pragma once
// A line icon that is drawn from its SVG at the size asked for, in a colour of the theme.

#include <QByteArray>
#include <QIconEngine>

#include "ui/theme/theme.h"

namespace plumbline::ui {

/// The theme must outlive it. Disabled icons take Tone::disabled.
class IconEngine : public QIconEngine {
  public:
    IconEngine(const Theme& theme, const QString& name, Tone tone);

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override;
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override;
    QIconEngine* clone() const override { return new IconEngine(*this); }
    bool isNull() override { return svg_.isEmpty(); }

  private:
    const Theme* theme_;
    QByteArray svg_;  // strokes in `currentColor`
    Tone tone_;
};

}  // namespace plumbline::ui
