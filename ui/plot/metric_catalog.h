#pragma once
// The metrics by name: how they are called on the screen.

#include <QString>
#include <string>
#include <vector>

namespace plumbline::ui {

/// What the x of a metric counts.
enum class MetricOver { labels, policy_steps };

struct MetricInfo {
    std::string name;    // "reward/loss"
    QString title;       // in menus: "Reward model loss"
    QString legend;      // in the title row: "loss"
    QString plot_title;  // of a plot of this metric; of several if they agree
    MetricOver over = MetricOver::policy_steps;
    int decimals = 2;
};

/// All metrics that a plot offers, in the menu's order.
const std::vector<MetricInfo>& metric_catalog();

/// A metric that the catalogue does not know is called by its name.
MetricInfo metric_info(const std::string& name);

}  // namespace plumbline::ui
