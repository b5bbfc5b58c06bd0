#include "core/losses/policy_gradient.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/losses/loss_inputs.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;

using testing::largest_difference;
using testing::values;

// Group (1, 2, 6): the others' means are 4, 3.5, 1.5.
TEST(LeaveOneOut, SubtractsTheMeanOfTheOthers) {
    const Tensor advantages = leave_one_out_advantages(values({1, 2, 6, 5, 5, 5}).view({2, 3}));
    EXPECT_TRUE(at::allclose(advantages, values({-3, -1.5, 4.5, 0, 0, 0}).view({2, 3}), 0, 1e-12));
    EXPECT_FALSE(at::allclose(leave_one_out_advantages(values({1, 2, 6.01}).view({1, 3})),
                              advantages.slice(0, 0, 1), 0, 1e-3));
}

// Group (1, 2, 6): mean 3, deviations -2, -1, 3, variance (4 + 1 + 9) / 2 = 7.
TEST(GroupNormalised, DividesByTheDeviation) {
    const Tensor rewards = values({1, 2, 6, 5, 5, 5}).view({2, 3});
    const double deviation = std::sqrt(7.0) + 1e-4;
    const Tensor expected = values({-2 / deviation, -1 / deviation, 3 / deviation, 0, 0, 0}).view({2, 3});
    EXPECT_LT(largest_difference(group_normalised_advantages(rewards), expected), 1e-12);
    EXPECT_GT(
        largest_difference(group_normalised_advantages(rewards) * (deviation / std::sqrt(7.0)), expected),
        1e-6)
        << "the 1e-4 counts";
    EXPECT_LT(
        largest_difference(group_centred_advantages(rewards), values({-2, -1, 3, 0, 0, 0}).view({2, 3})),
        1e-12);
}

TEST(GroupNormalised, CountsGroupsThatTeachNothing) {
    EXPECT_EQ(share_of_equal_groups(values({1, 2, 6, 5, 5, 5}).view({2, 3})), 0.5);
    EXPECT_EQ(share_of_equal_groups(values({1, 2, 5, 5.000001}).view({2, 2})), 0);
    EXPECT_EQ(share_of_equal_groups(at::zeros({4, 2})), 1);
}

// rho = e^0.5 = 1.6487: a positive advantage is clipped to 1.2, a negative one is not; rho = e^-0.5 = 0.6065
// the other way.
TEST(ClippedLoss, ClipsOnlyWhatWouldGoFurther) {
    const Tensor loss = clipped_sequence_loss(values({0.5, 0.5, -0.5, -0.5}), values({0, 0, 0, 0}),
                                              values({2, -2, 2, -2}), 0.2);
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

// The same ratios with a range of 0.1 below and 0.3 above: 1.3 and 0.9 are where the clip acts.
TEST(ClippedTokenLoss, HasARangeForEachSide) {
    const Tensor loss = clipped_token_loss(values({0.5, 0.5, -0.5, -0.5}), values({0, 0, 0, 0}),
                                           values({2, -2, 2, -2}), 0.1, 0.3);
    const Tensor expected = values({-2 * 1.3, 2 * std::exp(0.5), -2 * std::exp(-0.5), 2 * 0.9});
    EXPECT_LT(largest_difference(loss, expected), 1e-12);
    const Tensor other =
        clipped_token_loss(values({0.5, -0.5}), values({0, 0}), values({2, -2}), 0.1001, 0.3001);
    EXPECT_GT((other - values({-2 * 1.3, 2 * 0.9})).abs().min().item<double>(), 1e-4);
}

TEST(ClippedTokenLoss, HasTheGradientOfFiniteDifferences) {
    const Tensor old = values({-3.0, -4.0, -5.0, -1.0}), advantages = values({1.5, -2.0, 0.7, 1.0});
    testing::expect_gradient(
        [&](const Tensor& x) { return clipped_token_loss(x, old, advantages, 0.2, 0.3); },
        values({-3.1, -3.9, -5.05, -0.5}), 1e-8);
}

// The log-ratios 0.5, 0.5, -0.1, -0.5: halves of their squares; the clip acts where it would go further.
TEST(RatioMetrics, SayWhatTheClipSaw) {
    const RatioMetrics metrics = ratio_metrics(values({0.5, 0.5, -0.1, -0.5}), values({0, 0, 0, 0}),
                                               values({2, -2, -2, -2}), 0.2, 0.2);
    EXPECT_LT(largest_difference(metrics.approx_kl, values({0.125, 0.125, 0.005, 0.125})), 1e-12);
    EXPECT_TRUE(at::equal(metrics.clipped, values({1, 0, 0, 1})));
    EXPECT_NEAR(metrics.ratio[0].item<double>(), std::exp(0.5), 1e-12);
}

// Replies of 2, 0 and 3 tokens with losses 1 3 | | 3 6 9. grpo: (2 + 0 + 6) / 3; dr_grpo with 4: 22 / 12;
// dapo: 22 / 5.
TEST(AverageTokens, WeighsRepliesAsNamed) {
    const std::vector<std::int64_t> starts{0, 2, 2, 5};
    const Tensor losses = values({1, 3, 3, 6, 9});
    EXPECT_NEAR(average_tokens(losses, starts, Averaging::grpo, 4).item<double>(), 8.0 / 3, 1e-12);
    EXPECT_NEAR(average_tokens(losses, starts, Averaging::dr_grpo, 4).item<double>(), 22.0 / 12, 1e-12);
    EXPECT_NEAR(average_tokens(losses, starts, Averaging::dapo, 4).item<double>(), 22.0 / 5, 1e-12);
    EXPECT_GT(std::abs(average_tokens(losses, starts, Averaging::dr_grpo, 4.0001).item<double>() - 22.0 / 12),
              1e-6);
    EXPECT_TRUE(at::equal(spread_to_tokens(values({7, 8, 9}), starts), values({7, 7, 9, 9, 9})));
}

TEST(AverageTokens, OfNoTokensIsZero) {
    const std::vector<std::int64_t> starts{0, 0};
    for (const Averaging averaging : {Averaging::grpo, Averaging::dr_grpo, Averaging::dapo}) {
        EXPECT_EQ(average_tokens(values({}), starts, averaging, 4).item<double>(), 0);
    }
}

TEST(AverageTokens, HasTheGradientOfFiniteDifferences) {
    const std::vector<std::int64_t> starts{0, 2, 5};
    for (const Averaging averaging : {Averaging::grpo, Averaging::dr_grpo, Averaging::dapo}) {
        testing::expect_gradient(
            [&](const Tensor& x) { return average_tokens(x.square(), starts, averaging, 4); },
            values({1, 3, 3, 6, 9}), 1e-8);
    }
}

// Two distributions over three tokens: both estimators' expectation under pi is the exact KL.
TEST(KlEstimators, HaveTheExactKlAsExpectation) {
    const Tensor pi = values({0.7, 0.2, 0.1}), ref = values({0.3, 0.3, 0.4});
    const double exact = (pi * (pi.log() - ref.log())).sum().item<double>();
    EXPECT_NEAR((pi * kl_k1(pi.log(), ref.log())).sum().item<double>(), exact, 1e-12);
    EXPECT_NEAR((pi * kl_k3(pi.log(), ref.log())).sum().item<double>(), exact, 1e-12);
    EXPECT_TRUE((kl_k3(pi.log(), ref.log()) >= 0).all().item<bool>());
    EXPECT_LT(kl_k1(pi.log(), ref.log()).min().item<double>(), 0);  // a single k1 may be negative
}

TEST(KlEstimators, HaveTheGradientOfFiniteDifferences) {
    const Tensor ref = values({-1.2, -0.3});
    testing::expect_gradient([&](const Tensor& x) { return kl_k3(x, ref); }, values({-0.5, -2.0}), 1e-8);
}

// Uniform over four tokens has log 4; a temperature of 2 halves the logits.
TEST(Entropy, MatchesHandDerivedValues) {
    const Tensor logits = values({0, 0, 0, 0, std::log(9.0), 0, -1000, -1000}).view({2, 4});
    const Tensor entropy = token_entropy(logits, 1);
    EXPECT_NEAR(entropy[0].item<double>(), std::log(4.0), 1e-12);
    const auto of = [](double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); };
    EXPECT_NEAR(entropy[1].item<double>(), of(0.9), 1e-12);
    EXPECT_NEAR(token_entropy(logits, 2)[1].item<double>(), of(0.75), 1e-12);
    EXPECT_GT(std::abs(token_entropy(logits, 1.0001)[1].item<double>() - of(0.9)), 1e-5);
}

TEST(Entropy, HasTheGradientOfFiniteDifferences) {
    testing::expect_gradient(
        [](const Tensor& x) {
            return token_entropy(x.view({2, 3}), 0.7);
        },
        values({0.3, -1, 2, 0, 0.1, -0.5}), 1e-8);
}

// Weighed by pi, the sampled surrogate has the gradient of the exact negative entropy.
TEST(Entropy, OfSamplesHasTheExactGradientOnAverage) {
    const auto gradient = [](bool sampled) {
        const Tensor logits = values({0.3, -1, 2}).requires_grad_(true);
        const Tensor logprobs = at::log_softmax(logits, 0);
        const Tensor loss = sampled ? (logprobs.exp().detach() * sampled_negative_entropy(logprobs)).sum()
                                    : -token_entropy(logits.unsqueeze(0), 1).sum();
        loss.backward();
        return logits.grad();
    };
    EXPECT_LT(largest_difference(gradient(true), gradient(false)), 1e-12);
    EXPECT_GT(largest_difference(gradient(true) * 1.0001, gradient(false)), 1e-6);
}

TEST(Entropy, OfSamplesHasTheGradientOfFiniteDifferences) {
    testing::expect_gradient([](const Tensor& x) { return sampled_negative_entropy(x); },
                             values({-1.2, -0.3}), 1e-8);
}

}  // namespace
}  // namespace plumbline
