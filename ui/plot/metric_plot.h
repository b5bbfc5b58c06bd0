#pragma once
// A plot of metrics that a menu picks.

#include <map>
#include <string>
#include <vector>

#include "core/api/configs.h"
#include "ui/plot/curve_plot.h"
#include "ui/plot/metric_book.h"

namespace plumbline::ui {

/// What a plot shows: metrics over labels or over steps (of one kind, at most four), or the reward against
/// the KL, one point a policy step.
struct MetricChoice {
    std::vector<std::string> metrics;
    bool reward_against_kl = false;
    bool operator==(const MetricChoice&) const = default;
};

/// The book and the theme must outlive it.
class MetricPlot : public CurvePlot {
    Q_OBJECT
  public:
    MetricPlot(MetricBook& book, const Theme& theme, const MetricChoice& first, QWidget* parent = nullptr);

    const MetricChoice& choice() const { return choice_; }
    void choose(const MetricChoice& choice);
    /// Adds a metric to the choice or takes it out. One over labels pushes out those over steps, and the
    /// other way; a fifth pushes out the first; the last one stays.
    void toggle(const std::string& metric);
    /// Reward and KL as two curves over steps, or one against the other.
    void show_over_steps(bool on);

    void set_live(const LiveConfig& live);
    void set_session_open(bool open);
    /// After the book changed.
    void refresh_metrics();

  private:
    void build_metric_menu();
    void apply();
    void update_menu();
    CurveSpec curve_of(const std::string& metric, std::size_t index);
    ReferenceLine budget_line(Across across) const;

    MetricBook& book_;
    MetricChoice choice_;
    LiveConfig live_;
    bool session_open_ = false;
    std::map<std::string, QAction*> actions_;
    QAction* path_action_ = nullptr;
    QAction* steps_action_ = nullptr;
};

}  // namespace plumbline::ui
