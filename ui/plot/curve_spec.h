#pragma once
// What a plot is told to show.

#include <QString>
#include <memory>
#include <vector>

#include "ui/plot/series.h"
#include "ui/theme/theme.h"

namespace plumbline::ui {

/// The look of a curve: its colour and, as the second cue, its dash pattern in pixels (empty: solid).
struct Stroke {
    Tone tone = Tone::run1;
    std::vector<double> dash_pixels;
};

struct CurveSpec {
    QString name;        // in tables: the metric's name
    QString legend;      // in the title row; empty: not listed there
    QString value_name;  // in the read-out: "loss"
    std::shared_ptr<const Series> series;
    Stroke stroke;
    int decimals = 2;      // in the title row; the read-out has one more
    QString missing_note;  // said while this curve has no points and another one has
    QString tip;           // beside the last point, "%1" is its step; empty: nothing
};

enum class Across { horizontal, vertical };

/// A dashed line at a value of one axis.
struct ReferenceLine {
    Across across = Across::horizontal;  // horizontal: at a value of the y axis
    double value = 0;
    QString caption;           // at the line: "ln 2, chance"
    QString beyond_caption;    // not empty: what lies above the value is shaded and called this
    bool caption_low = false;  // vertical: at the lower end, where the curve runs through the upper one
    double seen_from = 0;      // the whole view reaches the line once data reach this share of it; 0: always
};

struct XAxis {
    QString counted;          // the order of the points, in the read-out: "label", "step"
    QString value_name;       // of a path, in the read-out: "KL"; empty: x is what is counted
    QString unit;             // beside the last tick: "labels", "steps", "nats"
    double least_step = 1;    // between ticks; 0: none
    double least_upper = 10;  // the whole view reaches at least here
};

/// Something said in the title row that is not a curve: "budget 4.0".
struct Badge {
    QString text, value;
    bool warning = false;
};

}  // namespace plumbline::ui
