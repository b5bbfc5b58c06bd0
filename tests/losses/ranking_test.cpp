#include "core/losses/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/api/errors.h"
#include "core/losses/preference.h"
#include "tests/losses/loss_inputs.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::largest_difference;
using testing::values;

// Rewards log 3, log 2, log 1: 3/6 for the first place, then 2/3, then certainty. P = 1/3.
TEST(PlackettLuce, MatchesAHandDerivedValue) {
    const Tensor rewards = values({std::log(3.0), std::log(2.0), 0});
    EXPECT_NEAR(plackett_luce_loss(rewards, 3).item<double>(), std::log(3.0), 1e-12);
    EXPECT_NEAR(plackett_luce_loss(rewards, 2).item<double>(), std::log(3.0), 1e-12);
    EXPECT_NEAR(plackett_luce_loss(rewards, 1).item<double>(), std::log(2.0), 1e-12)
        << "a choice of the best";
    EXPECT_GT(std::abs(plackett_luce_loss(values({std::log(3.0), std::log(2.0), 1e-4}), 3).item<double>() -
                       std::log(3.0)),
              1e-5);
}

TEST(PlackettLuce, OfTwoIsBradleyTerry) {
    const Tensor better = values({0.3, -2, 40}), worse = values({1.2, -2, -40});
    const Tensor ranked = plackett_luce_loss(at::stack({better, worse}, 1), 2);  // (3)
    EXPECT_LT(largest_difference(ranked, bradley_terry_loss(better, worse, 0, 0)), 1e-12);
    EXPECT_GT(largest_difference(ranked, bradley_terry_loss(better, worse, 1e-6, 0)), 1e-12);
}

// All orders of four replies exhaust the possibilities; so do the four choices of a best one.
TEST(PlackettLuce, GivesProbabilitiesThatSumToOne) {
    std::array<int, 4> order{0, 1, 2, 3};
    const std::array<double, 4> rewards{0.5, -1, 2, 0.1};
    double all = 0, best = 0;
    do {
        const Tensor r = values({rewards[order[0]], rewards[order[1]], rewards[order[2]], rewards[order[3]]});
        all += std::exp(-plackett_luce_loss(r, 4).item<double>());
        best += std::exp(-plackett_luce_loss(r, 1).item<double>()) / 6;  // each best one leads six orders
    } while (std::ranges::next_permutation(order).found);
    EXPECT_NEAR(all, 1, 1e-12);
    EXPECT_NEAR(best, 1, 1e-12);
}

TEST(PlackettLuce, HasTheGradientOfFiniteDifferences) {
    const Tensor rewards = values({0.5, -1, 2, 0.1, -3, 1.1});
    for (const std::int64_t ranked : {1, 3, 6}) {
        testing::expect_gradient([&](const Tensor& x) { return plackett_luce_loss(x, ranked); }, rewards,
                                 1e-8);
    }
}

TEST(PlackettLuce, StaysFiniteFarOut) {
    const Tensor rewards = values({-1000, 1000, 0}).requires_grad_(true);
    const Tensor loss = plackett_luce_loss(rewards, 3);
    EXPECT_NEAR(loss.item<double>(), 2000, 1e-9);
    loss.backward();
    EXPECT_TRUE(rewards.grad().isfinite().all().item<bool>());
}

TEST(PlackettLuce, RefusesImpossiblePlaces) {
    EXPECT_THROW(plackett_luce_loss(values({1, 2}), 0), Error);
    EXPECT_THROW(plackett_luce_loss(values({1, 2}), 3), Error);
}

const Tensor outcomes = at::tensor({1, 0, -1}, at::kLong);

// e^a = 3, e^b = 1, theta = 2: P(a > b) = 3/5, P(b > a) = 1/7, P(tie) = 1 - 3/5 - 1/7 = 9/35.
TEST(RaoKupper, MatchesHandDerivedValues) {
    const Tensor a = at::full({3}, std::log(3.0), at::kDouble), b = at::zeros({3}, at::kDouble);
    const Tensor expected = values({-std::log(0.6), -std::log(9.0 / 35), -std::log(1.0 / 7)});
    EXPECT_LT(largest_difference(rao_kupper_loss(a, b, outcomes, 2), expected), 1e-12);
    EXPECT_GT((rao_kupper_loss(a, b, outcomes, 2.0001) - expected).abs().min().item<double>(), 1e-6);
}

TEST(RaoKupper, WithoutATieThresholdIsBradleyTerry) {
    const Tensor a = values({0.3, -2, 40}), b = values({1.2, -2, -40}), wins = at::ones({3}, at::kLong);
    EXPECT_LT(largest_difference(rao_kupper_loss(a, b, wins, 1), bradley_terry_loss(a, b, 0, 0)), 1e-12);
    EXPECT_LT(largest_difference(rao_kupper_loss(a, b, -wins, 1), bradley_terry_loss(b, a, 0, 0)), 1e-12);
    EXPECT_GT(largest_difference(rao_kupper_loss(a, b, wins, 1.000001), bradley_terry_loss(a, b, 0, 0)),
              1e-12);
}

TEST(RaoKupper, HasTheGradientOfFiniteDifferences) {
    const Tensor a = values({0.3, -2, 1.5}), b = values({1.2, -1.5, -1}), theta = values({1.7});
    testing::expect_gradient([&](const Tensor& x) { return rao_kupper_loss(x, b, outcomes, 1.7); }, a, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return rao_kupper_loss(a, x, outcomes, 1.7); }, b, 1e-8);
    testing::expect_gradient([&](const Tensor& x) { return rao_kupper_loss(a, b, outcomes, x[0]); }, theta,
                             1e-8);
}

TEST(RaoKupper, StaysFiniteFarOut) {
    const Tensor a = values({-1000, 1000, 1000}).requires_grad_(true);
    const Tensor loss = rao_kupper_loss(a, values({1000, -1000, -1000}), outcomes, 2);
    loss.sum().backward();
    EXPECT_TRUE(loss.isfinite().all().item<bool>());
    EXPECT_TRUE(a.grad().isfinite().all().item<bool>());
}

TEST(RaoKupper, RefusesWhatCannotBe) {
    const Tensor zero = at::zeros({3}, at::kDouble);
    EXPECT_THROW(rao_kupper_loss(zero, zero, outcomes, 0.9), Error);
    EXPECT_THROW(rao_kupper_loss(zero, zero, outcomes, 1), Error) << "a tie that has no probability";
    EXPECT_THROW(rao_kupper_loss(zero, zero, outcomes, std::nan("")), Error);
}

}  // namespace
}  // namespace plumbline
