#include "core/losses/kto.h"

#include <gtest/gtest.h>

#include "tests/losses/loss_inputs.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_losses;
using testing::largest_difference;
using testing::values;

const Tensor thumbs = values({1, 0}).to(at::kBool);

// beta 0.5, log-ratios 3 and 3, z = 1: beta (h - z) = 1, sigmoid = 0.7310585786300049. Desirable 2 (1 -
// 0.731...), undesirable 0.5 (1 - sigmoid(-1)) = 0.5 x 0.731...
TEST(KtoLoss, MatchesHandDerivedValues) {
    const KtoLoss loss = kto_loss(values({-1, -2}), values({-4, -5}), thumbs, values({1})[0], 0.5, 2, 0.5);
    EXPECT_NEAR(loss.losses[0].item<double>(), 2 * (1 - 0.7310585786300049), 1e-12);
    EXPECT_NEAR(loss.losses[1].item<double>(), 0.5 * 0.7310585786300049, 1e-12);
    EXPECT_NEAR(loss.rewards[0].item<double>(), 1.5, 1e-12);
    const KtoLoss other =
        kto_loss(values({-1, -2}), values({-4, -5}), thumbs, values({1.001})[0], 0.5, 2, 0.5);
    EXPECT_GT((other.losses - loss.losses).abs().min().item<double>(), 1e-5) << "another z is told apart";
}

// Where the policy is the reference and z is 0 every reply has half of its weight as loss.
TEST(KtoLoss, StartsAtHalfOfTheWeights) {
    const KtoLoss loss =
        kto_loss(values({-7, -3}), values({-7, -3}), thumbs, at::zeros({}, at::kDouble), 0.1, 1.5, 0.8);
    EXPECT_NEAR(loss.losses[0].item<double>(), 0.75, 1e-12);
    EXPECT_NEAR(loss.losses[1].item<double>(), 0.4, 1e-12);
}

TEST(KtoLoss, HasTheGradientOfFiniteDifferences) {
    testing::expect_gradient(
        [](const Tensor& x) {
            return kto_loss(x, values({-4, -5}), thumbs, values({0.3})[0], 0.5, 2, 0.5).losses;
        },
        values({-3.5, -5.2}), 1e-8);
}

TEST(KtoLoss, SendsNoGradientThroughZ) {
    const Tensor policy = values({-3.5, -5.2}).requires_grad_(true), z = values({0.3}).requires_grad_(true);
    kto_loss(policy, values({-4, -5}), thumbs, z[0], 0.5, 1, 1).losses.sum().backward();
    EXPECT_FALSE(z.grad().defined());
    EXPECT_GT(policy.grad().abs().min().item<double>(), 0);
}

TEST(KtoKl, IsTheMeanLogRatioButNeverNegative) {
    EXPECT_NEAR(kto_kl(values({-1, -2}), values({-3, -3})).item<double>(), 1.5, 1e-12);
    EXPECT_EQ(kto_kl(values({-3, -3}), values({-1, -2})).item<double>(), 0);
    EXPECT_EQ(kto_kl(values({}), values({})).item<double>(), 0);
}

TEST(KtoLoss, EqualsItsPublicImplementation) {
    const auto golden = golden_losses("kto");
    const Tensor desirable = values({1, 1, 1, 0, 0, 0, 0}).to(at::kBool);
    const auto distance = [&](double beta) {
        const Tensor policy = values(golden.at("policy")).requires_grad_(true);
        const Tensor z = kto_kl(values(golden.at("policy_kl")), values(golden.at("reference_kl")));
        EXPECT_NEAR(z.item<double>(), golden.at("z").get<double>(), 1e-12);
        const KtoLoss ours = kto_loss(policy, values(golden.at("reference")), desirable, z, beta,
                                      golden.at("desirable_weight"), golden.at("undesirable_weight"));
        ours.losses.sum().backward();
        const auto &good = golden.at("gradients").at(0), &bad = golden.at("gradients").at(1);
        return std::max(largest_difference(ours.losses.detach(), values(golden.at("losses"))),
                        largest_difference(policy.grad(), at::cat({values(good), values(bad)})));
    };
    EXPECT_LT(distance(golden.at("beta")), 1e-10);
    EXPECT_GT(distance(golden.at("beta").get<double>() * 1.0001), 1e-10);
}

}  // namespace
}  // namespace plumbline
