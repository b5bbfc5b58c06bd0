#pragma once
// The live plots: what the votes do to reward model and policy, while they do it.

#include <QImage>
#include <QTimer>
#include <functional>
#include <vector>

#include "core/api/events.h"
#include "ui/controls/surface.h"
#include "ui/plot/metric_book.h"

class QAction;
class QSlider;
class QVBoxLayout;

namespace plumbline::ui {

class EngineBridge;
class Label;
class MetricPlot;
class Notice;
class RunTable;

/// Fills from an opened session's metrics, grows with each click, shrinks by an undo, is empty without a
/// session. Bridge and theme must outlive it.
class LivePlotsPanel : public Surface {
    Q_OBJECT
  public:
    LivePlotsPanel(EngineBridge& bridge, Theme& theme, QWidget* parent = nullptr);

    const std::vector<MetricPlot*>& plots() const { return plots_; }
    /// Weight of the past in the smoothed curves, 0..0.99.
    void set_smoothing(double factor);
    double smoothing() const { return book_.factor(); }

    /// All plots, one below the other: `width` units of the screen at 100 %, `scale` pixels each.
    QImage render_all(int width, double scale);

    // Each writes files and says in the panel what was written or why not; true if it was.
    bool save_picture(const QString& path);
    /// One picture a plot. Names that are taken get a number, nothing is overwritten.
    bool save_pictures(const QString& folder);
    /// Every metric of the session, the plots' paths after them.
    bool save_table(const QString& path);

    /// Why the last export failed; empty if it did not.
    QString problem() const;

  private:
    void build_header(QVBoxLayout& layout);
    void add_plot(QVBoxLayout& layout, MetricPlot* plot);
    void connect_bridge(EngineBridge& bridge);
    void connect_exports(MetricPlot* plot);
    void open_session(const SessionOpened& opened);
    void apply_config(const SessionConfig& config);
    void changed() { refresh_timer_.start(); }
    void refresh();
    bool attempt(const QString& done, const std::function<void()>& save);
    void ask_file(const QString& title, const QString& suffix, const QString& filter, const QString& name,
                  const std::function<void(const QString&)>& chosen);
    void ask_folder();
    QString file_stem() const;

    MetricBook book_;
    SessionConfig config_;
    QString project_name_;
    bool session_open_ = false;

    QSlider* slider_ = nullptr;
    Label* slider_value_ = nullptr;
    std::vector<QAction*> export_actions_;
    RunTable* run_table_ = nullptr;
    Notice* problem_ = nullptr;
    Label* done_ = nullptr;
    std::vector<MetricPlot*> plots_;
    QTimer done_timer_;
    QTimer refresh_timer_;  // several events of one moment are drawn once
};

}  // namespace plumbline::ui
