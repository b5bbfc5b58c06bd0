#include "ui/plot/metric_plot.h"

#include <QMenu>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "ui/controls/figures.h"
#include "ui/plot/axis_ticks.h"
#include "ui/plot/metric_catalog.h"

namespace plumbline::ui {

namespace {

const std::string kl_name = "objective/kl";
const std::string score_name = "objective/score";
constexpr std::size_t most_metrics = 4;

Stroke curve_stroke(std::size_t index) {
    static const std::array<Stroke, most_metrics> strokes = {{
        {Tone::run1, {}},
        {Tone::run2, {}},
        {Tone::run3, {2, 3}},
        {Tone::run4, {7, 3, 2, 3}},
    }};
    return strokes.at(index % strokes.size());
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether the loss of a policy that has learned nothing is that of an even bet.
bool starts_at_chance(Algorithm algorithm) {
    return algorithm == Algorithm::dpo || algorithm == Algorithm::cdpo ||
           algorithm == Algorithm::robust_dpo || algorithm == Algorithm::online_dpo;
}

}  // namespace

MetricPlot::MetricPlot(MetricBook& book, const Theme& theme, const MetricChoice& first, QWidget* parent)
    : CurvePlot(theme, parent), book_(book), choice_(first) {
    build_metric_menu();
    apply();
}

void MetricPlot::build_metric_menu() {
    QAction* before = menu().actions().value(0);
    const auto add = [&](const QString& text) {
        auto* action = new QAction(text, &menu());
        action->setCheckable(true);
        menu().insertAction(before, action);
        return action;
    };
    path_action_ = add(tr("Reward against KL"));
    connect(path_action_, &QAction::triggered, this, [this] { choose({{}, true}); });
    steps_action_ = add(tr("Both over steps"));
    connect(steps_action_, &QAction::triggered, this, &MetricPlot::show_over_steps);
    for (const MetricOver over : {MetricOver::labels, MetricOver::policy_steps}) {
        auto* part =
            new QMenu(over == MetricOver::labels ? tr("Over labels") : tr("Over policy steps"), &menu());
        menu().insertMenu(before, part);
        for (const MetricInfo& info : metric_catalog()) {
            if (info.over == over) {
                QAction* action = part->addAction(info.title);
                action->setCheckable(true);
                connect(action, &QAction::triggered, this, [this, name = info.name] { toggle(name); });
                actions_[info.name] = action;
            }
        }
    }
    menu().insertSeparator(before);
}

void MetricPlot::choose(const MetricChoice& choice) {
    if (choice != choice_ && (choice.reward_against_kl || !choice.metrics.empty())) {
        choice_ = choice;
        apply();
        refresh_metrics();
        reset_view();
    }
    update_menu();
}

void MetricPlot::toggle(const std::string& metric) {
    MetricChoice next = choice_;
    next.reward_against_kl = false;
    if (contains(next.metrics, metric)) {
        std::erase(next.metrics, metric);
    } else {
        const MetricOver over = metric_info(metric).over;
        std::erase_if(next.metrics,
                      [&](const std::string& other) { return metric_info(other).over != over; });
        if (next.metrics.size() == most_metrics) {
            next.metrics.erase(next.metrics.begin());
        }
        next.metrics.push_back(metric);
    }
    choose(next);
}

void MetricPlot::show_over_steps(bool on) {
    choose(on ? MetricChoice{{score_name, kl_name}, false} : MetricChoice{{}, true});
}

void MetricPlot::set_live(const LiveConfig& live) {
    live_ = live;
    apply();
    refresh_metrics();
}

void MetricPlot::set_session_open(bool open) {
    session_open_ = open;
    refresh_metrics();
}

CurveSpec MetricPlot::curve_of(const std::string& metric, std::size_t index) {
    const MetricInfo info = metric_info(metric);
    CurveSpec curve;
    curve.name = QString::fromStdString(metric);
    curve.legend = metric == "loss/policy" ? title_of(live_.algorithm) : info.legend;
    curve.value_name = info.legend;
    curve.series = book_.series(metric);
    curve.stroke = curve_stroke(index);
    curve.decimals = info.decimals;
    if (metric == "reward/accuracy") {
        curve.missing_note = tr("accuracy needs 5 pairs");
    }
    return curve;
}

ReferenceLine MetricPlot::budget_line(Across across) const {
    ReferenceLine line;
    line.across = across;
    line.value = live_.kl_limit;
    line.caption = tr("budget %1").arg(value_text(live_.kl_limit, 1));
    line.beyond_caption = tr("over budget");
    line.seen_from = 0.5;
    return line;
}

void MetricPlot::apply() {
    std::vector<CurveSpec> curves;
    std::vector<ReferenceLine> lines;
    XAxis axis;
    if (choice_.reward_against_kl) {
        CurveSpec curve = curve_of(score_name, 0);
        curve.name = QString::fromStdString(score_name + " against " + kl_name);
        curve.series = book_.path(kl_name, score_name);
        curve.tip = tr("step %1");
        curves.push_back(curve);
        axis = {tr("step"), metric_info(kl_name).legend, tr("nats"), 0, 0.5};
        set_title(tr("Reward against KL"));
    } else {
        bool chance = false, budget = false;
        for (std::size_t i = 0; i < choice_.metrics.size(); ++i) {
            const std::string& metric = choice_.metrics[i];
            curves.push_back(curve_of(metric, i));
            chance = chance || metric == "reward/loss" ||
                     (metric == "loss/policy" && starts_at_chance(live_.algorithm));
            budget = budget || metric == kl_name;
        }
        if (chance) {
            ReferenceLine line;
            line.value = std::numbers::ln2;
            line.caption = tr("ln 2, chance");
            lines.push_back(line);
        }
        if (budget) {
            lines.push_back(budget_line(Across::horizontal));
        }
        const MetricInfo first = metric_info(choice_.metrics.front());
        const bool alike = std::all_of(
            choice_.metrics.begin(), choice_.metrics.end(),
            [&](const std::string& metric) { return metric_info(metric).plot_title == first.plot_title; });
        set_title(!alike ? tr("Metrics") : first.plot_title);
        axis = first.over == MetricOver::labels ? XAxis{tr("label"), {}, tr("labels"), 1, 5}
                                                : XAxis{tr("step"), {}, tr("steps"), 1, 10};
    }
    set_x_axis(axis);
    // The first votes move the loss by little; the view does not make much of it.
    set_least_y(!choice_.reward_against_kl && contains(choice_.metrics, "reward/loss") ? Extent{0.4, 0.8}
                                                                                       : Extent());
    set_reference_lines(std::move(lines));
    set_curves(std::move(curves));
    update_menu();
}

void MetricPlot::update_menu() {
    for (const auto& [name, action] : actions_) {
        action->setChecked(!choice_.reward_against_kl && contains(choice_.metrics, name));
    }
    const bool both = choice_.metrics == std::vector<std::string>{score_name, kl_name};
    path_action_->setChecked(choice_.reward_against_kl);
    steps_action_->setVisible(choice_.reward_against_kl || both);
    steps_action_->setChecked(!choice_.reward_against_kl && both);
}

void MetricPlot::refresh_metrics() {
    std::vector<Badge> badges;
    if (choice_.reward_against_kl) {
        const std::shared_ptr<const Series> kl = book_.series(kl_name);
        const bool over = !kl->empty() && kl->values().back() > live_.kl_limit;
        ReferenceLine budget = budget_line(Across::vertical);
        budget.caption_low = over;
        set_reference_lines({budget});
        badges.push_back({over ? tr("over") : tr("budget"), value_text(live_.kl_limit, 1), over});
    }
    set_badges(std::move(badges));
    const bool needs_step =
        choice_.reward_against_kl || metric_info(choice_.metrics.front()).over == MetricOver::policy_steps;
    if (!session_open_) {
        set_empty_text(tr("No session"));
    } else if (needs_step && !book_.series("reward/loss")->empty()) {
        set_empty_text(tr("No policy step yet"));
    } else {
        set_empty_text(tr("Vote to begin"));
    }
    refresh();
}

}  // namespace plumbline::ui
