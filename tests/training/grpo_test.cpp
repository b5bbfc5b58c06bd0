#include "core/training/grpo.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::some_rollouts;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

PolicyGradientSettings in_loss(Averaging averaging) {
    PolicyGradientSettings settings;
    settings.beta = 0.1;
    settings.kl_in = KlPlace::loss;
    settings.kl_estimator = KlEstimator::k3;
    settings.group_size = 2;
    settings.averaging = averaging;
    settings.max_new_tokens = 32;
    return settings;
}

// Scores 0, 1, (-1 for want of EOS), 3 in groups of two: deviations 1/sqrt 2 and 4/sqrt 2, so the normalised
// advantages are -+0.5 / (0.70711 + 1e-4) and -+2 / (2.82843 + 1e-4); dr_grpo's are the centred rewards.
std::vector<double> advantages_of(Averaging averaging) {
    if (averaging == Averaging::dr_grpo) {
        return {-0.5, 0.5, -2, 2};
    }
    const double near = 0.5 / (1 / std::sqrt(2) + 1e-4), far = 2 / (4 / std::sqrt(2) + 1e-4);
    return {-near, near, -far, far};
}

// On-policy, the gradient of -A rho is that of -A logp; k3 by hand; averaged over all four replies at once.
std::vector<Tensor> by_hand(const Adapter& policy, const std::vector<Rollout>& rollouts,
                            Averaging averaging) {
    const std::vector<double> advantages = advantages_of(averaging);
    double all_tokens = 0;
    for (const Rollout& r : rollouts) {
        all_tokens += r.sequence.reply_length();
    }
    Tensor objective = at::zeros({});
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        const Rollout& r = rollouts[i];
        const Tensor logprobs =
            policy_logprobs(tiny_decoder(), &policy, pack({&r.sequence, 1}), {}, 0.9, still);
        const Tensor k1 = logprobs - at::tensor(r.reference_logprobs);
        const Tensor sum = (-advantages[i] * logprobs + 0.1 * ((-k1).exp() - 1 + k1)).sum();
        const double divisor = averaging == Averaging::grpo      ? 4.0 * r.sequence.reply_length()
                               : averaging == Averaging::dr_grpo ? 4.0 * 32
                                                                 : all_tokens;
        objective = objective + sum / divisor;
    }
    objective.backward();
    return take_gradients(policy.tensors());
}

TEST(Grpo, AveragesOverAllGroupsAsNamed) {
    const LoraAdapter policy = testing::moved_lora();
    const auto rollouts = some_rollouts(policy);
    for (const Averaging averaging : {Averaging::grpo, Averaging::dr_grpo, Averaging::dapo}) {
        const Metrics metrics = grpo_gradients(tiny_decoder(), policy, rollouts, in_loss(averaging), still);
        const auto ours = take_gradients(policy.tensors());
        EXPECT_NEAR(metrics.at("policy/ratio"), 1, 1e-4);
        for (const Averaging other : {Averaging::grpo, Averaging::dr_grpo, Averaging::dapo}) {
            const double difference = testing::relative_difference(ours, by_hand(policy, rollouts, other));
            if (other == averaging) {
                EXPECT_LT(difference, 1e-4);
            } else {
                EXPECT_GT(difference, 1e-2) << "another average is told apart";
            }
        }
    }
}

TEST(Grpo, AGroupOfEqualRewardsTeachesNothingAndIsTold) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    for (Rollout& r : rollouts) {
        r.score = 2.0, r.ended = true;
    }
    PolicyGradientSettings settings = in_loss(Averaging::grpo);
    settings.beta = 0;
    const Metrics metrics = grpo_gradients(tiny_decoder(), policy, rollouts, settings, still);
    EXPECT_EQ(metrics.at("frac_reward_zero_std"), 1);
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0);
    rollouts[0].score = 2.01;  // one group now differs
    EXPECT_EQ(grpo_gradients(tiny_decoder(), policy, rollouts, settings, still).at("frac_reward_zero_std"),
              0.5);
    EXPECT_GT(testing::size_of(take_gradients(policy.tensors())), 0);
}

}  // namespace
}  // namespace plumbline
