#pragma once
// A series on a plot.

#include <QFont>
#include <memory>
#include <optional>

#include "ui/plot/polyline.h"
#include "ui/plot/qcustomplot_wrapper.h"

namespace plumbline::ui {

/// One look of a series: the thin raw values, the smoothed curve, or the dot at its end. Owned by the plot.
/// Reads the series at each draw, so that appending copies nothing.
class SeriesLine : public QCPAbstractPlottable {
  public:
    enum class Part { raw, smoothed, tip };
    SeriesLine(QCPAxis* x_axis, QCPAxis* y_axis, std::shared_ptr<const Series> series, Part part);

    struct TipText {
        QString text;  // "%1" is the step
        QFont font;
        QColor color;
    };
    void set_tip_text(const TipText& text) { tip_text_ = text; }

    /// The point whose smoothed place is nearest to a place of the plot, in pixels: nearest along x for
    /// ordered points, nearest in the plane for paths.
    struct Nearest {
        std::size_t index = 0;
        QPointF pixel;
        double distance = 0;
    };
    std::optional<Nearest> nearest(QPointF place) const;

    double selectTest(const QPointF& place, bool only_selectable, QVariant* details = nullptr) const override;
    QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
    QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                           const QCPRange& in = QCPRange()) const override;

  protected:
    QRect clipRect() const override;
    void draw(QCPPainter* painter) override;
    void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override;

  private:
    PixelMap to_x() const;
    PixelMap to_y() const;
    QPointF pixel_of(std::size_t index) const;
    void draw_tip(QCPPainter* painter) const;

    std::shared_ptr<const Series> series_;
    Part part_;
    TipText tip_text_;
};

}  // namespace plumbline::ui
