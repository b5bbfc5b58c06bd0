#pragma once
// The values of one curve in the order in which they came, raw and exponentially smoothed.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace plumbline::ui {

/// What smoothing acts on. A curve over steps smooths its values; a path of two metrics, one against the
/// other, smooths both.
enum class Smoothing { value, both };

/// Least and greatest of something. Empty while lower > upper.
struct Extent {
    double lower = 1, upper = 0;

    bool empty() const { return lower > upper; }
    double size() const { return upper - lower; }
    void include(double value);
    bool operator==(const Extent&) const = default;
};

/// Whether a value can be drawn: finite, and of a size that leaves room for arithmetic on it.
inline bool drawable(double value) {
    return std::abs(value) <= 1e100;  // false for NaN
}

/// Owns its values; not for use from several threads. Values that are not drawable are kept, are smoothed to
/// NaN (a gap), and leave the smoothing of the values after them as it was.
class Series {
  public:
    explicit Series(Smoothing smoothing = Smoothing::value) : smoothing_(smoothing) {}

    /// O(1) amortised. `label_id` is the click that the point belongs to, `x` its place on the axis.
    void append(std::int64_t label_id, double x, double value);
    /// The same for a path: `step` orders the points, `x` and `value` are its two coordinates.
    void append(std::int64_t label_id, double step, double x, double value);
    /// Removes the points of a click and returns their number. O(size) if there are any.
    std::size_t remove_label(std::int64_t label_id);
    void clear();

    /// Weight of the past: 0 is none, up to 0.99. Values outside are moved to the nearer bound.
    ///     s_t = f s_(t-1) + (1 - f) v_t,  smoothed_t = s_t / (1 - f^t)
    /// The divisor takes out the bias towards the start at 0, so a constant stays what it is.
    void set_factor(double factor);
    double factor() const { return factor_; }

    std::size_t size() const { return values_.size(); }
    bool empty() const { return values_.empty(); }
    Smoothing smoothing() const { return smoothing_; }
    std::span<const std::int64_t> labels() const { return labels_; }
    std::span<const double> steps() const { return smoothing_ == Smoothing::both ? steps_ : x_; }
    std::span<const double> x() const { return x_; }
    std::span<const double> values() const { return values_; }
    std::span<const double> smoothed_x() const { return smoothing_ == Smoothing::both ? smoothed_x_ : x_; }
    std::span<const double> smoothed() const { return smoothed_; }

    /// Of the raw points that can be drawn.
    Extent x_extent() const { return x_extent_; }
    Extent value_extent() const { return value_extent_; }
    /// Points of which a coordinate cannot be drawn.
    std::size_t gaps() const { return gaps_; }
    /// Whether x never falls, so that it can be searched by halves.
    bool ordered() const { return ordered_; }
    /// The last point with a drawable smoothed value.
    std::optional<std::size_t> last_drawable() const;

  private:
    void account(std::size_t index);
    void rebuild();

    const Smoothing smoothing_;
    double factor_ = 0;
    std::vector<std::int64_t> labels_;
    std::vector<double> x_, values_, smoothed_;
    std::vector<double> steps_, smoothed_x_;  // used by paths only

    // State after the last point.
    double value_sum_ = 0, x_sum_ = 0, weight_ = 0;
    Extent x_extent_, value_extent_;
    std::size_t gaps_ = 0;
    bool ordered_ = true;
};

}  // namespace plumbline::ui
