// Frame times of one plot at growing numbers of points: appending a point and drawing, and moving the view.
//   plot_bench [FRAMES]     (default 20)

#include <QApplication>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ui/plot/curve_plot.h"
#include "ui/plot/qcustomplot_wrapper.h"
#include "ui/theme/theme.h"

namespace {

using namespace plumbline::ui;
using Clock = std::chrono::steady_clock;

double milliseconds(Clock::duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

struct Times {
    double median = 0, least = 0, greatest = 0;
};

template <class Work>
Times measure(int frames, const Work& work) {
    std::vector<double> times;
    for (int i = 0; i < frames; ++i) {
        const Clock::time_point start = Clock::now();
        work();
        times.push_back(milliseconds(Clock::now() - start));
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times.front(), times.back()};
}

void append(Series& series, std::size_t i) {
    const double at = static_cast<double>(i);
    const double value = std::sin(at * 0.001) + 0.3 * std::sin(at * 1.7);
    if (series.smoothing() == Smoothing::both) {
        series.append(static_cast<std::int64_t>(i / 4), at, 2 + std::cos(at * 0.0007), value);
    } else {
        series.append(static_cast<std::int64_t>(i / 4), at, value);
    }
}

void bench(const Theme& theme, Smoothing smoothing, std::size_t count, int frames) {
    auto series = std::make_shared<Series>(smoothing);
    series->set_factor(0.6);
    CurvePlot plot(theme);
    CurveSpec curve;
    curve.name = curve.legend = curve.value_name = "value";
    curve.series = series;
    plot.set_x_axis({"step", {}, "steps", 1, 10});
    plot.set_curves({curve});
    plot.resize(352, 210);
    plot.show();
    QCoreApplication::processEvents();
    auto* inner = plot.findChild<QCustomPlot*>();

    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
        append(*series, i);
    }
    const double filled = milliseconds(Clock::now() - start);
    const Times whole = measure(frames, [&] {
        append(*series, series->size());
        plot.refresh();
        QCoreApplication::processEvents();
    });
    plot.zoom(0.9);  // nearly all points stay in view
    int moves = 0;
    const Times pan = measure(frames, [&] {
        plot.pan(moves++ / 4 % 2 == 0 ? 0.01 : -0.01, 0);
        QCoreApplication::processEvents();
    });
    plot.zoom(0.05);
    const Times near = measure(frames, [&] {
        append(*series, series->size());
        plot.refresh();
        QCoreApplication::processEvents();
    });
    const Times hover = measure(frames, [&] {
        const QPointF at = inner->axisRect()->center();
        QMouseEvent event(QEvent::MouseMove, at, inner->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                          Qt::NoModifier);
        QApplication::sendEvent(inner, &event);
        QCoreApplication::processEvents();
    });
    std::printf(
        "%-5s %9zu points: fill %7.1f ms, frame %6.2f ms (%.2f..%.2f), pan %6.2f ms (%.2f..%.2f), zoomed in %6.2f ms, "
        "hover %6.2f ms\n",
        smoothing == Smoothing::both ? "path" : "curve", count, filled, whole.median, whole.least,
        whole.greatest, pan.median, pan.least, pan.greatest, near.median, hover.median);
}

}  // namespace

int main(int argc, char** argv) {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    const int frames = argc > 1 ? std::max(1, std::atoi(argv[1])) : 20;
    const Theme theme(application);
    for (const Smoothing smoothing : {Smoothing::value, Smoothing::both}) {
        for (const std::size_t count : {std::size_t(1000), std::size_t(100000), std::size_t(1000000)}) {
            bench(theme, smoothing, count, frames);
        }
    }
    return 0;
}
