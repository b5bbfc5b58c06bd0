#include "core/losses/preference.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;

Tensor values(std::initializer_list<double> list) { return at::tensor(std::vector<double>(list), at::kDouble); }

// beta = 0.5, log-ratios: chosen -1 - (-3) = 2, rejected -2 - (-1) = -1, so Delta = 3 and the loss is
// log(1 + e^-1.5) = 0.2014132779827524; rewards 1 and -0.5.
TEST(DpoLoss, MatchesAHandDerivedValue) {
    const PreferenceLoss loss = dpo_loss(values({-1}), values({-2}), values({-3}), values({-1}), 0.5);
    EXPECT_NEAR(loss.losses.item<double>(), 0.2014132779827524, 1e-12);
    EXPECT_NEAR(loss.chosen_rewards.item<double>(), 1.0, 1e-12);
    EXPECT_NEAR(loss.rejected_rewards.item<double>(), -0.5, 1e-12);
    // The twin: another beta is told apart.
    const PreferenceLoss other = dpo_loss(values({-1}), values({-2}), values({-3}), values({-1}), 0.501);
    EXPECT_GT(std::abs(other.losses.item<double>() - 0.2014132779827524), 1e-4);
}

TEST(DpoLoss, IsLnTwoWhereThePolicyIsTheReference) {
    const PreferenceLoss loss = dpo_loss(values({-7, -1}), values({-2, -9}), values({-7, -1}), values({-2, -9}), 0.1);
    EXPECT_NEAR(loss.losses[0].item<double>(), std::log(2.0), 1e-12);
    EXPECT_NEAR(loss.losses[1].item<double>(), std::log(2.0), 1e-12);
}

TEST(DpoLoss, HasTheGradientOfFiniteDifferences) {
    const Tensor rejected = values({-3.0, -1.5, -9.0}), ref_c = values({-2.2, -4.0, -1.0}), ref_r = values({-2.0, -2.5, -8.0});
    const Tensor chosen = values({-2.0, -5.0, -1.2});
    testing::expect_gradient([&](const Tensor& x) { return dpo_loss(x, rejected, ref_c, ref_r, 0.3).losses; }, chosen, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return dpo_loss(chosen, x, ref_c, ref_r, 0.3).losses; }, rejected, 1e-8);
}

// r_c - r_r - m = 2 - 0.5 - 1 = 0.5: log(1 + e^-0.5) = 0.4740769841801067; centring adds 0.01 * 2.5^2 = 0.0625.
TEST(BradleyTerry, MatchesAHandDerivedValue) {
    const double loss = bradley_terry_loss(values({2}), values({0.5}), 1, 0.01).item<double>();
    EXPECT_NEAR(loss, 0.4740769841801067 + 0.0625, 1e-12);
    EXPECT_GT(std::abs(bradley_terry_loss(values({2}), values({0.5}), 1, 0.0101).item<double>() - loss), 1e-4);
}

TEST(BradleyTerry, HasTheGradientOfFiniteDifferences) {
    const Tensor chosen = values({2.0, -1.0, 0.3}), rejected = values({0.5, 1.5, 0.3});
    testing::expect_gradient([&](const Tensor& x) { return bradley_terry_loss(x, rejected, 0.5, 0.02); }, chosen, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return bradley_terry_loss(chosen, x, 0.5, 0.02); }, rejected, 1e-8);
}

TEST(BradleyTerry, StaysFiniteFarOut) {
    EXPECT_NEAR(bradley_terry_loss(values({-1000}), values({1000}), 0, 0).item<double>(), 2000, 1e-9);
    EXPECT_EQ(bradley_terry_loss(values({1000}), values({-1000}), 0, 0).item<double>(), 0);
}

}  // namespace
}  // namespace plumbline
