#include "core/losses/preference.h"

#include <ATen/ATen.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "tests/losses/loss_inputs.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::values;

// Three pairs. With beta 0.5, the first has the log-ratios 2 and -1: Delta = 3, beta Delta = 1.5.
const Tensor chosen = values({-1.0, -5.0, -1.2}), rejected = values({-2.0, -1.5, -9.0});
const Tensor reference_chosen = values({-3.0, -4.0, -1.0}), reference_rejected = values({-1.0, -2.5, -8.0});
const Tensor chosen_tokens = values({4, 8, 2}), rejected_tokens = values({5, 3, 6});

using Loss = PreferenceLoss (*)(const Tensor& chosen, const Tensor& rejected);

// Central differences with respect to both replies' log-probabilities.
void expect_gradients(Loss loss) {
    testing::expect_gradient([&](const Tensor& x) { return loss(x, rejected).losses; }, chosen, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return loss(chosen, x).losses; }, rejected, 1e-8);
}

PreferenceLoss dpo(const Tensor& c, const Tensor& r) {
    return dpo_loss(c, r, reference_chosen, reference_rejected, 0.5);
}

PreferenceLoss cdpo(const Tensor& c, const Tensor& r, double smoothing) {
    return cdpo_loss(c, r, reference_chosen, reference_rejected, 0.5, smoothing);
}

PreferenceLoss robust(const Tensor& c, const Tensor& r, double smoothing) {
    return robust_dpo_loss(c, r, reference_chosen, reference_rejected, 0.5, smoothing);
}

PreferenceLoss ipo(const Tensor& c, const Tensor& r, IpoDelta delta) {
    return ipo_loss(c, r, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens, 0.5, delta);
}

double first(const PreferenceLoss& loss) {
    return loss.losses[0].item<double>();
}

// A gradient that misses a part of 3e-8 is told apart at the tolerance of 1e-8.
TEST(PreferenceGradients, AreCheckedCloselyEnough) {
    EXPECT_NONFATAL_FAILURE(
        testing::expect_gradient([](const Tensor& x) { return x.square() + (3e-8 * x).detach(); },
                                 values({0.7}), 1e-8),
        "entry 0");
}

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
    const PreferenceLoss loss =
        dpo_loss(values({-7, -1}), values({-2, -9}), values({-7, -1}), values({-2, -9}), 0.1);
    EXPECT_NEAR(loss.losses[0].item<double>(), std::log(2.0), 1e-12);
    EXPECT_NEAR(loss.losses[1].item<double>(), std::log(2.0), 1e-12);
}

TEST(DpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients(dpo);
}

// log(1 + e^-1.5) = 0.2014132779827524, log(1 + e^1.5) = 1.7014132779827524: 0.9 of the one, 0.1 of the
// other.
TEST(CdpoLoss, MatchesAHandDerivedValue) {
    const double expected = 0.9 * 0.2014132779827524 + 0.1 * 1.7014132779827524;
    EXPECT_NEAR(first(cdpo(chosen, rejected, 0.1)), expected, 1e-12);
    EXPECT_GT(std::abs(first(cdpo(chosen, rejected, 0.10001)) - expected), 1e-5);
    EXPECT_NEAR(cdpo(chosen, rejected, 0.1).chosen_rewards[0].item<double>(), 1.0, 1e-12);
}

TEST(CdpoLoss, IsDpoWithoutSmoothing) {
    EXPECT_TRUE(at::equal(cdpo(chosen, rejected, 0).losses, dpo(chosen, rejected).losses));
    EXPECT_FALSE(at::allclose(cdpo(chosen, rejected, 1e-4).losses, dpo(chosen, rejected).losses, 0, 1e-5));
}

// Labels that are wrong with probability e are fitted by sigmoid(beta Delta) = 1 - e: here beta Delta =
// log 9.
TEST(CdpoLoss, IsLeastWhereTheMarginMeetsTheLabels) {
    const double delta = std::log(9.0) / 0.5;
    for (const double off : {0.0, 0.01}) {
        const Tensor x = values({delta + off}).requires_grad_(true);
        const Tensor zero = values({0});
        cdpo_loss(x, zero, zero, zero, 0.5, 0.1).losses.backward();
        EXPECT_EQ(std::abs(x.grad().item<double>()) < 1e-12, off == 0);
    }
}

TEST(CdpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients([](const Tensor& c, const Tensor& r) { return cdpo(c, r, 0.2); });
}

// Of labels that are flipped with probability e, the mean loss is DPO's on the true ones (2403.00409,
// lemma 3.1).
TEST(RobustDpoLoss, IsUnbiasedUnderFlippedLabels) {
    const auto mean = [](double flipped) {
        const Tensor swapped =
            robust_dpo_loss(rejected, chosen, reference_rejected, reference_chosen, 0.5, 0.2).losses;
        return (1 - flipped) * robust(chosen, rejected, 0.2).losses + flipped * swapped;
    };
    EXPECT_TRUE(at::allclose(mean(0.2), dpo(chosen, rejected).losses, 0, 1e-12));
    EXPECT_FALSE(at::allclose(mean(0.2001), dpo(chosen, rejected).losses, 0, 1e-6));
}

TEST(RobustDpoLoss, IsDpoWithoutFlips) {
    EXPECT_TRUE(at::equal(robust(chosen, rejected, 0).losses, dpo(chosen, rejected).losses));
}

TEST(RobustDpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients([](const Tensor& c, const Tensor& r) { return robust(c, r, 0.3); });
}

TEST(RobustDpoLoss, RefusesLabelsThatSayNothing) {
    EXPECT_THROW(robust(chosen, rejected, 0.5), ConfigError);
    EXPECT_THROW(robust(chosen, rejected, -0.1), ConfigError);
    EXPECT_THROW(robust(chosen, rejected, std::nan("")), ConfigError);
    EXPECT_NO_THROW(robust(chosen, rejected, 0.49));
}

// 1 / (2 beta) = 1: (3 - 1)^2 = 4 of sums; 2 / 4 - (-1) / 5 = 0.7 of token means: (0.7 - 1)^2 = 0.09.
TEST(IpoLoss, MatchesHandDerivedValues) {
    EXPECT_NEAR(first(ipo(chosen, rejected, IpoDelta::sum)), 4, 1e-12);
    EXPECT_NEAR(first(ipo(chosen, rejected, IpoDelta::token_mean)), 0.09, 1e-12);
    EXPECT_GT(std::abs(first(ipo(chosen + 1e-5, rejected, IpoDelta::sum)) - 4), 1e-6);
    EXPECT_GT(std::abs(first(ipo(chosen + 1e-5, rejected, IpoDelta::token_mean)) - 0.09), 1e-6);
    EXPECT_NEAR(ipo(chosen, rejected, IpoDelta::token_mean).chosen_rewards[0].item<double>(), 1.0, 1e-12);
}

TEST(IpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients([](const Tensor& c, const Tensor& r) { return ipo(c, r, IpoDelta::sum); });
    expect_gradients([](const Tensor& c, const Tensor& r) { return ipo(c, r, IpoDelta::token_mean); });
}

PreferenceLoss hinge(const Tensor& c, const Tensor& r) {
    return hinge_loss(c, r, reference_chosen, reference_rejected, 0.5);
}

// Delta = 3, -2, 0.8: beta Delta = 1.5 is beyond the hinge; 1 + 1 = 2; 1 - 0.4 = 0.6.
TEST(HingeLoss, MatchesHandDerivedValuesOnBothSides) {
    const Tensor losses = hinge(chosen, rejected).losses;
    EXPECT_EQ(losses[0].item<double>(), 0);
    EXPECT_NEAR(losses[1].item<double>(), 2, 1e-12);
    EXPECT_NEAR(losses[2].item<double>(), 0.6, 1e-12);
    EXPECT_GT(std::abs(hinge(chosen + 1e-5, rejected).losses[1].item<double>() - 2), 1e-6);
}

TEST(HingeLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients(hinge);
}

PreferenceLoss simpo(const Tensor& c, const Tensor& r) {
    return simpo_loss(c, r, 2.0, 0.5);
}

// 2 (-1 + 2) - 0.5 = 1.5: log(1 + e^-1.5). The rewards are 2 x the means.
TEST(SimpoLoss, MatchesAHandDerivedValue) {
    const PreferenceLoss loss = simpo(chosen, rejected);
    EXPECT_NEAR(first(loss), 0.2014132779827524, 1e-12);
    EXPECT_GT(std::abs(first(simpo_loss(chosen, rejected, 2.0, 0.50001)) - 0.2014132779827524), 1e-6);
    EXPECT_NEAR(loss.chosen_rewards[0].item<double>(), -2, 1e-12);
    EXPECT_NEAR(loss.rejected_rewards[0].item<double>(), -4, 1e-12);
}

TEST(SimpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients(simpo);
}

PreferenceLoss orpo(const Tensor& c, const Tensor& r) {
    return orpo_loss(c, r, -c, 0.25);
}

// p = 3/4 and 1/3: odds 3 and 1/2, their ratio 6; sigmoid(log 6) = 6/7. -log(3/4) + 0.25 log(7/6).
TEST(OrpoLoss, MatchesAHandDerivedValue) {
    const Tensor c = values({std::log(0.75)}), r = values({std::log(1.0 / 3)});
    const double expected = std::log(4.0 / 3) + 0.25 * std::log(7.0 / 6);
    EXPECT_NEAR(first(orpo(c, r)), expected, 1e-12);
    EXPECT_GT(std::abs(first(orpo(c, r + 1e-4)) - expected), 1e-6);
    EXPECT_NEAR(orpo(c, r).chosen_rewards.item<double>(), 0.25 * std::log(0.75), 1e-12);
}

TEST(OrpoLoss, HasTheGradientOfFiniteDifferences) {
    expect_gradients(orpo);
}

// A reply of probability 1 has infinite odds; one of probability 0 has a log that is its own.
TEST(OrpoLoss, StaysFiniteAtCertainty) {
    for (const auto type : {at::kFloat, at::kDouble}) {
        const Tensor sure = at::zeros({1}, type).requires_grad_(true);
        const Tensor never = at::full({1}, -1000.0, type).requires_grad_(true);
        const Tensor loss = orpo(sure, never).losses + orpo(never, sure).losses;
        loss.backward();
        EXPECT_TRUE(loss.isfinite().all().item<bool>());
        EXPECT_TRUE(sure.grad().isfinite().all().item<bool>());
        EXPECT_TRUE(never.grad().isfinite().all().item<bool>());
    }
}

// No loss of the family leaves the finite numbers where a reply has become impossible.
TEST(PreferenceLosses, StayFiniteFarOut) {
    const Tensor far = values({-5000, 0}), near = values({0, -5000}), zero = values({0, 0});
    EXPECT_NEAR(dpo_loss(far, near, zero, zero, 0.1).losses[0].item<double>(), 500, 1e-9);
    EXPECT_TRUE(cdpo_loss(far, near, zero, zero, 0.1, 0.1).losses.isfinite().all().item<bool>());
    EXPECT_TRUE(robust_dpo_loss(far, near, zero, zero, 0.1, 0.1).losses.isfinite().all().item<bool>());
    EXPECT_TRUE(hinge_loss(far, near, zero, zero, 0.1).losses.isfinite().all().item<bool>());
    EXPECT_TRUE(simpo_loss(far, near, 2, 1).losses.isfinite().all().item<bool>());
}

// r_c - r_r - m = 2 - 0.5 - 1 = 0.5: log(1 + e^-0.5) = 0.4740769841801067; centring adds 0.01 * 2.5^2 =
// 0.0625.
TEST(BradleyTerry, MatchesAHandDerivedValue) {
    const double loss = bradley_terry_loss(values({2}), values({0.5}), 1, 0.01).item<double>();
    EXPECT_NEAR(loss, 0.4740769841801067 + 0.0625, 1e-12);
    EXPECT_GT(std::abs(bradley_terry_loss(values({2}), values({0.5}), 1, 0.0101).item<double>() - loss),
              1e-4);
}

TEST(BradleyTerry, HasTheGradientOfFiniteDifferences) {
    const Tensor a = values({2.0, -1.0, 0.3}), b = values({0.5, 1.5, 0.3});
    testing::expect_gradient([&](const Tensor& x) { return bradley_terry_loss(x, b, 0.5, 0.02); }, a, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return bradley_terry_loss(a, x, 0.5, 0.02); }, b, 1e-8);
}

TEST(BradleyTerry, StaysFiniteFarOut) {
    EXPECT_NEAR(bradley_terry_loss(values({-1000}), values({1000}), 0, 0).item<double>(), 2000, 1e-9);
    EXPECT_EQ(bradley_terry_loss(values({1000}), values({-1000}), 0, 0).item<double>(), 0);
}

}  // namespace
}  // namespace plumbline
