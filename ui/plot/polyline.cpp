#include "ui/plot/polyline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace plumbline::ui {

namespace {

class Lines {
  public:
    void add(QPointF point) { line_.append(point); }
    void end_line() {
        if (line_.size() == 1) {
            line_.append(line_.first());
        }
        if (!line_.isEmpty()) {
            lines_.push_back(std::move(line_));
            line_ = QPolygonF();
        }
    }
    std::vector<QPolygonF> take() {
        end_line();
        return std::move(lines_);
    }

  private:
    QPolygonF line_;
    std::vector<QPolygonF> lines_;
};

// The points of one pixel column, by their index and height.
struct Column {
    std::size_t first = 0, least = 0, greatest = 0, last = 0;
    double least_y = 0, greatest_y = 0;
    double left = 1, right = 0;  // of the pixel; no column while left > right

    bool holds(double x) const { return x >= left && x < right; }
    void start(std::size_t index, double x, double y) {
        first = least = greatest = last = index;
        least_y = greatest_y = y;
        left = std::floor(x);
        right = left + 1;
    }
    void extend(std::size_t index, double y) {
        if (y < least_y) {
            least = index;
            least_y = y;
        }
        if (y > greatest_y) {
            greatest = index;
            greatest_y = y;
        }
        last = index;
    }
};

constexpr std::size_t dense = 16;  // points in a pixel column from which on it looks like a bar

// The least and the greatest of many values, four at a time: one after the other, each waits for the last.
std::pair<double, double> least_and_greatest(std::span<const double> y) {
    std::array<double, 4> least, greatest;
    least.fill(y.front());
    greatest.fill(y.front());
    std::size_t i = 0;
    for (; i + 4 <= y.size(); i += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            least[lane] = std::min(least[lane], y[i + lane]);
            greatest[lane] = std::max(greatest[lane], y[i + lane]);
        }
    }
    for (; i < y.size(); ++i) {
        least[0] = std::min(least[0], y[i]);
        greatest[0] = std::max(greatest[0], y[i]);
    }
    return {*std::min_element(least.begin(), least.end()),
            *std::max_element(greatest.begin(), greatest.end())};
}

// The part of a segment inside of bounds (Liang and Barsky), as parts of its length.
struct Inside {
    double from = 0, to = 1;
    bool any() const { return from <= to; }
};

Inside inside(QPointF a, QPointF b, const QRectF& bounds) {
    Inside part;
    const auto cut = [&](double start, double way, double lower, double upper) {
        if (way == 0) {
            if (start < lower || start > upper) {
                part.to = -1;
            }
            return;
        }
        const double first = (way > 0 ? lower - start : upper - start) / way;
        const double last = (way > 0 ? upper - start : lower - start) / way;
        part.from = std::max(part.from, first);
        part.to = std::min(part.to, last);
    };
    cut(a.x(), b.x() - a.x(), bounds.left(), bounds.right());
    cut(a.y(), b.y() - a.y(), bounds.top(), bounds.bottom());
    return part;
}

}  // namespace

std::vector<QPolygonF> clipped_lines(const std::vector<QPolygonF>& lines, const QRectF& bounds) {
    Lines out;
    for (const QPolygonF& line : lines) {
        out.end_line();
        bool joined = false;
        for (qsizetype i = 1; i < line.size(); ++i) {
            const QPointF a = line[i - 1];
            const QPointF b = line[i];
            const Inside part = inside(a, b, bounds);
            if (!part.any()) {
                out.end_line();
                joined = false;
                continue;
            }
            if (!joined) {
                out.add(part.from == 0 ? a : a + part.from * (b - a));
            }
            joined = part.to == 1;
            out.add(joined ? b : a + part.to * (b - a));
            if (!joined) {
                out.end_line();
            }
        }
    }
    return out.take();
}

std::vector<QPolygonF> column_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                    PixelMap to_y) {
    Lines lines;
    Column column;
    const auto flush = [&] {
        if (column.left > column.right) {
            return;
        }
        std::array<std::size_t, 4> kept = {column.first, column.least, column.greatest, column.last};
        std::sort(kept.begin(), kept.end());
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (i == 0 || kept[i] != kept[i - 1]) {
                lines.add({to_x(x[kept[i]]), to_y(y[kept[i]])});
            }
        }
        column = Column();
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!drawable(x[i]) || !drawable(y[i])) {
            flush();
            lines.end_line();
            continue;
        }
        const double pixel = to_x(x[i]);
        if (column.holds(pixel)) {
            column.extend(i, y[i]);
        } else {
            flush();
            column.start(i, pixel, y[i]);
        }
    }
    flush();
    return lines.take();
}

std::vector<QPolygonF> ascending_column_lines(std::span<const double> x, std::span<const double> y,
                                              PixelMap to_x, PixelMap to_y) {
    Lines lines;
    double drawn = 0;  // y of the last point
    const auto add = [&](std::size_t i) {
        lines.add({to_x(x[i]), to_y(y[i])});
        drawn = y[i];
    };
    for (std::size_t first = 0; first < x.size();) {
        const double right = std::floor(to_x(x[first])) + 1;
        const auto begin = x.begin() + static_cast<std::ptrdiff_t>(first);
        const auto after =
            std::partition_point(begin, x.end(), [&](double value) { return to_x(value) < right; });
        // One at least: arithmetic on pixels far outside the screen may not tell it from its border.
        const std::size_t end = std::max(first + 1, static_cast<std::size_t>(after - x.begin()));
        const auto column = y.subspan(first, end - first);
        const auto [least, greatest] = least_and_greatest(column);
        const auto place_of = [&](double value) {
            return first +
                   static_cast<std::size_t>(std::find(column.begin(), column.end(), value) - column.begin());
        };
        const std::size_t low = place_of(least), high = place_of(greatest);
        if (column.size() > dense && first > 0 && end < x.size()) {
            // A bar from the end nearer to the bar before it.
            const bool up = std::abs(y[low] - drawn) <= std::abs(y[high] - drawn);
            add(up ? low : high);
            add(up ? high : low);
        } else {
            std::array<std::size_t, 4> kept = {first, low, high, end - 1};
            std::sort(kept.begin(), kept.end());
            std::for_each(kept.begin(), std::unique(kept.begin(), kept.end()), add);
        }
        first = end;
    }
    return lines.take();
}

std::vector<QPolygonF> path_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                  PixelMap to_y, std::size_t greatest_count, Gaps gaps) {
    const std::size_t stride = std::max<std::size_t>(1, (x.size() + greatest_count - 1) / greatest_count);
    Lines lines;
    QPointF drawn;
    bool in_line = false;
    // Without gaps, points that the stride leaves out are not looked at.
    const auto next = [&](std::size_t i) {
        const bool jump = gaps == Gaps::none && i + 1 < x.size();
        return jump ? std::min(i - i % stride + stride, x.size() - 1) : i + 1;
    };
    for (std::size_t i = 0; i < x.size(); i = next(i)) {
        if (!drawable(x[i]) || !drawable(y[i])) {
            lines.end_line();
            in_line = false;
            continue;
        }
        const bool last = i + 1 == x.size() || !drawable(x[i + 1]) || !drawable(y[i + 1]);
        if (in_line && !last && i % stride != 0) {
            continue;
        }
        const QPointF point(to_x(x[i]), to_y(y[i]));
        const QPointF way = point - drawn;
        if (in_line && !last && std::abs(way.x()) < 0.5 && std::abs(way.y()) < 0.5) {
            continue;
        }
        lines.add(point);
        drawn = point;
        in_line = true;
    }
    return lines.take();
}

IndexRange visible_points(std::span<const double> x, Extent range) {
    const auto first = std::lower_bound(x.begin(), x.end(), range.lower);
    const auto end = std::upper_bound(x.begin(), x.end(), range.upper);
    IndexRange out = {static_cast<std::size_t>(first - x.begin()), static_cast<std::size_t>(end - x.begin())};
    // Of several points at one place, the neighbour outside is the nearest in order.
    out.first -= out.first > 0 ? 1 : 0;
    out.end += out.end < x.size() ? 1 : 0;
    return out;
}

}  // namespace plumbline::ui
