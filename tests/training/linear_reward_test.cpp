#include "core/training/linear_reward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/sampling/counter_random.h"

namespace plumbline {
namespace {

using at::Tensor;

FeatureScale identity(std::size_t features) {
    return {std::vector<double>(features, 0), std::vector<double>(features, 1)};
}

// One label, one feature, difference 1, ridge 1: the mode solves w = 1 - sigmoid(w), w = 0.4010581375; the Laplace
// variance is 1 / (1 + p (1 - p)) with p = sigmoid(w) = 0.5989418625, 0.8063094.
TEST(LinearReward, SolvesTheOneLabelCase) {
    const LinearReward model = LinearReward::fit(identity(1), {{{1.0f}, {0.0f}, 1}}, 1);
    const LinearReward::Score score = model.score({1.0f});
    double w = 0.4;
    for (int i = 0; i < 200; ++i) {
        w = w - 0.5 * (w - 1 / (1 + std::exp(w)));   // the fixed point, by iteration
    }
    EXPECT_NEAR(w, 0.4010581375, 1e-9);
    EXPECT_NEAR(score.mean, w, 1e-9);
    const double p = 1 / (1 + std::exp(-w));
    EXPECT_NEAR(score.deviation * score.deviation, 1 / (1 + p * (1 - p)), 1e-9);
    EXPECT_NEAR(model.loss(), -std::log(p), 1e-9);
    EXPECT_GT(std::abs(LinearReward::fit(identity(1), {{{1.0f}, {0.0f}, 1}}, 1.01).score({1.0f}).mean - w), 1e-4);
}

std::vector<LinearLabel> some_labels(int n, int features) {
    std::vector<LinearLabel> labels;
    for (int i = 0; i < n; ++i) {
        LinearLabel label;
        for (int f = 0; f < features; ++f) {
            label.left.push_back(static_cast<float>(uniform({1, 1, 0, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(f)})));
            label.right.push_back(static_cast<float>(uniform({1, 2, 0, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(f)})));
        }
        label.target = i % 5 == 4 ? 0.5 : label.left[0] > label.right[0] ? 1 : 0;
        labels.push_back(label);
    }
    return labels;
}

// At the mode the gradient of the penalised loss vanishes, and the deviation is that of the full Hessian's inverse,
// computed here in weight space (the model works in label space).
TEST(LinearReward, IsTheModeWithTheHessiansUncertainty) {
    constexpr int features = 6;
    const auto labels = some_labels(15, features);
    const double ridge = 0.7;
    const LinearReward model = LinearReward::fit(identity(features), labels, ridge);
    Tensor weights = at::empty({features}, at::kDouble);
    for (int f = 0; f < features; ++f) {
        std::vector<float> unit(features, 0);
        unit[f] = 1;
        weights[f] = model.mean_score(unit);
        EXPECT_NEAR(model.score(unit).mean, model.mean_score(unit), 1e-12);
    }
    Tensor gradient = ridge * weights, hessian = ridge * at::eye(features, at::kDouble);
    for (const LinearLabel& l : labels) {
        const Tensor d = at::tensor(l.left).to(at::kDouble) - at::tensor(l.right).to(at::kDouble);
        const double p = 1 / (1 + std::exp(-weights.dot(d).item<double>()));
        gradient += (p - l.target) * d;
        hessian += p * (1 - p) * at::outer(d, d);
    }
    EXPECT_LT(gradient.abs().max().item<double>(), 1e-7);
    EXPECT_GT((gradient + 1e-5 * weights).abs().max().item<double>(), 1e-7) << "a small change of the prior is seen";
    const Tensor covariance = at::linalg_inv(hessian);
    const std::vector<float> x{0.3f, -1, 2, 0.1f, 0.7f, -0.4f};
    const Tensor v = at::tensor(x).to(at::kDouble);
    EXPECT_NEAR(std::pow(model.score(x).deviation, 2), v.dot(covariance.mv(v)).item<double>(), 1e-9);
}

TEST(LinearReward, KnowsNothingWithoutLabels) {
    const LinearReward prior = LinearReward::fit(identity(2), {}, 4);
    EXPECT_EQ(prior.score({1.0f, 0.0f}).mean, 0);
    EXPECT_NEAR(prior.score({1.0f, 0.0f}).deviation, 0.5, 1e-12);   // 1 / sqrt(ridge)
    EXPECT_NEAR(prior.probability({1.0f, 0.0f}, {0.0f, 1.0f}), 0.5, 1e-12);
}

TEST(LinearReward, TiesPullTogether) {
    const std::vector<LinearLabel> sure{{{1, 0}, {0, 0}, 1}};
    std::vector<LinearLabel> tied = sure;
    tied.push_back({{1, 0}, {0, 0}, 0.5});
    EXPECT_LT(LinearReward::fit(identity(2), tied, 1).score({1, 0}).mean, LinearReward::fit(identity(2), sure, 1).score({1, 0}).mean);
}

// Features (1, 2), (3, 2): mean 2 and 2, deviation 1 and none; the last feature takes the length's weight.
TEST(FeatureScale, StandardisesAndDropsWhatNeverVaries) {
    const std::vector<std::vector<float>> replies{{1, 2, 10}, {3, 2, 30}};
    const FeatureScale scale = LinearReward::scale_of(replies, 0.25);
    EXPECT_EQ(scale.mean, (std::vector<double>{2, 2, 20}));
    EXPECT_NEAR(scale.inverse_deviation[0], 1, 1e-12);
    EXPECT_EQ(scale.inverse_deviation[1], 0);
    EXPECT_NEAR(scale.inverse_deviation[2], 0.25 / 10, 1e-12);
}

}  // namespace
}  // namespace plumbline
