#pragma once
// Every metric of a session as a series, and paths of one metric against another.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/api/events.h"
#include "ui/plot/series.h"

namespace plumbline::ui {

/// Owns the series together with the plots that it lends them to. A lent series stays the same object
/// through append, undo and clear.
class MetricBook {
  public:
    /// The series of a metric; empty while no point of that name has come.
    std::shared_ptr<const Series> series(const std::string& name);
    /// One metric against another: a point for every step at which both have a value.
    std::shared_ptr<const Series> path(const std::string& x_name, const std::string& value_name);

    void append(const std::vector<MetricPoint>& points);
    void remove_label(std::int64_t label_id);
    void clear();
    void set_factor(double factor);
    double factor() const { return factor_; }

    /// Names with at least one point, sorted.
    std::vector<std::string> names() const;

  private:
    struct Path {
        std::shared_ptr<Series> x, value, joined;
        std::size_t next_x = 0, next_value = 0;  // first points that are not joined yet
    };
    std::shared_ptr<Series> writable(const std::string& name);
    static void join(Path& path);
    static void join_again(Path& path);

    double factor_ = 0;
    std::map<std::string, std::shared_ptr<Series>> series_;
    std::map<std::pair<std::string, std::string>, Path> paths_;
};

}  // namespace plumbline::ui
