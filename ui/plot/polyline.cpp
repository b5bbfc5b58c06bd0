#include "ui/plot/polyline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace plumbline::ui {

namespace {

// Far outside of every screen, near enough for the rasteriser's fixed point.
constexpr double farthest_pixel = 1e6;

QPointF bounded(double x, double y) {
    return {std::clamp(x, -farthest_pixel, farthest_pixel), std::clamp(y, -farthest_pixel, farthest_pixel)};
}

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

// The points of one pixel column, by their order.
struct Column {
    struct Entry {
        std::size_t index = 0;
        double x = 0, y = 0;
    };
    Entry first, least, greatest, last;
    double place = 0;
    bool used = false;

    void start(double column, Entry entry) {
        place = column;
        first = least = greatest = last = entry;
        used = true;
    }
    void extend(Entry entry) {
        if (entry.y < least.y) {
            least = entry;
        }
        if (entry.y > greatest.y) {
            greatest = entry;
        }
        last = entry;
    }
    void flush(Lines& lines) {
        if (!used) {
            return;
        }
        std::array<Entry, 4> entries = {first, least, greatest, last};
        std::sort(entries.begin(), entries.end(),
                  [](const Entry& a, const Entry& b) { return a.index < b.index; });
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (i == 0 || entries[i].index != entries[i - 1].index) {
                lines.add(bounded(entries[i].x, entries[i].y));
            }
        }
        used = false;
    }
};

}  // namespace

std::vector<QPolygonF> column_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                    PixelMap to_y) {
    Lines lines;
    Column column;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!drawable(x[i]) || !drawable(y[i])) {
            column.flush(lines);
            lines.end_line();
            continue;
        }
        const Column::Entry entry = {i, to_x(x[i]), to_y(y[i])};
        const double place = std::floor(entry.x);
        if (column.used && place == column.place) {
            column.extend(entry);
        } else {
            column.flush(lines);
            column.start(place, entry);
        }
    }
    column.flush(lines);
    return lines.take();
}

std::vector<QPolygonF> path_lines(std::span<const double> x, std::span<const double> y, PixelMap to_x,
                                  PixelMap to_y, std::size_t greatest_count) {
    const std::size_t stride = std::max<std::size_t>(1, (x.size() + greatest_count - 1) / greatest_count);
    Lines lines;
    QPointF drawn;
    bool in_line = false;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (!drawable(x[i]) || !drawable(y[i])) {
            lines.end_line();
            in_line = false;
            continue;
        }
        const bool last = i + 1 == x.size() || !drawable(x[i + 1]) || !drawable(y[i + 1]);
        if (in_line && !last && i % stride != 0) {
            continue;
        }
        const QPointF point = bounded(to_x(x[i]), to_y(y[i]));
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
