#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ui/plot/axis_ticks.h"
#include "ui/plot/polyline.h"

namespace plumbline::ui {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr PixelMap identity = {1, 0};

std::vector<double> numbers(std::size_t count) {
    std::vector<double> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = static_cast<double>(i);
    }
    return out;
}

TEST(ColumnLines, MapsEachPointOfAnOrdinaryCurve) {
    const std::vector<double> x = {0, 1, 2};
    const std::vector<double> y = {5, 6, 7};
    // Ten pixels a unit from 100 on; upwards from 50.
    const std::vector<QPolygonF> lines = column_lines(x, y, {10, 100}, {-1, 50});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], QPolygonF({{100, 45}, {110, 44}, {120, 43}}));
}

TEST(ColumnLines, GapsCutTheLine) {
    const std::vector<double> x = {0, 1, 2, 3, 4};
    const std::vector<double> y = {1, nan, 2, 3, std::numeric_limits<double>::infinity()};
    const std::vector<QPolygonF> lines = column_lines(x, y, identity, identity);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], QPolygonF({{0, 1}, {0, 1}}));  // alone, still seen
    EXPECT_EQ(lines[1], QPolygonF({{2, 2}, {3, 3}}));
}

TEST(ColumnLines, OnePixelColumnKeepsItsExtremes) {
    const std::vector<double> x = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 5};
    const std::vector<double> y = {3, 9, 4, 1, 4, 2, 0};
    const std::vector<QPolygonF> lines = column_lines(x, y, identity, identity);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], QPolygonF({{0.1, 3}, {0.2, 9}, {0.4, 1}, {0.6, 2}, {5, 0}}));
}

TEST(ColumnLines, AMillionPointsAreFourAPixelAtMost) {
    constexpr std::size_t count = 1000000;
    constexpr double pixels = 300;
    const std::vector<double> x = numbers(count);
    std::vector<double> y(count);
    for (std::size_t i = 0; i < count; ++i) {
        y[i] = std::sin(static_cast<double>(i) * 0.37);
    }
    y[777777] = 42;  // one spike among a million
    const std::vector<QPolygonF> lines = column_lines(x, y, {pixels / count, 0}, identity);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_LE(lines[0].size(), 4 * 300);
    EXPECT_GE(lines[0].size(), 2 * 300);
    EXPECT_EQ(lines[0].first().y(), y.front());
    EXPECT_EQ(lines[0].last().y(), y.back());
    EXPECT_EQ(lines[0].boundingRect().bottom(), 42);
}

TEST(ColumnLines, TheFastWayDrawsTheSame) {
    std::vector<double> x, y;
    for (int i = 0; i < 5000; ++i) {
        x.push_back(std::floor(i * 0.4) * (i < 2500 ? 1 : 3));  // several points at one place, then far apart
        y.push_back(std::round(5 * std::sin(i * 0.37)));        // the same height many times
    }
    for (const double scale : {0.3, 1.0, 7.0, 1e15, 1e300}) {
        const PixelMap to_x = {scale, -17.3};
        EXPECT_EQ(ascending_column_lines(x, y, to_x, {-2, 9}), column_lines(x, y, to_x, {-2, 9})) << scale;
    }
    std::vector<double> other = y;
    other[2000] = 6;  // one spike
    EXPECT_NE(ascending_column_lines(x, other, {0.3, 0}, identity), column_lines(x, y, {0.3, 0}, identity));
    EXPECT_TRUE(ascending_column_lines({}, {}, identity, identity).empty());
}

TEST(ColumnLines, TheFastWayDrawsDenseColumnsAsBarsOfTheSameHeight) {
    constexpr std::size_t count = 10000;
    constexpr double pixels = 100;  // of 100 points each
    const std::vector<double> x = numbers(count);
    std::vector<double> y(count);
    for (std::size_t i = 0; i < count; ++i) {
        y[i] = std::sin(static_cast<double>(i) * 0.37) + (i == 4567 ? 40 : 0);
    }
    const PixelMap to_x = {pixels / count, 0};
    const auto extents = [](const std::vector<QPolygonF>& lines) {
        std::vector<Extent> out(static_cast<std::size_t>(pixels));
        for (const QPointF& point : lines.at(0)) {
            out.at(static_cast<std::size_t>(point.x())).include(point.y());
        }
        return out;
    };
    const std::vector<QPolygonF> bars = ascending_column_lines(x, y, to_x, identity);
    EXPECT_EQ(extents(bars), extents(column_lines(x, y, to_x, identity)));
    EXPECT_LE(bars.at(0).size(), 2 * 100 + 4) << "what costs the painter time";
    EXPECT_EQ(bars.at(0).first(), QPointF(0, y.front()));
    EXPECT_EQ(bars.at(0).last(), QPointF(to_x(x.back()), y.back()));
}

TEST(PathLines, WithoutGapsTheStrideKeepsTheSamePoints) {
    for (const std::size_t count : {1, 2, 7, 100, 1001}) {
        std::vector<double> x = numbers(count), y(count);
        for (std::size_t i = 0; i < count; ++i) {
            x[i] = 40 * std::cos(static_cast<double>(i) * 0.1);
            y[i] = 40 * std::sin(static_cast<double>(i) * 0.1);
        }
        EXPECT_EQ(path_lines(x, y, identity, identity, 50, Gaps::none),
                  path_lines(x, y, identity, identity, 50, Gaps::some))
            << count;
    }
}

TEST(ClippedLines, KeepsWhatLiesInsideAsItIs) {
    const std::vector<QPolygonF> lines = {QPolygonF({{1, 1}, {5, 2}, {9, 9}}), QPolygonF({{3, 3}, {3, 3}})};
    EXPECT_EQ(clipped_lines(lines, QRectF(0, 0, 10, 10)), lines);
}

TEST(ClippedLines, CutsAtTheBorder) {
    // Through the square, back along its middle, and away again: two parts, the turn outside left out.
    const std::vector<QPolygonF> lines = {QPolygonF({{-10, 5}, {20, 5}, {20, 8}, {5, 8}})};
    const std::vector<QPolygonF> parts = clipped_lines(lines, QRectF(0, 0, 10, 10));
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[0], QPolygonF({{0, 5}, {10, 5}}));
    EXPECT_EQ(parts[1], QPolygonF({{10, 8}, {5, 8}}));
    EXPECT_TRUE(clipped_lines({QPolygonF({{-5, -5}, {-1, 20}})}, QRectF(0, 0, 10, 10)).empty());
    EXPECT_TRUE(
        clipped_lines({QPolygonF({{-3, 8}, {8, 19}})}, QRectF(0, 0, 10, 10)).empty());  // past a corner
}

TEST(ClippedLines, FarPointsKeepTheDirectionOfTheirLine) {
    const std::vector<QPolygonF> parts =
        clipped_lines({QPolygonF({{-0x1p40, -0x1p41}, {0x1p40, 0x1p41}})}, QRectF(-10, -10, 20, 20));
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0], QPolygonF({{-5, -10}, {5, 10}}));
}

TEST(PathLines, LeavesOutWhatIsTooNearToSee) {
    const std::vector<double> x = {0, 0.2, 0.6, 0.7, 0.8};
    const std::vector<double> y = {0, 0, 0, 0, 0};
    const std::vector<QPolygonF> lines = path_lines(x, y, identity, identity, 100);
    ASSERT_EQ(lines.size(), 1U);
    // 0.2 lies 0.2 from 0; 0.6 is half a pixel or more away; 0.8 is the last.
    EXPECT_EQ(lines[0], QPolygonF({{0, 0}, {0.6, 0}, {0.8, 0}}));
}

TEST(PathLines, ThinsALongPathAndKeepsItsEnds) {
    const std::vector<double> x = numbers(10001);
    const std::vector<QPolygonF> lines = path_lines(x, x, identity, identity, 1000);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_LE(lines[0].size(), 1001);
    EXPECT_GE(lines[0].size(), 900);
    EXPECT_EQ(lines[0].first(), QPointF(0, 0));
    EXPECT_EQ(lines[0].last(), QPointF(10000, 10000));
}

TEST(PathLines, GapsCutThePath) {
    const std::vector<double> x = {0, nan, 10, 20};
    const std::vector<double> y = {0, 0, 10, 20};
    EXPECT_EQ(path_lines(x, y, identity, identity, 100).size(), 2U);
}

TEST(VisiblePoints, TakesOneNeighbourOnEitherSide) {
    const std::vector<double> x = numbers(10);
    const IndexRange inside = visible_points(x, {3.5, 6});
    EXPECT_EQ(inside.first, 3U);
    EXPECT_EQ(inside.end, 8U);
    const IndexRange all = visible_points(x, {-5, 50});
    EXPECT_EQ(all.first, 0U);
    EXPECT_EQ(all.end, 10U);
    const IndexRange beyond = visible_points(x, {20, 30});
    EXPECT_EQ(beyond.first, 9U);
    EXPECT_EQ(beyond.end, 10U);
}

TEST(RoundRange, LimitsAreMultiplesOfAReadableStep) {
    // 0.32 / 3 = 0.107: the next of 0.1, 0.2, 0.5 is 0.2.
    const RoundRange loss = round_range({0.49, 0.81}, 3);
    EXPECT_DOUBLE_EQ(loss.step, 0.2);
    EXPECT_DOUBLE_EQ(loss.lower, 0.4);
    EXPECT_DOUBLE_EQ(loss.upper, 1.0);
    EXPECT_EQ(round_range({0, 140}, 3), (RoundRange{0, 150, 50}));
    EXPECT_EQ(round_range({-0.5, 6}, 7), (RoundRange{-1, 6, 1}));
}

TEST(RoundRange, WholeNumbersHaveWholeSteps) {
    EXPECT_EQ(round_range({0, 2}, 5, 1), (RoundRange{0, 2, 1}));
    EXPECT_EQ(round_range({0, 2}, 5), (RoundRange{0, 2, 0.5}));
}

TEST(RoundRange, ASingleValueGetsRoom) {
    const RoundRange loss = round_range({0.5, 0.5}, 4);
    EXPECT_LT(loss.lower, 0.5);
    EXPECT_GT(loss.upper, 0.5);
    const RoundRange zero = round_range({0, 0}, 4);
    EXPECT_LT(zero.lower, 0);
    EXPECT_GT(zero.upper, 0);
    EXPECT_EQ(round_range({}, 5), (RoundRange{0, 1, 0.2}));
}

TEST(TickText, HasTheDecimalsOfItsStep) {
    EXPECT_EQ(tick_text(0.4, 0.2), "0.4");
    EXPECT_EQ(tick_text(1, 0.05), "1.00");
    EXPECT_EQ(tick_text(-0.2, 0.2), QStringLiteral("−0.2"));
    EXPECT_EQ(tick_text(24, 6), "24");
    EXPECT_EQ(tick_text(-1e-17, 0.1), "0.0");  // a zero that rounding left
    EXPECT_EQ(tick_text(12000, 2000), QStringLiteral("12\u2009000"));
    EXPECT_EQ(tick_text(-1234567, 1), QStringLiteral("−1\u2009234\u2009567"));
    EXPECT_EQ(tick_text(3e7, 1e7), "3e+07");
    EXPECT_EQ(tick_text(1.00002, 1e-5), "1.00002");
}

TEST(ValueText, SaysWhatIsThere) {
    EXPECT_EQ(value_text(0.6931, 2), "0.69");
    EXPECT_EQ(value_text(-0.17, 2), QStringLiteral("−0.17"));
    EXPECT_EQ(value_text(0, 2), "0.00");
    EXPECT_EQ(value_text(0.0012, 2), "0.0012");
    EXPECT_EQ(value_text(2500000, 2), "2.5e+06");
    EXPECT_EQ(value_text(nan, 2), "NaN");
    EXPECT_EQ(value_text(-std::numeric_limits<double>::infinity(), 2), QStringLiteral("−∞"));
}

}  // namespace
}  // namespace plumbline::ui
