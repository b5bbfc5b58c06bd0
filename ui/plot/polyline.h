#pragma once
// From data to the pixels of a line: gaps cut it, and what falls into one pixel is drawn once.

#include <QPolygonF>
#include <QRectF>
#include <span>
#include <vector>

#include "ui/plot/series.h"

namespace plumbline::ui {

/// pixel = scale * value + offset.
struct PixelMap {
    double scale = 1, offset = 0;
    double operator()(double value) const { return scale * value + offset; }
};

/// The lines between consecutive drawable points, in pixels; a point that cannot be drawn ends one line. A
/// line of one point has two equal ends, so that a round pen shows it. Points that share a pixel column are
/// drawn as the first, the least, the greatest and the last of them: the picture stays the same at any
/// number of points. `x` and `y` have the same length.
std::vector<QPolygonF> column_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                    PixelMap to_y);

/// The same for `x` that never falls and points that can all be drawn, in a fraction of the time: a million
/// of them in less than a frame. A column of many points is a bar from the least to the greatest or back.
std::vector<QPolygonF> ascending_column_lines(std::span<const double> x, std::span<const double> y,
                                              PixelMap to_x, PixelMap to_y);

/// Whether points that cannot be drawn may be among them.
enum class Gaps { none, some };

/// The same for a path that may turn back: points less than half a pixel from the last one drawn are left
/// out, and a path of more than `greatest_count` points keeps evenly spaced ones. The last point stays.
std::vector<QPolygonF> path_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                  PixelMap to_y, std::size_t greatest_count, Gaps gaps = Gaps::some);

/// The parts of lines that lie inside `bounds`, cut where they cross its border. A zoomed view needs it: a
/// line of millions of pixels takes the painter seconds.
std::vector<QPolygonF> clipped_lines(const std::vector<QPolygonF>& lines, const QRectF& bounds);

/// The points of ascending `x` that a view of `range` needs: those inside it and one on either side.
struct IndexRange {
    std::size_t first = 0, end = 0;
};
IndexRange visible_points(std::span<const double> x, Extent range);

}  // namespace plumbline::ui
