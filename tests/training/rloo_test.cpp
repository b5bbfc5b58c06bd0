#include "core/training/rloo.h"

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

PolicyGradientSettings groups_of_two(double beta) {
    PolicyGradientSettings settings;
    settings.beta = beta;
    settings.group_size = 2;
    return settings;
}

// -mean(A log pi(reply)) by hand.
std::vector<Tensor> reinforce_gradient(const Adapter& policy, const std::vector<Rollout>& rollouts,
                                       const std::vector<double>& advantages) {
    Tensor objective = at::zeros({});
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        const Tensor logprob =
            policy_logprobs(tiny_decoder(), &policy, pack({&rollouts[i].sequence, 1}), {}, 0.9, still).sum();
        objective = objective - advantages[i] * logprob / static_cast<double>(rollouts.size());
    }
    objective.backward();
    return take_gradients(policy.tensors());
}

// Scores 0, 1, (2 without EOS: -1), 3 in groups of two, no KL: advantages -1, 1, -4, 4 and ratio 1, so the
// loss is the mean of -A, 0, and the gradient that of -mean(A logp).
TEST(Rloo, GradientIsReinforcesWithLeaveOneOutAdvantages) {
    const LoraAdapter policy = testing::moved_lora();
    const auto rollouts = some_rollouts(policy);
    const Metrics metrics = rloo_gradients(tiny_decoder(), policy, rollouts, groups_of_two(0), still);
    EXPECT_NEAR(metrics.at("loss/policy"), 0, 4e-5);   // ratios of 1 to within 1e-5, times advantages of up to 4
    EXPECT_NEAR(metrics.at("policy/ratio"), 1, 1e-4);
    EXPECT_NEAR(metrics.at("policy/approxkl"), 0, 1e-7);
    EXPECT_EQ(metrics.at("policy/clipfrac"), 0);
    EXPECT_NEAR(metrics.at("objective/score"), (0 + 1 - 1 + 3) / 4.0, 1e-9);
    EXPECT_NEAR(metrics.at("tokens/eos_rate"), 0.75, 1e-9);
    EXPECT_EQ(metrics.at("frac_reward_zero_std"), 0);

    const auto ours = take_gradients(policy.tensors());
    EXPECT_LT(testing::relative_difference(ours, reinforce_gradient(policy, rollouts, {-1, 1, -4, 4})), 1e-4);
    EXPECT_GT(testing::relative_difference(ours, reinforce_gradient(policy, rollouts, {-1, 1, -4, 4.01})),
              1e-4);
}

// KL beta: R = score - beta * (logp - ref).
TEST(Rloo, PaysForDistanceFromTheReference) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    for (Rollout& r : rollouts) {
        r.reference_logprobs = r.logprobs;
    }
    rollouts[0].reference_logprobs.back() -= 2;
    const Metrics metrics = rloo_gradients(tiny_decoder(), policy, rollouts, groups_of_two(0.5), still);
    EXPECT_NEAR(metrics.at("objective/kl"), 0.5, 1e-6);
    EXPECT_NEAR(metrics.at("objective/rlhf_reward"), metrics.at("objective/score") - 0.5 * 0.5, 1e-6);
    // R = 0 - 0.5 * 2, 1, -1, 3: advantages -2, 2, -4, 4.
    const auto ours = take_gradients(policy.tensors());
    EXPECT_LT(testing::relative_difference(ours, reinforce_gradient(policy, rollouts, {-2, 2, -4, 4})), 1e-4);
}

// In the loss: the gradient of beta * mean over replies of the sum of k3, on top of the scores'.
TEST(Rloo, KlInTheLossIsSummedOverReplies) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    for (Rollout& r : rollouts) {
        r.score = 0.0, r.ended = true;
    }
    PolicyGradientSettings settings = groups_of_two(0.5);
    settings.kl_in = KlPlace::loss;
    settings.kl_estimator = KlEstimator::k3;
    rloo_gradients(tiny_decoder(), policy, rollouts, settings, still);
    const auto ours = take_gradients(policy.tensors());
    Tensor objective = at::zeros({});
    for (const Rollout& r : rollouts) {
        const Tensor logprobs =
            policy_logprobs(tiny_decoder(), &policy, pack({&r.sequence, 1}), {}, 0.9, still);
        const Tensor k1 = logprobs - at::tensor(r.reference_logprobs);
        objective = objective + 0.5 * ((-k1).exp() - 1 + k1).sum() / 4.0;
    }
    objective.backward();
    EXPECT_LT(testing::relative_difference(ours, take_gradients(policy.tensors())), 1e-4);
}

TEST(Rloo, StopsOnWhatIsNotANumber) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    rollouts[1].score = NAN;
    EXPECT_THROW(rloo_gradients(tiny_decoder(), policy, rollouts, groups_of_two(0), still), NonFinite);
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0) << "before a gradient";
}

}  // namespace
}  // namespace plumbline
