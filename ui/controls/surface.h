#pragma once
// A ground to lay things on: filled in a tone, with lines where they are wanted.

#include <QWidget>

#include "ui/theme/theme.h"

namespace plumbline::ui {

enum class Edge { none, top, bottom, left, right, box };

/// `box` has rounded corners of 8 px. The theme must outlive it.
class Surface : public QWidget {
    Q_OBJECT
  public:
    Surface(const Theme& theme, Tone fill, Edge edge = Edge::none, QWidget* parent = nullptr);

    const Theme& theme() const { return theme_; }
    void set_fill(Tone fill);
    void set_border(Tone border);
    /// Lines only, on whatever lies behind.
    void set_filled(bool filled);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    const Theme& theme_;
    Tone fill_;
    Tone border_ = Tone::line;
    Edge edge_;
    bool filled_ = true;
};

/// A vertical line of 1 px between groups in a row.
class Divider : public QWidget {
    Q_OBJECT
  public:
    Divider(const Theme& theme, int height, QWidget* parent = nullptr);

  protected:
    void paintEvent(QPaintEvent* event) override;

  private:
    const Theme& theme_;
};

}  // namespace plumbline::ui
