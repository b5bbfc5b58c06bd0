#include "core/losses/policy_gradient.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;

Tensor values(std::initializer_list<double> list) { return at::tensor(std::vector<double>(list), at::kDouble); }

// Group (1, 2, 6): the others' means are 4, 3.5, 1.5.
TEST(LeaveOneOut, SubtractsTheMeanOfTheOthers) {
    const Tensor advantages = leave_one_out_advantages(values({1, 2, 6, 5, 5, 5}).view({2, 3}));
    EXPECT_TRUE(at::allclose(advantages, values({-3, -1.5, 4.5, 0, 0, 0}).view({2, 3}), 0, 1e-12));
    EXPECT_FALSE(at::allclose(leave_one_out_advantages(values({1, 2, 6.01}).view({1, 3})), advantages.slice(0, 0, 1), 0, 1e-3));
}

// rho = e^0.5 = 1.6487: a positive advantage is clipped to 1.2, a negative one is not; rho = e^-0.5 = 0.6065 the other way.
TEST(ClippedLoss, ClipsOnlyWhatWouldGoFurther) {
    const Tensor loss = clipped_sequence_loss(values({0.5, 0.5, -0.5, -0.5}), values({0, 0, 0, 0}), values({2, -2, 2, -2}), 0.2);
    EXPECT_NEAR(loss[0].item<double>(), -2.4, 1e-12);
    EXPECT_NEAR(loss[1].item<double>(), 2 * std::exp(0.5), 1e-12);
    EXPECT_NEAR(loss[2].item<double>(), -2 * std::exp(-0.5), 1e-12);
    EXPECT_NEAR(loss[3].item<double>(), 1.6, 1e-12);
}

TEST(ClippedLoss, HasTheGradientOfFiniteDifferences) {
    const Tensor old = values({-3.0, -4.0, -5.0}), advantages = values({1.5, -2.0, 0.7});
    testing::expect_gradient([&](const Tensor& x) { return clipped_sequence_loss(x, old, advantages, 0.2); },
                             values({-3.1, -3.9, -5.05}), 1e-7);
}

// At ratio 1 the gradient is REINFORCE's: -A for each log-prob.
TEST(ClippedLoss, IsReinforceAtRatioOne) {
    const Tensor logprobs = values({-3.0, -4.0}).requires_grad_(true);
    clipped_sequence_loss(logprobs, values({-3.0, -4.0}), values({1.5, -2.0}), 0.2).sum().backward();
    EXPECT_NEAR(logprobs.grad()[0].item<double>(), -1.5, 1e-12);
    EXPECT_NEAR(logprobs.grad()[1].item<double>(), 2.0, 1e-12);
}

// Two distributions over three tokens: both estimators' expectation under pi is the exact KL.
TEST(KlEstimators, HaveTheExactKlAsExpectation) {
    const Tensor pi = values({0.7, 0.2, 0.1}), ref = values({0.3, 0.3, 0.4});
    const double exact = (pi * (pi.log() - ref.log())).sum().item<double>();
    EXPECT_NEAR((pi * kl_k1(pi.log(), ref.log())).sum().item<double>(), exact, 1e-12);
    EXPECT_NEAR((pi * kl_k3(pi.log(), ref.log())).sum().item<double>(), exact, 1e-12);
    EXPECT_TRUE((kl_k3(pi.log(), ref.log()) >= 0).all().item<bool>());
    EXPECT_LT(kl_k1(pi.log(), ref.log()).min().item<double>(), 0);   // a single k1 may be negative
}

TEST(KlEstimators, HaveTheGradientOfFiniteDifferences) {
    const Tensor ref = values({-1.2, -0.3});
    testing::expect_gradient([&](const Tensor& x) { return kl_k3(x, ref); }, values({-0.5, -2.0}), 1e-8);
}

}  // namespace
}  // namespace plumbline
