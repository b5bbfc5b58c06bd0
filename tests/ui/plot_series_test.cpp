#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ui/plot/metric_book.h"
#include "ui/plot/series.h"

namespace plumbline::ui {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Series, SmoothsWithBiasCorrection) {
    Series series;
    series.set_factor(0.5);
    series.append(1, 1, 1);
    series.append(2, 2, 2);
    series.append(3, 3, 4);
    // s: 0.5, 0.25 + 1 = 1.25, 0.625 + 2 = 2.625; divisors: 0.5, 0.75, 0.875.
    EXPECT_DOUBLE_EQ(series.smoothed()[0], 1.0);
    EXPECT_DOUBLE_EQ(series.smoothed()[1], 5.0 / 3);
    EXPECT_DOUBLE_EQ(series.smoothed()[2], 3.0);
    EXPECT_EQ(series.values()[2], 4.0);
}

TEST(Series, SmoothsByThreeQuarters) {
    Series series;
    series.append(1, 1, 8);
    series.append(1, 2, 0);
    series.set_factor(0.75);
    // s: 2, 1.5; divisors: 1/4, 7/16.
    EXPECT_DOUBLE_EQ(series.smoothed()[0], 8.0);
    EXPECT_DOUBLE_EQ(series.smoothed()[1], 24.0 / 7);
    series.set_factor(0);
    EXPECT_EQ(series.smoothed()[1], 0.0);
}

TEST(Series, LeavesAConstantAsItIs) {
    Series series;
    series.set_factor(0.99);
    for (int i = 0; i < 100; ++i) {
        series.append(i, i, 0.25);
    }
    for (const double value : series.smoothed()) {
        EXPECT_DOUBLE_EQ(value, 0.25);
    }
}

TEST(Series, BoundsTheFactor) {
    Series series;
    series.set_factor(1.5);
    EXPECT_EQ(series.factor(), 0.99);
    series.set_factor(-1);
    EXPECT_EQ(series.factor(), 0.0);
    series.set_factor(nan);
    EXPECT_EQ(series.factor(), 0.0);
}

TEST(Series, AnUndoneLabelLeavesNoTrace) {
    Series with, without;
    for (Series* series : {&with, &without}) {
        series->set_factor(0.6);
        series->append(1, 1, 0.7);
        series->append(1, 2, 0.1);
    }
    with.append(2, 3, 90);
    with.append(2, 4, -90);
    EXPECT_EQ(with.value_extent(), (Extent{-90, 90}));
    EXPECT_EQ(with.remove_label(2), 2U);
    EXPECT_EQ(with.remove_label(2), 0U);
    with.append(3, 3, 0.4);
    without.append(3, 3, 0.4);
    ASSERT_EQ(with.size(), without.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
        EXPECT_EQ(with.smoothed()[i], without.smoothed()[i]);
        EXPECT_EQ(with.labels()[i], without.labels()[i]);
    }
    EXPECT_EQ(with.value_extent(), (Extent{0.1, 0.7}));
    EXPECT_EQ(with.x_extent(), (Extent{1, 3}));
}

TEST(Series, RemovesALabelFromTheMiddle) {
    Series series;
    series.append(1, 1, 10);
    series.append(2, 2, 20);
    series.append(3, 3, 30);
    EXPECT_EQ(series.remove_label(2), 1U);
    ASSERT_EQ(series.size(), 2U);
    EXPECT_EQ(series.values()[1], 30.0);
    EXPECT_EQ(series.labels()[1], 3);
}

TEST(Series, ValuesThatAreNotFiniteAreGaps) {
    Series series;
    series.set_factor(0.5);
    series.append(1, 1, 1);
    series.append(1, 2, nan);
    series.append(1, 3, infinity);
    series.append(1, 4, -1e200);  // finite, but no axis could hold it
    series.append(1, 5, 2);
    EXPECT_EQ(series.gaps(), 3U);
    EXPECT_TRUE(std::isnan(series.smoothed()[1]));
    EXPECT_TRUE(std::isnan(series.smoothed()[3]));
    EXPECT_DOUBLE_EQ(series.smoothed()[4], 5.0 / 3);  // as if the gaps had not been
    EXPECT_EQ(series.value_extent(), (Extent{1, 2}));
    EXPECT_EQ(series.last_drawable(), 4U);
    series.append(1, 6, nan);
    EXPECT_EQ(series.last_drawable(), 4U);
    EXPECT_TRUE(series.ordered());
}

TEST(Series, KnowsWhetherItIsOrdered) {
    Series series;
    series.append(1, 1, 0);
    series.append(1, 3, 0);
    series.append(2, 2, 0);
    EXPECT_FALSE(series.ordered());
    series.remove_label(2);
    EXPECT_TRUE(series.ordered());
}

TEST(Series, APathSmoothsBothCoordinates) {
    Series path(Smoothing::both);
    path.set_factor(0.5);
    path.append(1, 10, 1, 0);
    path.append(1, 11, 2, 3);
    EXPECT_DOUBLE_EQ(path.smoothed_x()[1], 5.0 / 3);
    EXPECT_DOUBLE_EQ(path.smoothed()[1], 2.0);  // 1.5 / 0.75
    EXPECT_EQ(path.steps()[1], 11.0);
    EXPECT_EQ(path.x()[1], 2.0);
}

TEST(MetricBook, JoinsTwoMetricsStepByStep) {
    MetricBook book;
    const auto path = book.path("objective/kl", "objective/score");
    book.append({{"objective/kl", 1, 1, 0.1}});
    EXPECT_EQ(path->size(), 0U);
    // Step 2 has no score; step 3 comes score first.
    book.append({{"objective/score", 1, 1, 1.0}, {"objective/kl", 1, 2, 0.2}});
    book.append({{"objective/score", 2, 3, 3.0}, {"objective/kl", 2, 3, 0.3}});
    ASSERT_EQ(path->size(), 2U);
    EXPECT_EQ(path->x()[0], 0.1);
    EXPECT_EQ(path->values()[0], 1.0);
    EXPECT_EQ(path->steps()[1], 3.0);
    EXPECT_EQ(path->x()[1], 0.3);
    EXPECT_EQ(path->values()[1], 3.0);
    EXPECT_EQ(path->labels()[1], 2);
}

TEST(MetricBook, APathMadeLateHoldsWhatCameBefore) {
    MetricBook book;
    book.append({{"objective/kl", 1, 1, 0.1}, {"objective/kl", 1, 2, 0.2}});
    book.append({{"objective/score", 1, 1, 1.0}, {"objective/score", 1, 2, 2.0}});
    EXPECT_EQ(book.path("objective/kl", "objective/score")->size(), 2U);
}

TEST(MetricBook, LentSeriesFollowUndoAndClear) {
    MetricBook book;
    const auto loss = book.series("loss/policy");
    const auto path = book.path("objective/kl", "objective/score");
    EXPECT_TRUE(book.names().empty());
    for (int label = 1; label <= 2; ++label) {
        const double step = label;
        book.append({{"loss/policy", label, step, 0.5},
                     {"objective/kl", label, step, 1},
                     {"objective/score", label, step, 2}});
    }
    EXPECT_EQ(book.names(), (std::vector<std::string>{"loss/policy", "objective/kl", "objective/score"}));
    book.remove_label(2);
    EXPECT_EQ(loss->size(), 1U);
    EXPECT_EQ(path->size(), 1U);
    // The same step again, by another label.
    book.append({{"objective/kl", 3, 2, 5}, {"objective/score", 3, 2, 6}});
    ASSERT_EQ(path->size(), 2U);
    EXPECT_EQ(path->x()[1], 5.0);
    book.clear();
    EXPECT_TRUE(loss->empty());
    EXPECT_TRUE(path->empty());
    EXPECT_TRUE(book.names().empty());
}

TEST(MetricBook, SmoothingReachesAllSeries) {
    MetricBook book;
    const auto before = book.series("a");
    book.set_factor(0.5);
    EXPECT_EQ(before->factor(), 0.5);
    EXPECT_EQ(book.series("b")->factor(), 0.5);
    EXPECT_EQ(book.path("a", "b")->factor(), 0.5);
}

}  // namespace
}  // namespace plumbline::ui
