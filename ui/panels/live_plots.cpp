#include "ui/panels/live_plots.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSlider>
#include <QVBoxLayout>
#include <exception>

#include "ui/bridge/engine_bridge.h"
#include "ui/controls/ask_file.h"
#include "ui/controls/availability.h"
#include "ui/controls/figures.h"
#include "ui/controls/label.h"
#include "ui/controls/notice.h"
#include "ui/plot/metric_plot.h"
#include "ui/plot/plot_export.h"
#include "ui/plot/run_table.h"
#include "ui/theme/style.h"

namespace plumbline::ui {

namespace {

constexpr double first_smoothing = 0.6;
constexpr int side = 16;
constexpr double picture_shape = 0.6;  // height of a plot's picture over its width
constexpr int picture_width = 560;     // of exported files
constexpr double picture_scale = 2;
constexpr int done_milliseconds = 6000;

std::optional<double> latest(const Series& series) {
    return series.empty() ? std::nullopt : std::optional(series.values().back());
}

QString slug(const QString& title) {
    return title.toLower().simplified().replace(QLatin1Char(' '), QLatin1Char('-'));
}

QString free_path(const QString& folder, const QString& stem) {
    const QDir place(folder);
    QString path = place.filePath(stem + QStringLiteral(".png"));
    for (int number = 2; QFileInfo::exists(path); ++number) {
        path = place.filePath(QStringLiteral("%1-%2.png").arg(stem).arg(number));
    }
    return path;
}

// The loss of a fresh policy-gradient step is zero but for rounding, whatever it teaches: its sum of advantages. There
// the surprise of what the policy writes says more, and shows a collapse first.
MetricChoice policy_plot(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::reinforce:
        case Algorithm::rloo:
        case Algorithm::grpo:
        case Algorithm::ppo: return {{"objective/entropy"}, false};
        default: return {{"loss/policy"}, false};
    }
}

}  // namespace

LivePlotsPanel::LivePlotsPanel(EngineBridge& bridge, Theme& theme, QWidget* parent)
    : Surface(theme, Tone::panel, Edge::none, parent) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    build_header(*layout);
    add_plot(*layout, new MetricPlot(book_, theme, {{"reward/accuracy", "reward/loss"}, false}, this));
    add_plot(*layout, new MetricPlot(book_, theme, {{}, true}, this));
    add_plot(*layout, new MetricPlot(book_, theme, policy_plot(config_.live.algorithm), this));

    refresh_timer_.setSingleShot(true);
    refresh_timer_.setInterval(0);
    connect(&refresh_timer_, &QTimer::timeout, this, &LivePlotsPanel::refresh);
    connect_bridge(bridge);
    set_smoothing(first_smoothing);
    refresh();
}

void LivePlotsPanel::build_header(QVBoxLayout& layout) {
    auto* caption = new Label(theme(), tr("Smoothing"), TextSize::secondary, Tone::secondary);
    slider_ = new QSlider(Qt::Horizontal, this);
    slider_->setRange(0, 99);
    slider_->setPageStep(10);
    slider_->setFixedWidth(96);
    slider_->setAccessibleName(tr("Smoothing"));
    slider_->setToolTip(tr("Weight of earlier values in the thick curves; the thin ones are the values"));
    caption->setBuddy(slider_);
    slider_value_ = new Label(theme(), {}, TextSize::interface, Tone::text, 400, Face::mono);
    connect(slider_, &QSlider::valueChanged, this, [this](int value) { set_smoothing(value / 100.0); });

    auto* export_button = new QPushButton(theme().icon(QStringLiteral("export")), tr("Export"), this);
    export_button->setAutoDefault(false);
    export_button->setFont(theme().font(TextSize::secondary));
    export_button->setIconSize(QSize(14, 14));
    set_compact(*export_button);
    auto* menu = new QMenu(export_button);
    menu->setToolTipsVisible(true);
    export_actions_ = {
        menu->addAction(tr("Picture of all plots…"), this,
                        [this] {
                            ask_file(tr("Save picture"), QStringLiteral("png"), tr("PNG picture (*.png)"),
                                     file_stem(), [this](const QString& path) { save_picture(path); });
                        }),
        menu->addAction(tr("Picture of each plot…"), this, &LivePlotsPanel::ask_folder),
        menu->addAction(tr("Table of all metrics…"), this,
                        [this] {
                            ask_file(tr("Save table"), QStringLiteral("csv"), tr("CSV table (*.csv)"),
                                     file_stem(), [this](const QString& path) { save_table(path); });
                        }),
    };
    export_button->setMenu(menu);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(side, 8, side, 4);
    row->setSpacing(8);
    row->addWidget(caption);
    row->addWidget(slider_);
    row->addWidget(slider_value_);
    row->addStretch(1);
    row->addWidget(export_button);
    layout.addLayout(row);

    problem_ = new Notice(theme(), this);
    auto* problem_row = new QHBoxLayout;
    problem_row->setContentsMargins(side, 0, side, 0);
    problem_row->addWidget(problem_);
    layout.addLayout(problem_row);
    done_ = new Label(theme(), {}, TextSize::secondary, Tone::secondary);
    done_->set_elided(Qt::ElideMiddle);
    done_->setContentsMargins(side, 4, side, 4);
    done_->hide();
    layout.addWidget(done_);
    done_timer_.setSingleShot(true);
    done_timer_.setInterval(done_milliseconds);
    connect(&done_timer_, &QTimer::timeout, done_, &QWidget::hide);

    run_table_ = new RunTable(theme(), this);
    auto* table_row = new QHBoxLayout;
    table_row->setContentsMargins(side, 2, side, 6);
    table_row->addWidget(run_table_);
    layout.addLayout(table_row);
}

void LivePlotsPanel::add_plot(QVBoxLayout& layout, MetricPlot* plot) {
    auto* rule = new Surface(theme(), Tone::line, Edge::none, this);
    rule->setFixedHeight(1);
    layout.addWidget(rule);
    layout.addWidget(plot, 1);
    plots_.push_back(plot);
    connect_exports(plot);
}

void LivePlotsPanel::connect_exports(MetricPlot* plot) {
    const auto stem = [this, plot] { return file_stem() + QLatin1Char('-') + slug(plot->title()); };
    connect(plot, &CurvePlot::picture_wanted, this, [this, plot, stem] {
        ask_file(tr("Save picture"), QStringLiteral("png"), tr("PNG picture (*.png)"), stem(),
                 [this, plot](const QString& path) {
                     attempt(path, [&] {
                         const QSize size(picture_width, qRound(picture_width * picture_shape));
                         save_png(path, plot->picture(size, picture_scale));
                     });
                 });
    });
    connect(plot, &CurvePlot::table_wanted, this, [this, plot, stem] {
        ask_file(
            tr("Save table"), QStringLiteral("csv"), tr("CSV table (*.csv)"), stem(),
            [this, plot](const QString& path) { attempt(path, [&] { save_csv(path, plot->table()); }); });
    });
}

void LivePlotsPanel::connect_bridge(EngineBridge& bridge) {
    connect(&bridge, &EngineBridge::session_opened, this, &LivePlotsPanel::open_session);
    connect(&bridge, &EngineBridge::session_closed, this, [this] {
        session_open_ = false;
        project_name_.clear();
        book_.clear();
        changed();
    });
    connect(&bridge, &EngineBridge::config_changed, this,
            [this](const ConfigChanged& change) { apply_config(change.config); });
    connect(&bridge, &EngineBridge::metrics_added, this, [this](const MetricsAdded& added) {
        book_.append(added.points);
        changed();
    });
    connect(&bridge, &EngineBridge::undone, this, [this](const Undone& undone) {
        book_.remove_label(undone.label_id);
        changed();
    });
}

void LivePlotsPanel::open_session(const SessionOpened& opened) {
    session_open_ = true;
    project_name_ = QFileInfo(QString::fromStdString(opened.project_path)).completeBaseName();
    book_.clear();
    book_.append(opened.metrics);
    apply_config(opened.config);
}

void LivePlotsPanel::apply_config(const SessionConfig& config) {
    MetricPlot& third = *plots_.back();
    if (third.choice() == policy_plot(config_.live.algorithm)) {   // not a choice of the user's own
        third.choose(policy_plot(config.live.algorithm));
    }
    config_ = config;
    for (MetricPlot* plot : plots_) {
        plot->set_live(config.live);
    }
    changed();
}

void LivePlotsPanel::refresh() {
    refresh_timer_.stop();
    RunTable::Run run;
    if (session_open_) {
        run.name = tr("%1, live").arg(title_of(config_.live.algorithm));
        run.reward = latest(*book_.series("objective/score"));
        run.kl = latest(*book_.series("objective/kl"));
        run.kl_limit = config_.live.kl_limit;
    }
    run_table_->set_run(run);
    const bool empty = book_.names().empty();
    for (QAction* action : export_actions_) {
        set_available(*action, empty ? tr("There are no values yet") : QString());
    }
    for (MetricPlot* plot : plots_) {
        plot->set_session_open(session_open_);
    }
}

void LivePlotsPanel::set_smoothing(double factor) {
    book_.set_factor(factor);
    slider_->setValue(qRound(factor * 100));
    slider_value_->setText(QString::number(slider_->value() / 100.0, 'f', 2));
    changed();
}

QImage LivePlotsPanel::render_all(int width, double scale) {
    refresh();
    const QSize one(width, qRound(width * picture_shape));
    const int count = static_cast<int>(plots_.size());
    QImage image(QSize(qRound(width * scale), qRound(one.height() * scale) * count), QImage::Format_RGB32);
    image.fill(theme().color(Tone::panel));
    QPainter painter(&image);
    for (int i = 0; i < count; ++i) {
        QImage part = plots_[static_cast<std::size_t>(i)]->picture(one, scale);
        part.setDevicePixelRatio(1);
        const int top = part.height() * i;
        painter.drawImage(0, top, part);
        if (i > 0) {
            painter.fillRect(0, top, part.width(), qRound(scale), theme().color(Tone::line));
        }
    }
    return image;
}

bool LivePlotsPanel::save_picture(const QString& path) {
    return attempt(path, [&] { save_png(path, render_all(picture_width, picture_scale)); });
}

bool LivePlotsPanel::save_pictures(const QString& folder) {
    return attempt(folder, [&] {
        refresh();
        for (MetricPlot* plot : plots_) {
            const QSize size(picture_width, qRound(picture_width * picture_shape));
            save_png(free_path(folder, file_stem() + QLatin1Char('-') + slug(plot->title())),
                     plot->picture(size, picture_scale));
        }
    });
}

bool LivePlotsPanel::save_table(const QString& path) {
    return attempt(path, [&] {
        std::vector<NamedSeries> table;
        for (const std::string& name : book_.names()) {
            table.push_back({QString::fromStdString(name), book_.series(name)});
        }
        for (const MetricPlot* plot : plots_) {
            for (const NamedSeries& row : plot->table()) {
                if (row.series->smoothing() == Smoothing::both) {
                    table.push_back(row);
                }
            }
        }
        save_csv(path, table);
    });
}

bool LivePlotsPanel::attempt(const QString& place, const std::function<void()>& save) {
    try {
        save();
    } catch (const std::exception& error) {
        done_->hide();
        problem_->show_problem(QString::fromStdString(error.what()));
        return false;
    }
    problem_->clear();
    done_->setText(tr("Saved %1").arg(QFileInfo(place).fileName()));
    done_->show();
    done_timer_.start();
    return true;
}

QString LivePlotsPanel::problem() const {
    return problem_->text();
}

QString LivePlotsPanel::file_stem() const {
    return project_name_.isEmpty() ? QStringLiteral("plumbline") : project_name_;
}

void LivePlotsPanel::ask_file(const QString& title, const QString& suffix, const QString& filter,
                              const QString& name, const std::function<void(const QString&)>& chosen) {
    ui::ask_place(this, title, name + QLatin1Char('.') + suffix, filter, suffix, chosen);
}

void LivePlotsPanel::ask_folder() {
    ui::ask_folder(this, tr("Save pictures in"), [this](const QString& folder) { save_pictures(folder); });
}

}  // namespace plumbline::ui
