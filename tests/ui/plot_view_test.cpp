// One plot under the mouse, the keys and a change of theme.

#include <gtest/gtest.h>

#include <QKeyEvent>
#include <QPushButton>
#include <cmath>
#include <memory>

#include "tests/ui/plot_stage.h"
#include "ui/plot/curve_plot.h"
#include "ui/plot/qcustomplot_wrapper.h"

namespace plumbline::ui {
namespace {

bool near(double a, double b, double tolerance) {
    return std::abs(a - b) <= tolerance;
}

class PlotView : public ::testing::Test {
  protected:
    PlotView() : theme(application()), plot(theme), series(std::make_shared<Series>()) {
        CurveSpec curve;
        curve.name = "reward/loss";
        curve.legend = curve.value_name = "loss";
        curve.series = series;
        plot.set_title("Reward model");
        plot.set_x_axis({"label", {}, "labels", 1, 5});
        plot.set_curves({curve});
        plot.set_empty_text("Vote to begin");
        plot.resize(352, 210);
        plot.show();
        QCoreApplication::processEvents();
        inner = plot.findChild<QCustomPlot*>();
    }

    void add(int count) {
        for (int i = 1; i <= count; ++i) {
            series->append(i, i, 0.7 - 0.01 * i);
        }
        update();
    }
    void update() {
        plot.refresh();
        QCoreApplication::processEvents();
    }
    QPointF pixel(double x, double y) const {
        return {inner->xAxis->coordToPixel(x), inner->yAxis->coordToPixel(y)};
    }

    Theme theme;
    CurvePlot plot;
    std::shared_ptr<Series> series;
    QCustomPlot* inner = nullptr;
};

TEST_F(PlotView, IsEmptyUntilAPointComes) {
    update();
    EXPECT_EQ(plot.message(), "Vote to begin");
    EXPECT_EQ(plot.legend().at(0).value, QStringLiteral("–"));
    add(1);
    EXPECT_EQ(plot.message(), "");
    EXPECT_EQ(plot.legend().at(0).value, "0.69");
    series->remove_label(1);
    update();
    EXPECT_EQ(plot.message(), "Vote to begin");
}

TEST_F(PlotView, TheWholeViewGrowsAndShrinksWithTheData) {
    add(4);
    EXPECT_EQ(plot.x_view(), (Extent{0, 5}));
    series->append(5, 23, 1.9);
    update();
    EXPECT_EQ(plot.x_view(), (Extent{0, 25}));
    EXPECT_GE(plot.y_view().upper, 1.9);
    series->remove_label(5);
    update();
    EXPECT_EQ(plot.x_view(), (Extent{0, 5}));
    EXPECT_LT(plot.y_view().upper, 1.0);
}

TEST_F(PlotView, WheelZoomsAboutThePointer) {
    add(20);
    const Extent x = plot.x_view();
    const Extent y = plot.y_view();
    const QPointF at = inner->axisRect()->center() + QPointF(40, -20);
    const double x_at = inner->xAxis->pixelToCoord(at.x());
    const double y_at = inner->yAxis->pixelToCoord(at.y());
    send_wheel(*inner, at, 1);
    EXPECT_FALSE(plot.whole_view());
    EXPECT_LT(plot.x_view().size(), x.size());
    EXPECT_LT(plot.y_view().size(), y.size());
    const double tolerance = x.size() * 1e-9;
    EXPECT_TRUE(near(inner->xAxis->pixelToCoord(at.x()), x_at, tolerance));
    EXPECT_FALSE(near(inner->xAxis->pixelToCoord(at.x() + 1), x_at, tolerance));
    EXPECT_TRUE(near(inner->yAxis->pixelToCoord(at.y()), y_at, tolerance));
    EXPECT_FALSE(near(inner->yAxis->pixelToCoord(at.y() + 1), y_at, tolerance));
    const Extent nearer = plot.x_view();
    send_wheel(*inner, at, -1);
    EXPECT_GT(plot.x_view().size(), nearer.size());
}

TEST_F(PlotView, ADragMovesTheViewWithThePointer) {
    add(20);
    const Extent x = plot.x_view();
    const Extent y = plot.y_view();
    const QPointF from = inner->axisRect()->center();
    const double held = inner->xAxis->pixelToCoord(from.x());
    drag(*inner, from, from + QPointF(50, 30));
    EXPECT_FALSE(plot.whole_view());
    EXPECT_LT(plot.x_view().lower, x.lower);
    EXPECT_GT(plot.y_view().lower, y.lower);
    EXPECT_TRUE(near(plot.x_view().size(), x.size(), x.size() * 1e-9));
    EXPECT_FALSE(near(plot.x_view().size() * (1 + 1e-8), x.size(), x.size() * 1e-9));
    EXPECT_TRUE(near(inner->xAxis->pixelToCoord(from.x() + 50), held, x.size() * 1e-9));
    EXPECT_FALSE(near(inner->xAxis->pixelToCoord(from.x() + 51), held, x.size() * 1e-9));
}

TEST_F(PlotView, ADoubleClickShowsEverythingAgain) {
    add(20);
    const Extent x = plot.x_view();
    const Extent y = plot.y_view();
    send_wheel(*inner, inner->axisRect()->center(), 3);
    ASSERT_NE(plot.x_view(), x);
    double_click(*inner, inner->axisRect()->center());
    EXPECT_TRUE(plot.whole_view());
    EXPECT_EQ(plot.x_view(), x);
    EXPECT_EQ(plot.y_view(), y);
}

TEST_F(PlotView, AMovedViewStaysWhenPointsCome) {
    add(20);
    send_wheel(*inner, inner->axisRect()->center(), 1);
    const Extent moved = plot.x_view();
    series->append(21, 90, 5);
    update();
    EXPECT_EQ(plot.x_view(), moved);
    plot.reset_view();
    EXPECT_GE(plot.x_view().upper, 90);
}

TEST_F(PlotView, TheButtonForTheWholeViewComesAndGoes) {
    add(20);
    auto* button = inner->findChild<QPushButton*>();
    ASSERT_NE(button, nullptr);
    EXPECT_FALSE(button->isVisible());
    send_wheel(*inner, inner->axisRect()->center(), 1);
    EXPECT_TRUE(button->isVisible());
    button->click();
    EXPECT_TRUE(plot.whole_view());
    EXPECT_FALSE(button->isVisible());
}

TEST_F(PlotView, KeysZoomPanAndReset) {
    add(20);
    const Extent x = plot.x_view();
    const Extent y = plot.y_view();
    send_key(*inner, Qt::Key_Right);
    EXPECT_DOUBLE_EQ(plot.x_view().lower, x.lower + 0.1 * x.size());
    send_key(*inner, Qt::Key_Left);
    EXPECT_TRUE(near(plot.x_view().lower, x.lower, 1e-9));
    send_key(*inner, Qt::Key_Up);
    EXPECT_DOUBLE_EQ(plot.y_view().lower, y.lower + 0.1 * y.size());
    send_key(*inner, Qt::Key_Down);
    send_key(*inner, Qt::Key_Plus);
    EXPECT_TRUE(near(plot.x_view().size(), 0.8 * x.size(), 1e-9));
    EXPECT_FALSE(near(plot.x_view().size(), 0.81 * x.size(), 1e-9));
    send_key(*inner, Qt::Key_Minus);
    EXPECT_TRUE(near(plot.x_view().size(), x.size(), 1e-9));
    EXPECT_FALSE(plot.whole_view());
    send_key(*inner, Qt::Key_0);
    EXPECT_TRUE(plot.whole_view());
    EXPECT_EQ(plot.x_view(), x);
}

TEST_F(PlotView, ItsKeysAreTakenFromShortcutsOnlyWithTheFocus) {
    add(5);
    QKeyEvent without(QEvent::ShortcutOverride, Qt::Key_Left, Qt::NoModifier);
    without.ignore();
    QApplication::sendEvent(inner, &without);
    EXPECT_FALSE(without.isAccepted());
    plot.activateWindow();
    inner->setFocus(Qt::TabFocusReason);
    QCoreApplication::processEvents();
    ASSERT_TRUE(inner->hasFocus());
    QKeyEvent with(QEvent::ShortcutOverride, Qt::Key_Left, Qt::NoModifier);
    with.ignore();
    QApplication::sendEvent(inner, &with);
    EXPECT_TRUE(with.isAccepted());
    QKeyEvent other(QEvent::ShortcutOverride, Qt::Key_Z, Qt::ControlModifier);
    other.ignore();
    QApplication::sendEvent(inner, &other);
    EXPECT_FALSE(other.isAccepted());
}

TEST_F(PlotView, AClickTakesNoFocus) {
    add(5);
    drag(*inner, inner->axisRect()->center(), inner->axisRect()->center() + QPointF(20, 0));
    EXPECT_FALSE(inner->hasFocus());
}

TEST_F(PlotView, ZoomStopsBeforeNumbersEnd) {
    add(20);
    for (int i = 0; i < 500; ++i) {
        plot.zoom(0.5);
    }
    EXPECT_GE(plot.x_view().size(), 19e-6 * 0.5);
    EXPECT_LT(plot.x_view().size(), 19e-6 * 2.5);
    for (int i = 0; i < 500; ++i) {
        plot.zoom(2);
    }
    EXPECT_LE(plot.x_view().size(), 19 * 20.0);
    EXPECT_GT(plot.x_view().size(), 19 * 8.0);
}

TEST_F(PlotView, ThePointerReadsTheNearestPoint) {
    series->set_factor(0.5);
    add(20);
    hover(*inner, pixel(7, series->smoothed()[6]) + QPointF(2, 3));
    // Raw: 0.7 - 0.07. Smoothed: 0.63 + 0.01 * (sum of i 0.5^i over 0..6) / (sum of 0.5^i) = 0.63945.
    EXPECT_EQ(plot.readout(), (QStringList{"label 7", "loss 0.639, raw 0.630"}));
    hover(*inner, QPointF(2, 2));
    EXPECT_TRUE(plot.readout().isEmpty());
    hover(*inner, pixel(7, series->smoothed()[6]));
    EXPECT_FALSE(plot.readout().isEmpty());
    QEvent leave(QEvent::Leave);
    QApplication::sendEvent(inner, &leave);
    EXPECT_TRUE(plot.readout().isEmpty());
}

TEST_F(PlotView, TheReadoutGoesWithAnUndonePoint) {
    add(2);
    hover(*inner, pixel(2, 0.68));
    ASSERT_EQ(plot.readout().value(0), "label 2");
    series->remove_label(2);
    series->remove_label(1);
    update();
    EXPECT_TRUE(plot.readout().isEmpty());
}

TEST_F(PlotView, TheLegendFlagsGaps) {
    add(3);
    series->append(4, 4, std::nan(""));
    update();
    EXPECT_EQ(plot.legend().at(0).value, "NaN");
    EXPECT_EQ(plot.legend().at(0).warning, "1 gap");
    series->remove_label(4);
    update();
    EXPECT_EQ(plot.legend().at(0).warning, "");
}

TEST_F(PlotView, ColoursAreTheThemes) {
    add(20);
    for (const Scheme scheme : {Scheme::light, Scheme::dark, Scheme::light}) {
        theme.set_scheme(scheme);
        const QImage image = plot.picture({352, 210}, 2);
        EXPECT_EQ(image.size(), QSize(704, 420));
        EXPECT_EQ(image.pixelColor(1, 1).rgb(), theme.color(Tone::panel).rgb());
        EXPECT_GT(count_pixels(image, theme.color(Tone::run1)), 200);
        EXPECT_GT(count_pixels(image, theme.color(Tone::grid)), 500);
        EXPECT_GT(count_pixels(image, theme.color(Tone::axis)), 200);
        EXPECT_EQ(count_pixels(image, theme.color(Tone::run2)), 0);
    }
    theme.set_scheme(Scheme::dark);
    EXPECT_EQ(count_pixels(plot.picture({352, 210}, 1), QColor("#0072B2")), 0);  // the light one
}

TEST_F(PlotView, APictureLeavesTheScreenAsItWas) {
    add(20);
    const QImage before = inner->grab().toImage();
    plot.picture({900, 700}, 2);
    QCoreApplication::processEvents();
    EXPECT_EQ(inner->grab().toImage(), before);
}

TEST_F(PlotView, AMillionPointsAreDrawnAndFollowed) {
    constexpr int count = 1000000;
    for (int i = 0; i < count; ++i) {
        series->append(i / 1000, i, std::sin(i * 0.001) + 0.3 * std::sin(i * 1.7));
    }
    series->set_factor(0.9);
    update();
    EXPECT_EQ(plot.x_view(), (Extent{0, count}));
    EXPECT_GT(count_pixels(inner->grab().toImage(), theme.color(Tone::run1)), 5000);
    hover(*inner, pixel(500000, 0));
    EXPECT_EQ(plot.readout().size(), 2);
    series->append(count, count + 5, 0);
    series->remove_label(999);
    update();
    EXPECT_EQ(series->size(), std::size_t(count - 1000 + 1));
}

}  // namespace
}  // namespace plumbline::ui
