#include "core/lab/pair_choosers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "core/api/errors.h"

namespace plumbline {
namespace {

using Two = std::pair<int, int>;

/// Margins of four replies, as a table of the six pairs.
const std::map<Two, MarginDistribution> table = {
    {{0, 1}, {2.0, 0.1}},  {{0, 2}, {-3.0, 0.5}}, {{0, 3}, {0.1, 0.2}},
    {{1, 2}, {-2.5, 2.6}}, {{1, 3}, {0.5, 2.0}},  {{2, 3}, {-1.0, 1.9}},
};

MarginDistribution in_table(int i, int j) {
    return table.at({i, j});
}

double no_draw(std::uint32_t) {
    ADD_FAILURE() << "this way of choosing draws nothing";
    return 0;
}

TEST(PairChoosers, EachFindsItsPair) {
    EXPECT_EQ(choose_pair(PairChoice::farthest, 4, no_draw, in_table), Two(0, 2));
    EXPECT_EQ(choose_pair(PairChoice::uncertainty, 4, no_draw, in_table), Two(1, 2));
    EXPECT_EQ(choose_pair(PairChoice::margin, 4, no_draw, in_table), Two(0, 3));
    // (1, 2) is less certain than (1, 3), but its answer is easier to foresee.
    EXPECT_EQ(choose_pair(PairChoice::information, 4, no_draw, in_table), Two(1, 3));
}

TEST(PairChoosers, LookOnlyAtTheRepliesThatThereAre) {
    EXPECT_EQ(choose_pair(PairChoice::farthest, 2, no_draw, in_table), Two(0, 1));
    EXPECT_EQ(choose_pair(PairChoice::farthest, 3, no_draw, in_table), Two(0, 2));
}

TEST(PairChoosers, TakeTheFirstOfEqualsAndNeverWhatIsNoNumber) {
    const auto equal = [](int, int) { return MarginDistribution{1, 1}; };
    const auto partly_broken = [](int i, int j) {
        const double nan = std::numeric_limits<double>::quiet_NaN();
        return i == 1 && j == 2 ? MarginDistribution{0.5, 0.5} : MarginDistribution{nan, nan};
    };
    for (const PairChoice choice :
         {PairChoice::farthest, PairChoice::uncertainty, PairChoice::information, PairChoice::margin}) {
        EXPECT_EQ(choose_pair(choice, 4, no_draw, equal), Two(0, 1));
        EXPECT_EQ(choose_pair(choice, 4, no_draw, partly_broken), Two(1, 2));
    }
}

TEST(PairChoosers, NeedTwoReplies) {
    const auto draw = [](std::uint32_t) { return 0.5; };
    for (const PairChoice choice : {PairChoice::farthest, PairChoice::uncertainty, PairChoice::information,
                                    PairChoice::margin, PairChoice::random}) {
        EXPECT_THROW(choose_pair(choice, 1, draw, in_table), Error);
        EXPECT_THROW(choose_pair(choice, 0, draw, in_table), Error);
    }
}

TEST(PairChoosers, TakeAnyDistance) {
    EXPECT_EQ(most_different(4, [](int i, int j) { return i == 2 && j == 3 ? 0.9 : 0.3; }), Two(2, 3));
    EXPECT_EQ(most_different(3, [](int, int) { return 0.0; }), Two(0, 1));
}

TEST(RandomPair, ReachesEveryPairEquallyOften) {
    // A grid of 60 x 60 draws. Each of the 12 ordered pairs of four replies owns one cell of 4 x 3, thus 3600
    // / 12 = 300 points, and each unordered pair twice as many.
    std::map<Two, int> count;
    for (int a = 0; a < 60; ++a) {
        for (int b = 0; b < 60; ++b) {
            const auto draw = [&](std::uint32_t number) { return ((number == 0 ? a : b) + 0.5) / 60; };
            ++count[choose_pair(PairChoice::random, 4, draw, in_table)];
        }
    }
    EXPECT_EQ(count.size(), 6U);
    for (const auto& [pair, times] : count) {
        EXPECT_LT(pair.first, pair.second);
        EXPECT_EQ(times, 600);
    }
}

/// The definition by the midpoint rule on 200,000 points, with nothing clever in it.
double brute_force(double mean, double deviation) {
    const auto entropy = [](double p) {
        return p <= 0 || p >= 1 ? 0 : -p * std::log(p) - (1 - p) * std::log(1 - p);
    };
    constexpr int points = 200000;
    double weights = 0, answer = 0, conditional = 0;
    for (int i = 0; i < points; ++i) {
        const double z = -12 + 24 * (i + 0.5) / points;
        const double weight = std::exp(-z * z / 2);
        const double p = 1 / (1 + std::exp(-(mean + deviation * z)));
        weights += weight;
        answer += weight * p;
        conditional += weight * entropy(p);
    }
    return entropy(answer / weights) - conditional / weights;
}

TEST(ExpectedInformation, IsTheBruteForceIntegral) {
    for (const double mean : {0.0, 0.3, -1.0, 2.0, -6.0, 30.0}) {
        for (const double deviation : {0.05, 0.5, 1.0, 3.0, 12.0, 60.0}) {
            const double expected = brute_force(mean, deviation);
            EXPECT_NEAR(expected_information({mean, deviation}), expected, 1e-8)
                << mean << " +- " << deviation;
        }
    }
    EXPECT_GT(std::abs(expected_information({0.3, 1.0001}) - brute_force(0.3, 1)), 1e-6)
        << "the bound would not see a deviation that is off by a ten-thousandth";
}

TEST(ExpectedInformation, OfASmallUncertaintyIsTheFisherInformation) {
    // I = 1/2 s^2 sigma'(m)^2 / (p (1 - p)) + O(s^4) = 1/2 s^2 p (1 - p), since sigma' = p (1 - p).
    for (const double mean : {0.0, 1.0, -2.5}) {
        const double p = 1 / (1 + std::exp(-mean));
        const double expected = 0.5 * 0.01 * 0.01 * p * (1 - p);
        EXPECT_NEAR(expected_information({mean, 0.01}), expected, 1e-3 * expected) << mean;
        EXPECT_GT(std::abs(expected_information({mean, 0.0102}) - expected), 1e-3 * expected) << mean;
    }
}

TEST(ExpectedInformation, OfEndlessUncertaintyIsOneBit) {
    // The answer is then all but fixed by the margin: H = log 2, E H = E[H(sigma(m))], which falls as 1 / s:
    // the integral of H(sigma(m)) over m is pi^2 / 3, the density at 0 is 1 / (s sqrt(2 pi)).
    const double s = 1e4;
    const double left = std::numbers::pi * std::numbers::pi / 3 / (s * std::sqrt(2 * std::numbers::pi));
    EXPECT_NEAR(expected_information({0, s}), std::numbers::ln2 - left, 1e-9);
    EXPECT_GT(std::abs(expected_information({0, s}) - (std::numbers::ln2 - 1.001 * left)), 1e-9);
}

TEST(ExpectedInformation, IsNothingWithoutUncertaintyAndNoNumberForNone) {
    EXPECT_EQ(expected_information({0, 0}), 0);
    EXPECT_EQ(expected_information({5, 0}), 0);
    EXPECT_EQ(expected_information({1e6, 1}), 0);
    EXPECT_TRUE(std::isnan(expected_information({0, std::numeric_limits<double>::infinity()})));
    EXPECT_TRUE(std::isnan(expected_information({std::numeric_limits<double>::quiet_NaN(), 1})));
}

TEST(ExpectedInformation, FallsWithTheMarginAndGrowsWithTheUncertainty) {
    EXPECT_GT(expected_information({0, 1}), expected_information({1, 1}));
    EXPECT_NEAR(expected_information({1, 1}), expected_information({-1, 1}), 1e-14);
    EXPECT_GT(expected_information({1, 2}), expected_information({1, 1}));
}

}  // namespace
}  // namespace plumbline
