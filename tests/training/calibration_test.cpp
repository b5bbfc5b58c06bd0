#include "core/training/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/api/errors.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

/// `shift` is added to each probability that stays within 0..1.
std::vector<Prediction> golden_predictions(const nlohmann::json& golden, double shift = 0) {
    std::vector<Prediction> out;
    for (std::size_t i = 0; i < golden["probabilities"].size(); ++i) {
        const double p = golden["probabilities"][i].get<double>();
        const bool shifts = p + shift <= 1 && p > 0;
        out.push_back({shifts ? p + shift : p, golden["outcomes"][i].get<double>(), 0});
    }
    return out;
}

TEST(CalibrationGolden, IsTheCurveOfScikitLearn) {
    const nlohmann::json golden = testing::golden_json("calibration.json");
    const Calibration result = calibration(golden_predictions(golden));
    std::size_t filled = 0;
    for (std::size_t b = 0; b < 10; ++b) {
        const ReliabilityBin& bin = result.bins.at(b);
        EXPECT_EQ(bin.n, golden["counts"][b].get<int>()) << b;
        if (bin.n > 0) {
            EXPECT_NEAR(bin.observed, golden["observed"][filled].get<double>(), 1e-12) << b;
            EXPECT_NEAR(bin.predicted, golden["predicted"][filled].get<double>(), 1e-12) << b;
            ++filled;
        }
    }
    EXPECT_EQ(filled, golden["observed"].size());
    EXPECT_LT(filled, 10U) << "no bin of the golden data is empty";
    EXPECT_NEAR(result.expected_error, golden["expected_error"].get<double>(), 1e-12);
    EXPECT_NEAR(result.accuracy, golden["accuracy"].get<double>(), 1e-12);
    EXPECT_EQ(result.n, static_cast<int>(golden["outcomes"].size()));
}

TEST(CalibrationGolden, SeesASlightlyWrongProbability) {
    const nlohmann::json golden = testing::golden_json("calibration.json");
    const Calibration result = calibration(golden_predictions(golden, 1e-9));
    EXPECT_GT(std::abs(result.expected_error - golden["expected_error"].get<double>()), 1e-12);
    EXPECT_NE(result.bins.at(0).n, golden["counts"][0].get<int>())
        << "0.1 belongs to the lower bin, more does not";
}

TEST(Calibration, IsDerivedByHand) {
    // Two bins. (0, 0.5]: probabilities 0.2, 0.4, outcomes 0, 1: predicted 0.3, observed 0.5. (0.5, 1]: 0.6,
    // 0.9, 0.9, outcomes 1, 0.5, 1: predicted 0.8, observed 5/6. ECE = 2/5 * 0.2 + 3/5 * (5/6 - 0.8) = 0.08 +
    // 0.02.
    const std::vector<Prediction> five = {
        {0.2, 0, -1.4}, {0.4, 1, -0.4}, {0.6, 1, 0.4}, {0.9, 0.5, 2.2}, {0.9, 1, 2.2}};
    const Calibration result = calibration(five, 2);
    EXPECT_EQ(result.bins[0].n, 2);
    EXPECT_DOUBLE_EQ(result.bins[0].predicted, 0.3);
    EXPECT_DOUBLE_EQ(result.bins[0].observed, 0.5);
    EXPECT_EQ(result.bins[1].n, 3);
    EXPECT_DOUBLE_EQ(result.bins[1].predicted, 0.8);
    EXPECT_DOUBLE_EQ(result.bins[1].observed, 5.0 / 6);
    EXPECT_NEAR(result.expected_error, 0.1, 1e-15);
    // The tie is no preference. Right: 0.2 (right side), 0.6, 0.9; wrong: 0.4. Margins 1.4 - 0.4 + 0.4 + 2.2
    // = 3.6.
    EXPECT_EQ(result.preferences, 4);
    EXPECT_DOUBLE_EQ(result.accuracy, 0.75);
    EXPECT_DOUBLE_EQ(result.margin, 0.9);
}

TEST(Calibration, OfNothingAndOfTiesIsDefined) {
    const Calibration nothing = calibration({});
    EXPECT_EQ(nothing.n, 0);
    EXPECT_EQ(nothing.bins.size(), 10U);
    EXPECT_EQ(nothing.expected_error, 0);
    EXPECT_EQ(nothing.accuracy, 0);
    const std::vector<Prediction> ties = {{0.5, 0.5, 0}, {0.6, 0.5, 0.4}};
    const Calibration of_ties = calibration(ties);
    EXPECT_EQ(of_ties.n, 2);
    EXPECT_EQ(of_ties.preferences, 0);
    EXPECT_EQ(of_ties.accuracy, 0);
    EXPECT_NEAR(of_ties.expected_error, 0.05, 1e-15);
}

TEST(Calibration, CountsAnUndecidedProbabilityHalf) {
    const std::vector<Prediction> coins = {{0.5, 1, 0}, {0.5, 0, 0}, {0.5, 1, 0}};
    EXPECT_DOUBLE_EQ(calibration(coins).accuracy, 0.5);
}

TEST(Calibration, OfMirroredPairsHasBothSides) {
    // Files name the better reply first, so that every outcome is 1 and no curve could show an overrated
    // left.
    const std::vector<Prediction> chosen_first = {{0.8, 1, 1.4}, {0.3, 1, -0.8}};
    const std::vector<Prediction> both = mirrored(chosen_first);
    ASSERT_EQ(both.size(), 4U);
    EXPECT_DOUBLE_EQ(both[2].probability, 0.2);
    EXPECT_EQ(both[2].outcome, 0);
    EXPECT_DOUBLE_EQ(both[2].margin, -1.4);
    const Calibration result = calibration(both);
    EXPECT_DOUBLE_EQ(result.accuracy, calibration(chosen_first).accuracy);
    EXPECT_DOUBLE_EQ(result.margin, calibration(chosen_first).margin);
    EXPECT_EQ(result.bins[2].observed, 1) << "0.3, outcome 1";
    EXPECT_EQ(result.bins[6].observed, 0) << "its mirror, 0.7 and outcome 0";
}

TEST(Calibration, RefusesWhatIsNoPrediction) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const Prediction& bad : {Prediction{1.1, 1, 0}, Prediction{-0.1, 1, 0}, Prediction{nan, 1, 0},
                                  Prediction{0.5, 2, 0}, Prediction{0.5, nan, 0}, Prediction{0.5, 1, nan}}) {
        EXPECT_THROW(calibration({&bad, 1}), Error)
            << bad.probability << " " << bad.outcome << " " << bad.margin;
    }
    EXPECT_THROW(calibration({}, 0), Error);
    EXPECT_THROW(calibration({}, 1001), Error);
}

}  // namespace
}  // namespace plumbline
