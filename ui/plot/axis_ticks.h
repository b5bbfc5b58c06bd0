#pragma once
// Round axis limits and tick labels.

#include <QString>

#include "ui/plot/series.h"

namespace plumbline::ui {

/// Limits that are multiples of `step`.
struct RoundRange {
    double lower = 0, upper = 1, step = 1;
    bool operator==(const RoundRange&) const = default;
};

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`, which is above 0.
double round_step(double least);

/// Round limits around lower..upper with at most `intervals` + 1 intervals. `least_step` is a lower bound of
/// the step (1 for whole numbers; 0: none). An empty or single-valued extent is widened around its value.
RoundRange round_range(Extent data, int intervals, double least_step = 0);

/// "0.4", "−0.2", "12 000", "2e−5": as many decimals as the step needs, a true minus sign.
QString tick_text(double value, double step);

/// A value for people: `decimals` places, more for small values, a true minus sign; "NaN", "∞", "−∞".
QString value_text(double value, int decimals);

}  // namespace plumbline::ui
