// What the policy-gradient algorithms share, and inputs that are degenerate for all of them.

#include "core/training/policy_gradient.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/api/errors.h"
#include "core/training/adamw.h"
#include "core/training/grpo.h"
#include "core/training/reinforce.h"
#include "core/training/rloo.h"
#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using testing::some_rollouts;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

Metrics reinforce_from_nothing(const Decoder& decoder, const Adapter& policy,
                               std::span<const Rollout> rollouts, const PolicyGradientSettings& settings,
                               const Pulse& pulse) {
    RunningBaseline baseline;
    return reinforce_gradients(decoder, policy, rollouts, settings, baseline, pulse);
}

using Gradients = Metrics (*)(const Decoder&, const Adapter&, std::span<const Rollout>,
                              const PolicyGradientSettings&, const Pulse&);
constexpr Gradients all_of_them[] = {rloo_gradients, grpo_gradients, reinforce_from_nothing};

PolicyGradientSettings groups_of_two() {
    PolicyGradientSettings settings;
    settings.group_size = 2;
    return settings;
}

// Three tokens: log pi -1, -2, -3 and log pi_ref -1.5, -2, -2, so k1 0.5, 0, -1 and
// k3 = e^-0.5 - 1 + 0.5, 0, e - 1 - 1.
Rollout by_hand() {
    Rollout r;
    r.sequence = join({5}, {6, 7, 8});
    r.logprobs = {-1, -2, -3};
    r.reference_logprobs = {-1.5, -2, -2};
    r.score = 2.0;
    return r;
}

TEST(PolicyGradient, PenaltiesOfEachToken) {
    PolicyGradientSettings settings;
    settings.beta = 0.1;
    const auto near = [](const std::vector<double>& a, const std::vector<double>& b) {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_NEAR(a[i], b[i], 1e-9);
        }
    };
    near(token_penalties(by_hand(), settings), {-0.05, 0, 0.1});
    EXPECT_NEAR(reward_of(by_hand(), settings), 2.05, 1e-9);
    settings.kl_estimator = KlEstimator::k3;
    near(token_penalties(by_hand(), settings), {-0.1 * (std::exp(-0.5) - 0.5), 0, -0.1 * (std::exp(1) - 2)});
    settings.entropy_bonus = 0.2;  // -0.2 log pi
    settings.kl_in = KlPlace::loss;
    near(token_penalties(by_hand(), settings), {0.2, 0.4, 0.6});
    EXPECT_NEAR(reward_of(by_hand(), settings), 3.2, 1e-9);
}

TEST(PolicyGradient, ScoreOfAReplyWithoutEos) {
    Rollout r = by_hand();
    PolicyGradientSettings settings;
    settings.missing_eos_reward = -3;
    EXPECT_EQ(effective_score(r, settings), 2);
    r.ended = false;
    EXPECT_EQ(effective_score(r, settings), -3);
    settings.keep_score_without_eos = true;
    EXPECT_EQ(effective_score(r, settings), 2);
}

TEST(PolicyGradient, MetricsOfABatch) {
    std::vector<Rollout> rollouts{by_hand(), by_hand()};
    rollouts[1].score = RolloutScore(4.0);
    rollouts[1].score.parts = {{"model", 3.0}, {"length", 1.0}};
    PolicyGradientSettings settings = groups_of_two();
    settings.beta = 0.1;
    const Metrics metrics = rollout_metrics(rollouts, settings);
    EXPECT_NEAR(metrics.at("objective/score"), 3, 1e-9);
    EXPECT_NEAR(metrics.at("reward/part/model"), 1.5, 1e-9);
    EXPECT_NEAR(metrics.at("objective/kl"), -0.5, 1e-9);
    EXPECT_NEAR(metrics.at("objective/entropy"), 6, 1e-9);
    EXPECT_NEAR(metrics.at("objective/rlhf_reward"), 3 + 0.05, 1e-9);
    EXPECT_NEAR(metrics.at("tokens/response_length"), 3, 1e-9);
    EXPECT_EQ(metrics.at("frac_reward_zero_std"), 0);
    EXPECT_TRUE(rollout_metrics({}, settings).empty());
}

TEST(PolicyGradient, AdvantagesAreClippedWhenAsked) {
    PolicyGradientSettings settings;
    const at::Tensor advantages = at::tensor({-3.0, 0.5, 2.0}, at::kDouble);
    EXPECT_TRUE(at::equal(clipped_advantages(advantages, settings), at::tensor({-3.0f, 0.5f, 2.0f})));
    settings.advantage_clip = 1;
    EXPECT_TRUE(at::equal(clipped_advantages(advantages, settings), at::tensor({-1.0f, 0.5f, 1.0f})));
}

std::string message_of(const PolicyGradientSettings& settings, int least_group) {
    try {
        validate(settings, least_group);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

TEST(PolicyGradient, SettingsOutOfRangeAreNamed) {
    PolicyGradientSettings settings;
    EXPECT_EQ(message_of(settings, 2), "");
    settings.group_size = 1;
    EXPECT_EQ(message_of(settings, 1), "");
    EXPECT_EQ(message_of(settings, 2), "settings: group_size is 1.0; use 2.0 to 64.0");
    settings = {};
    settings.clip_range = 0;
    EXPECT_NE(message_of(settings, 2).find("clip_range is 0.0"), std::string::npos);
    settings = {};
    settings.beta = NAN;
    EXPECT_NE(message_of(settings, 2).find("beta"), std::string::npos);
    settings = {};
    settings.kl_in = KlPlace::loss;
    EXPECT_NE(message_of(settings, 2).find("kl_estimator is k1"), std::string::npos);
    settings.kl_estimator = KlEstimator::k3;
    EXPECT_EQ(message_of(settings, 2), "");
}

TEST(PolicyGradient, NoRolloutsAreNothing) {
    const LoraAdapter policy = testing::moved_lora();
    for (const Gradients gradients : all_of_them) {
        EXPECT_TRUE(gradients(tiny_decoder(), policy, {}, groups_of_two(), still).empty());
    }
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0);
}

TEST(PolicyGradient, GroupsMustBeWhole) {
    const LoraAdapter policy = testing::moved_lora();
    const auto rollouts = some_rollouts(policy);
    for (const Gradients gradients : all_of_them) {
        EXPECT_THROW(gradients(tiny_decoder(), policy, std::span(rollouts).first(3), groups_of_two(), still),
                     Error);
    }
    PolicyGradientSettings alone = groups_of_two();
    alone.group_size = 1;
    EXPECT_THROW(rloo_gradients(tiny_decoder(), policy, rollouts, alone, still), ConfigError);
    EXPECT_THROW(grpo_gradients(tiny_decoder(), policy, rollouts, alone, still), ConfigError);
    EXPECT_NO_THROW(reinforce_from_nothing(tiny_decoder(), policy, rollouts, alone, still));
}

// A reply of EOS alone is a reply of one token. One of no tokens counts in its group's mean and pulls no
// gradient.
TEST(PolicyGradient, ShortestReplies) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    rollouts[0] = testing::rollout_of(policy, join({5, 6}, {2}), 1);
    rollouts[1] = testing::rollout_of(policy, join({5, 6}, {}), -1);
    rollouts[1].ended = false;
    for (const Gradients gradients : all_of_them) {
        const Metrics metrics = gradients(tiny_decoder(), policy, rollouts, groups_of_two(), still);
        EXPECT_TRUE(std::isfinite(metrics.at("loss/policy")));
        EXPECT_NEAR(metrics.at("policy/ratio"), 1, 1e-4);
        const double size = testing::size_of(take_gradients(policy.tensors()));
        EXPECT_TRUE(std::isfinite(size) && size > 0);
    }
    std::vector<Rollout> silent{rollouts[1], rollouts[1]};  // a whole group of no tokens
    for (const Gradients gradients : all_of_them) {
        const Metrics metrics = gradients(tiny_decoder(), policy, silent, groups_of_two(), still);
        EXPECT_EQ(metrics.at("tokens/response_length"), 0);
        EXPECT_EQ(metrics.at("frac_reward_zero_std"), 1);
        EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0);
    }
}

TEST(PolicyGradient, ALogprobForEachToken) {
    const LoraAdapter policy = testing::moved_lora();
    auto rollouts = some_rollouts(policy);
    rollouts[2].reference_logprobs.pop_back();
    for (const Gradients gradients : all_of_them) {
        EXPECT_THROW(gradients(tiny_decoder(), policy, rollouts, groups_of_two(), still), Error);
    }
}

TEST(PolicyGradient, StopsBetweenGroups) {
    const LoraAdapter policy = testing::moved_lora();
    const auto rollouts = some_rollouts(policy);
    std::stop_source source;
    source.request_stop();
    const Pulse stopped{{}, source.get_token()};
    for (const Gradients gradients : all_of_them) {
        EXPECT_THROW(gradients(tiny_decoder(), policy, rollouts, groups_of_two(), stopped), Stopped);
    }
}

}  // namespace
}  // namespace plumbline
