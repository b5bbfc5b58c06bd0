#include "ui/plot/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumbline::ui {

namespace {

constexpr double greatest_factor = 0.99;

template <class Value>
void erase_where(std::vector<Value>& values, const std::vector<bool>& erased) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!erased[i]) {
            values[kept++] = values[i];
        }
    }
    values.resize(kept);
}

}  // namespace

void Extent::include(double value) {
    if (empty()) {
        lower = upper = value;
    } else {
        lower = std::min(lower, value);
        upper = std::max(upper, value);
    }
}

void Series::append(std::int64_t label_id, double x, double value) {
    append(label_id, x, x, value);
}

void Series::append(std::int64_t label_id, double step, double x, double value) {
    labels_.push_back(label_id);
    x_.push_back(x);
    values_.push_back(value);
    smoothed_.push_back(0);
    if (smoothing_ == Smoothing::both) {
        steps_.push_back(step);
        smoothed_x_.push_back(0);
    }
    account(values_.size() - 1);
}

void Series::account(std::size_t index) {
    const double x = x_[index];
    const double value = values_[index];
    ordered_ = ordered_ && (index == 0 || x_[index - 1] <= x);  // a NaN ends the order too
    if (!drawable(x) || !drawable(value)) {
        ++gaps_;
        smoothed_[index] = std::numeric_limits<double>::quiet_NaN();
        if (smoothing_ == Smoothing::both) {
            smoothed_x_[index] = std::numeric_limits<double>::quiet_NaN();
        }
        return;
    }
    x_extent_.include(x);
    value_extent_.include(value);
    weight_ = factor_ * weight_ + (1 - factor_);  // 1 - f^t
    value_sum_ = factor_ * value_sum_ + (1 - factor_) * value;
    smoothed_[index] = value_sum_ / weight_;
    if (smoothing_ == Smoothing::both) {
        x_sum_ = factor_ * x_sum_ + (1 - factor_) * x;
        smoothed_x_[index] = x_sum_ / weight_;
    }
}

void Series::rebuild() {
    value_sum_ = x_sum_ = weight_ = 0;
    x_extent_ = value_extent_ = Extent();
    gaps_ = 0;
    ordered_ = true;
    for (std::size_t i = 0; i < values_.size(); ++i) {
        account(i);
    }
}

std::size_t Series::remove_label(std::int64_t label_id) {
    std::vector<bool> erased(size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < size(); ++i) {
        if (labels_[i] == label_id) {
            erased[i] = true;
            ++count;
        }
    }
    if (count == 0) {
        return 0;
    }
    erase_where(labels_, erased);
    erase_where(x_, erased);
    erase_where(values_, erased);
    smoothed_.resize(values_.size());
    if (smoothing_ == Smoothing::both) {
        erase_where(steps_, erased);
        smoothed_x_.resize(values_.size());
    }
    rebuild();
    return count;
}

void Series::clear() {
    for (std::vector<double>* values : {&x_, &values_, &smoothed_, &steps_, &smoothed_x_}) {
        values->clear();
    }
    labels_.clear();
    rebuild();
}

void Series::set_factor(double factor) {
    const double bounded = std::isnan(factor) ? 0 : std::clamp(factor, 0.0, greatest_factor);
    if (bounded != factor_) {
        factor_ = bounded;
        rebuild();
    }
}

std::optional<std::size_t> Series::last_drawable() const {
    for (std::size_t i = size(); i-- > 0;) {
        if (drawable(smoothed_[i])) {
            return i;
        }
    }
    return std::nullopt;
}

}  // namespace plumbline::ui
