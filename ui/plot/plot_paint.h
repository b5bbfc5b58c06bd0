#pragma once
// What a plot paints around its curves: reference lines, the axis unit, messages, the read-out.

#include <QStringList>
#include <functional>

#include "ui/plot/curve_spec.h"
#include "ui/plot/qcustomplot_wrapper.h"
#include "ui/plot/round_ticker.h"

namespace plumbline::ui {

/// A place in a plot's layers where a function paints, in the pixels of the plot. Owned by the plot.
class PaintedPart : public QCPLayerable {
  public:
    using Paint = std::function<void(QCPPainter&)>;
    enum class Clip { axes, plot };
    PaintedPart(QCPAxisRect* axes, const QString& layer, Clip clip, Paint paint);

  protected:
    QRect clipRect() const override;
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
    void draw(QCPPainter* painter) override;

  private:
    QCPAxisRect* axes_;
    Clip clip_;
    Paint paint_;
};

/// The region beyond a reference line.
void paint_beyond(QCPPainter& painter, const QCPAxisRect& axes, const ReferenceLine& line,
                  const Theme& theme);
/// The dashed line. A line to the right of the view is named at the view's border instead.
void paint_reference(QCPPainter& painter, const QCPAxisRect& axes, const ReferenceLine& line,
                     const Theme& theme);
/// The last tick's label with the unit.
void paint_unit(QCPPainter& painter, const QCPAxis& axis, const RoundTicker& ticker, const Theme& theme);
/// In the middle of the axes: "Vote to begin".
void paint_message(QCPPainter& painter, QRect axes, const QString& text, const Theme& theme);
/// Small in the lower left corner: "accuracy needs 5 pairs".
void paint_note(QCPPainter& painter, QRect axes, const QString& text, const Theme& theme);
/// A ring on a point and a card with lines of text, kept inside `bounds`.
void paint_readout(QCPPainter& painter, QRect bounds, QPointF point, const QColor& color,
                   const QStringList& lines, const Theme& theme);

}  // namespace plumbline::ui
