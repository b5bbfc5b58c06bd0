#include "core/training/reinforce.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/training/adamw.h"
#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::some_rollouts;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

PolicyGradientSettings without_kl() {
    PolicyGradientSettings settings;
    settings.beta = 0;
    settings.group_size = 1;
    return settings;
}

std::vector<Tensor> by_hand(const Adapter& policy, const std::vector<Rollout>& rollouts,
                            const std::vector<double>& advantages) {
    Tensor objective = at::zeros({});
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        objective = objective - advantages[i] / 4 *
                                    policy_logprobs(tiny_decoder(), &policy, pack({&rollouts[i].sequence, 1}),
                                                    {}, 0.9, still)
                                        .sum();
    }
    objective.backward();
    return take_gradients(policy.tensors());
}

// Scores 0, 1, -1, 3: mean 0.75. The first batch is compared with its own mean, the next with the first's;
// the baseline is then 0.9 * 0.75 + 0.1 * 0.75.
TEST(Reinforce, ComparesWithWhatBatchesEarnedBefore) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    RunningBaseline baseline;
    Metrics metrics = reinforce_gradients(tiny_decoder(), policy, rollouts, without_kl(), baseline, still);
    EXPECT_NEAR(metrics.at("objective/baseline"), 0.75, 1e-9);
    EXPECT_EQ(baseline.batches, 1);
    auto ours = take_gradients(policy.tensors());
    EXPECT_LT(testing::relative_difference(ours, by_hand(policy, rollouts, {-0.75, 0.25, -1.75, 2.25})),
              1e-4);

    for (Rollout& r : rollouts) {  // all better by 1: every one is worth more than before
        r.score.total += 1, r.ended = true;
    }
    metrics = reinforce_gradients(tiny_decoder(), policy, rollouts, without_kl(), baseline, still);
    EXPECT_NEAR(metrics.at("objective/baseline"), 0.75, 1e-9);
    EXPECT_NEAR(baseline.mean, 0.9 * 0.75 + 0.1 * 2.5, 1e-9);
    ours = take_gradients(policy.tensors());
    EXPECT_LT(testing::relative_difference(ours, by_hand(policy, rollouts, {0.25, 1.25, 2.25, 3.25})), 1e-4);
    EXPECT_GT(testing::relative_difference(ours, by_hand(policy, rollouts, {0.25, 1.25, 2.25, 3.26})), 1e-4);
}

TEST(Reinforce, KeepsTheBaselineWhenABatchFails) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    RunningBaseline baseline{1.5, 3};
    rollouts[3].score = INFINITY;
    EXPECT_THROW(reinforce_gradients(tiny_decoder(), policy, rollouts, without_kl(), baseline, still),
                 NonFinite);
    EXPECT_EQ(baseline.mean, 1.5);
    EXPECT_EQ(baseline.batches, 3);
}

TEST(Reinforce, OneReplyAloneIsEnough) {
    const LoraAdapter policy = testing::moved_lora();
    const auto rollouts = some_rollouts(policy);
    RunningBaseline baseline{0.25, 1};
    const Metrics metrics = reinforce_gradients(tiny_decoder(), policy, std::span(rollouts).first(1),
                                                without_kl(), baseline, still);
    EXPECT_EQ(metrics.count("frac_reward_zero_std"), 0u) << "one reply has no group to differ from";
    EXPECT_GT(testing::size_of(take_gradients(policy.tensors())), 0);
}

}  // namespace
}  // namespace plumbline
