#include "ui/plot/metric_book.h"

namespace plumbline::ui {

std::shared_ptr<Series> MetricBook::writable(const std::string& name) {
    std::shared_ptr<Series>& series = series_[name];
    if (!series) {
        series = std::make_shared<Series>();
        series->set_factor(factor_);
    }
    return series;
}

std::shared_ptr<const Series> MetricBook::series(const std::string& name) {
    return writable(name);
}

std::shared_ptr<const Series> MetricBook::path(const std::string& x_name, const std::string& value_name) {
    Path& path = paths_[{x_name, value_name}];
    if (!path.joined) {
        path.x = writable(x_name);
        path.value = writable(value_name);
        path.joined = std::make_shared<Series>(Smoothing::both);
        path.joined->set_factor(factor_);
        join(path);
    }
    return path.joined;
}

// Both series come in the order of their steps, whichever of the two comes first in an event.
void MetricBook::join(Path& path) {
    while (path.next_x < path.x->size() && path.next_value < path.value->size()) {
        const double x_step = path.x->x()[path.next_x];
        const double value_step = path.value->x()[path.next_value];
        if (x_step == value_step) {
            path.joined->append(path.x->labels()[path.next_x], x_step, path.x->values()[path.next_x],
                                path.value->values()[path.next_value]);
            ++path.next_x;
            ++path.next_value;
        } else if (x_step < value_step) {
            ++path.next_x;
        } else {
            ++path.next_value;
        }
    }
}

void MetricBook::join_again(Path& path) {
    path.joined->clear();
    path.next_x = path.next_value = 0;
    join(path);
}

void MetricBook::append(const std::vector<MetricPoint>& points) {
    for (const MetricPoint& point : points) {
        writable(point.name)->append(point.label_id, point.x, point.value);
    }
    for (auto& [names, path] : paths_) {
        join(path);
    }
}

void MetricBook::remove_label(std::int64_t label_id) {
    for (auto& [name, series] : series_) {
        series->remove_label(label_id);
    }
    for (auto& [names, path] : paths_) {
        join_again(path);
    }
}

void MetricBook::clear() {
    for (auto& [name, series] : series_) {
        series->clear();
    }
    for (auto& [names, path] : paths_) {
        join_again(path);
    }
}

void MetricBook::set_factor(double factor) {
    factor_ = factor;
    for (auto& [name, series] : series_) {
        series->set_factor(factor);
    }
    for (auto& [names, path] : paths_) {
        path.joined->set_factor(factor);
    }
}

std::vector<std::string> MetricBook::names() const {
    std::vector<std::string> out;
    for (const auto& [name, series] : series_) {
        if (!series->empty()) {
            out.push_back(name);
        }
    }
    return out;
}

}  // namespace plumbline::ui
