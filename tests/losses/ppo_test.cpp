#include "core/losses/ppo.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/losses/policy_gradient.h"
#include "tests/losses/loss_inputs.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_losses;
using testing::largest_difference;
using testing::values;

// beta 0.1, k1 = 1, -2 | | 0.5: the score is added at the last token; the empty reply's is lost.
TEST(TokenRewards, PutTheScoreAtTheLastToken) {
    const std::vector<std::int64_t> starts{0, 2, 2, 3};
    const Tensor rewards = token_rewards(values({1, -2, 0.5}), values({3, 7, -1}), starts, 0.1);
    EXPECT_LT(largest_difference(rewards, values({-0.1, 3.2, -1.05})), 1e-12);
    EXPECT_GT(
        largest_difference(token_rewards(values({1, -2, 0.5}), values({3, 7, -1}), starts, 0.1001), rewards),
        1e-5);
}

// gamma 0.9, lambda 0.5, rewards 0, 0, 1, values 0.5, 0.4, 0.3:
//   delta_2 = 1 - 0.3 = 0.7,                 A_2 = 0.7
//   delta_1 = 0 + 0.9 * 0.3 - 0.4 = -0.13,   A_1 = -0.13 + 0.45 * 0.7 = 0.185
//   delta_0 = 0 + 0.9 * 0.4 - 0.5 = -0.14,   A_0 = -0.14 + 0.45 * 0.185 = -0.05675
TEST(Advantages, MatchAHandDerivation) {
    const Advantages out = generalised_advantages(values({0, 0, 1}), values({0.5, 0.4, 0.3}), 0.9, 0.5);
    EXPECT_LT(largest_difference(out.advantages, values({-0.05675, 0.185, 0.7})), 1e-12);
    EXPECT_LT(largest_difference(out.returns, values({0.44325, 0.585, 1.0})), 1e-12);
    const Advantages other = generalised_advantages(values({0, 0, 1}), values({0.5, 0.4, 0.3}), 0.9, 0.5001);
    EXPECT_GT(largest_difference(other.advantages, out.advantages), 1e-5);
}

// lambda 1 and gamma 1: what is still to come, less the value. lambda 0: the one-step error.
TEST(Advantages, HaveTheirLimits) {
    const Tensor rewards = values({1, 2, 4}), v = values({0.5, -1, 3});
    EXPECT_LT(largest_difference(generalised_advantages(rewards, v, 1, 1).advantages, values({6.5, 7, 1})),
              1e-12);
    EXPECT_LT(largest_difference(generalised_advantages(rewards, v, 1, 0).advantages, values({-0.5, 6, 1})),
              1e-12);
}

TEST(Advantages, StopAtTheEndOfEachReply) {
    const std::vector<std::int64_t> starts{0, 3, 3, 5};
    const Tensor rewards = values({0, 0, 1, 2, -1}), v = values({0.5, 0.4, 0.3, 1, 2});
    const Advantages packed = generalised_advantages(rewards, v, starts, 0.9, 0.5);
    const Tensor alone =
        at::cat({generalised_advantages(rewards.slice(0, 0, 3), v.slice(0, 0, 3), 0.9, 0.5).advantages,
                 generalised_advantages(rewards.slice(0, 3, 5), v.slice(0, 3, 5), 0.9, 0.5).advantages});
    EXPECT_TRUE(at::equal(packed.advantages, alone));
    const std::vector<std::int64_t> joined{0, 5};
    EXPECT_GT(largest_difference(generalised_advantages(rewards, v, joined, 0.9, 0.5).advantages, alone),
              0.1);
}

TEST(Advantages, AreDetachedAndKeepTheirType) {
    const Advantages out = generalised_advantages(at::ones({2}), at::zeros({2}).requires_grad_(true), 1, 1);
    EXPECT_FALSE(out.advantages.requires_grad() || out.returns.requires_grad());
    EXPECT_EQ(out.advantages.scalar_type(), at::kFloat);
    EXPECT_EQ(generalised_advantages(values({}), values({}), 1, 1).advantages.numel(), 0);
}

// 1, 2, 6: mean 3, variance 7.
TEST(Whiten, ScalesToDeviationOneAndMayKeepTheMean) {
    const Tensor x = values({1, 2, 6});
    const double scale = 1 / std::sqrt(7.0 + 1e-8);
    EXPECT_LT(largest_difference(whiten(x, Whitening::shift_to_zero), values({-2, -1, 3}) * scale), 1e-12);
    EXPECT_LT(largest_difference(whiten(x, Whitening::keep_mean), values({-2, -1, 3}) * scale + 3), 1e-12);
    EXPECT_GT(largest_difference(whiten(values({1, 2, 6.001}), Whitening::shift_to_zero),
                                 values({-2, -1, 3}) * scale),
              1e-5);
}

TEST(Whiten, OfOneOrOfEqualValuesIsFinite) {
    EXPECT_EQ(whiten(values({4}), Whitening::shift_to_zero).item<double>(), 0);
    EXPECT_EQ(whiten(values({4}), Whitening::keep_mean).item<double>(), 4);
    EXPECT_TRUE(at::equal(whiten(values({4, 4, 4}), Whitening::shift_to_zero), values({0, 0, 0})));
}

// Return 0, old value 1, range 0.2. V = 1.5 is clipped to 1.2, whose loss is smaller: 1.5^2 / 2. V = 0.5 is
// clipped to 0.8, whose loss is larger: 0.8^2 / 2. V = 1.1 is within: 1.1^2 / 2.
TEST(ValueLoss, TakesTheLargerOfBoth) {
    const Tensor old = values({1, 1, 1}), returns = values({0, 0, 0}), v = values({1.5, 0.5, 1.1});
    EXPECT_LT(largest_difference(clipped_value_loss(v, old, returns, 0.2), values({1.125, 0.32, 0.605})),
              1e-12);
    EXPECT_GT(largest_difference(clipped_value_loss(v, old, returns, 0.2001), values({1.125, 0.32, 0.605})),
              1e-5);
}

TEST(ValueLoss, HasTheGradientOfFiniteDifferences) {
    const Tensor old = values({1, 1, 1, 1}), returns = values({0, 0, 0, 2});
    testing::expect_gradient([&](const Tensor& x) { return clipped_value_loss(x, old, returns, 0.2); },
                             values({1.5, 0.5, 1.1, 0.9}), 1e-8);
}

// Returns 0, 2, 4 have variance 4; errors 1, 0, -1 have 1.
TEST(ExplainedVariance, MatchesAHandDerivedValue) {
    EXPECT_NEAR(explained_variance(values({-1, 2, 5}), values({0, 2, 4})), 0.75, 1e-12);
    EXPECT_GT(std::abs(explained_variance(values({-1, 2, 5.001}), values({0, 2, 4})) - 0.75), 1e-4);
    EXPECT_EQ(explained_variance(values({0, 2, 4}), values({0, 2, 4})), 1);
    EXPECT_EQ(explained_variance(values({7, 7, 7}), values({0, 2, 4})), 0);
    EXPECT_EQ(explained_variance(values({1, 2}), values({3, 3})), 0) << "nothing to explain";
    EXPECT_EQ(explained_variance(values({1}), values({3})), 0);
}

// The golden rows: replies of different lengths through the public implementation's own lines.
struct Golden {
    nlohmann::json json = golden_losses("ppo");
    std::vector<std::int64_t> starts{0};
    Golden() {
        for (const int length : json.at("lengths")) {
            starts.push_back(starts.back() + length);
        }
    }
    double number(const char* name) const { return json.at(name); }
    Tensor row(const char* name) const { return values(json.at(name)); }
    Tensor rewards(double beta) const {
        return token_rewards(kl_k1(row("logprobs"), row("reference_logprobs")), row("scores"), starts, beta);
    }
};

// Theirs corrects the variance for M - 1 with a quotient of integers, which is a float32.
TEST(PpoParity, RewardsAdvantagesAndReturns) {
    const Golden golden;
    const auto worst = [&](double beta, double lambda, bool whitened_rewards) {
        const auto& theirs = golden.json.at(whitened_rewards ? "whitened_rewards" : "plain");
        Tensor rewards = golden.rewards(beta);
        if (whitened_rewards) {
            rewards = whiten(rewards, Whitening::keep_mean);
        }
        const Advantages ours = generalised_advantages(rewards, golden.row("values"), golden.starts,
                                                       golden.number("gamma"), lambda);
        return std::max({largest_difference(rewards, values(theirs.at("rewards"))),
                         largest_difference(ours.returns, values(theirs.at("returns"))),
                         largest_difference(whiten(ours.advantages, Whitening::shift_to_zero),
                                            values(theirs.at("advantages")))});
    };
    const double beta = golden.number("beta"), lambda = golden.number("lambda");
    for (const bool whitened : {false, true}) {
        EXPECT_LT(worst(beta, lambda, whitened), 1e-7);
        EXPECT_GT(worst(beta * 1.00001, lambda, whitened), 1e-7);
        EXPECT_GT(worst(beta, lambda * 1.00001, whitened), 1e-7);
    }
}

TEST(PpoParity, PolicyAndValueLosses) {
    const Golden golden;
    const Tensor advantages = values(golden.json.at("plain").at("advantages"));
    const Tensor returns = values(golden.json.at("plain").at("returns"));
    const auto policy = [&](double range) {
        return clipped_token_loss(golden.row("new_logprobs"), golden.row("logprobs"), advantages, range,
                                  range);
    };
    const auto value = [&](double range) {
        return clipped_value_loss(golden.row("new_values"), golden.row("values"), returns, range);
    };
    EXPECT_LT(largest_difference(policy(golden.number("clip_range")), golden.row("policy_losses")), 1e-10);
    EXPECT_GT(largest_difference(policy(golden.number("clip_range") + 1e-6), golden.row("policy_losses")),
              1e-10);
    EXPECT_LT(largest_difference(value(golden.number("value_clip_range")), golden.row("value_losses")),
              1e-10);
    EXPECT_GT(largest_difference(value(golden.number("value_clip_range") + 1e-6), golden.row("value_losses")),
              1e-10);
    const double mean =
        average_tokens(policy(golden.number("clip_range")), golden.starts, Averaging::dapo, 1).item<double>();
    EXPECT_NEAR(mean, golden.number("policy_loss"), 1e-10) << "PPO's mean is over all real tokens";
}

TEST(PpoParity, Metrics) {
    const Golden golden;
    const Tensor advantages = values(golden.json.at("plain").at("advantages"));
    const RatioMetrics ours = ratio_metrics(golden.row("new_logprobs"), golden.row("logprobs"), advantages,
                                            golden.number("clip_range"), golden.number("clip_range"));
    EXPECT_NEAR(ours.approx_kl.mean().item<double>(), golden.number("approxkl"), 1e-10);
    EXPECT_NEAR(ours.clipped.mean().item<double>(), golden.number("clipfrac"), 1e-6);
    const Tensor returns = values(golden.json.at("plain").at("returns"));
    // Theirs divides both variances by M, ours by M - 1: the same ratio.
    EXPECT_NEAR(explained_variance(golden.row("values"), returns), golden.number("explained_variance"),
                1e-10);
    EXPECT_GT(std::abs(explained_variance(golden.row("values") * 1.0001, returns) -
                       golden.number("explained_variance")),
              1e-10);
}

}  // namespace
}  // namespace plumbline
