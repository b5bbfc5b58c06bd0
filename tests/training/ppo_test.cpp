#include "core/training/ppo.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/api/errors.h"
#include "core/training/adamw.h"
#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::some_rollouts;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

ValueHead some_head() {
    ValueHead head = ValueHead::zeros(tiny_decoder().config().hidden);
    const at::NoGradGuard no_grad;
    head.weight.copy_(0.05 * at::sin(at::arange(head.weight.numel(), at::kFloat)).view({1, -1}));
    head.bias.fill_(0.25);
    return head;
}

PolicyGradientSettings two_at_a_time() {
    PolicyGradientSettings settings;
    settings.beta = 0.1;
    settings.group_size = 2;
    return settings;
}

// (T) the head's values of one reply, at the states that predict its tokens.
Tensor values_by_hand(const Adapter& policy, const ValueHead& head, const Rollout& r) {
    const PackedBatch batch = pack({&r.sequence, 1});
    const Tensor states = policy_states(tiny_decoder(), &policy, batch, {}, still);
    return at::linear(tiny_decoder().final_norm(states, &policy).detach(), head.weight, head.bias).squeeze(1);
}

// The equations written out token by token: r_t = -beta k1_t (+ score at the last), delta_t, A_t backwards,
// returns A_t + V_t, then A whitened over all tokens of the batch.
PpoTargets targets_by_hand(const Adapter& policy, const ValueHead& head, const std::vector<Rollout>& rollouts,
                           const PolicyGradientSettings& settings) {
    PpoTargets out;
    std::vector<double> all;
    for (const Rollout& r : rollouts) {
        const Tensor values = values_by_hand(policy, head, r);
        const auto tokens = static_cast<int>(r.logprobs.size());
        std::vector<float> v, a(r.logprobs.size()), returns(r.logprobs.size());
        for (int t = 0; t < tokens; ++t) {
            v.push_back(values[t].item<float>());
        }
        double next = 0, next_value = 0;
        for (int t = tokens - 1; t >= 0; --t) {
            double reward = -settings.beta * (r.logprobs[t] - r.reference_logprobs[t]);
            if (t == tokens - 1) {
                reward += r.ended ? r.score.total : settings.missing_eos_reward;
            }
            next = reward + settings.gae_gamma * next_value - v[t] +
                   settings.gae_gamma * settings.gae_lambda * next;
            next_value = v[t];
            a[t] = static_cast<float>(next);
            returns[t] = a[t] + v[t];
            all.push_back(next);
        }
        out.values.push_back(v);
        out.advantages.push_back(a);
        out.returns.push_back(returns);
    }
    const double n = static_cast<double>(all.size());
    const double mean = std::accumulate(all.begin(), all.end(), 0.0) / n;
    double variance = 0;
    for (const double a : all) {
        variance += (a - mean) * (a - mean) / (n - 1);
    }
    for (auto& reply : out.advantages) {
        for (float& a : reply) {
            a = static_cast<float>((a - mean) / std::sqrt(variance + 1e-8));
        }
    }
    return out;
}

double largest_difference(const std::vector<std::vector<float>>& a,
                          const std::vector<std::vector<float>>& b) {
    double out = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].size(), b[i].size());
        for (std::size_t t = 0; t < std::min(a[i].size(), b[i].size()); ++t) {
            out = std::max(out, static_cast<double>(std::abs(a[i][t] - b[i][t])));
        }
    }
    return out;
}

TEST(Ppo, TargetsAreTheEquations) {
    const LoraAdapter policy = testing::moved_lora();
    const ValueHead head = some_head();
    const auto rollouts = some_rollouts(policy);
    PolicyGradientSettings settings = two_at_a_time();
    settings.gae_gamma = 0.99;
    settings.gae_lambda = 0.9;
    const PpoTargets ours = ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still);
    const PpoTargets expected = targets_by_hand(policy, head, rollouts, settings);
    EXPECT_LT(largest_difference(ours.values, expected.values), 1e-4);
    EXPECT_LT(largest_difference(ours.advantages, expected.advantages), 1e-3);
    EXPECT_LT(largest_difference(ours.returns, expected.returns), 1e-3);
    settings.gae_lambda = 0.905;
    const PpoTargets other = targets_by_hand(policy, head, rollouts, settings);
    EXPECT_GT(largest_difference(ours.advantages, other.advantages), 1e-3) << "another lambda is told apart";
}

// One minibatch of all replies: the mean over tokens of the clipped losses, by autograd on the equations,
// with old log-probs and values moved so that both clips act on some tokens and not on others.
TEST(Ppo, GradientsAreOfTheClippedLosses) {
    const LoraAdapter policy = testing::moved_lora();
    const ValueHead head = some_head();
    auto rollouts = some_rollouts(policy);
    const PolicyGradientSettings settings = two_at_a_time();
    PpoTargets targets = ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still);
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        for (std::size_t t = 0; t < rollouts[i].logprobs.size(); ++t) {
            rollouts[i].logprobs[t] += 0.3F * std::sin(static_cast<float>(3 * i + t));
            targets.values[i][t] += 0.4F * std::cos(static_cast<float>(2 * i + t));
        }
    }
    const std::vector<std::vector<std::size_t>> one{{2, 0, 3, 1}};
    int steps = 0;
    std::vector<Tensor> of_policy, of_head;
    const PpoPass pass = ppo_pass(
        tiny_decoder(), policy, head, rollouts, targets, one, settings,
        [&] {
            ++steps;
            of_policy = take_gradients(policy.tensors());
            of_head = take_gradients(head.tensors());
        },
        still);
    EXPECT_EQ(steps, 1);
    EXPECT_FALSE(pass.stopped_early);
    EXPECT_GT(pass.metrics.at("policy/clipfrac"), 0.05);
    EXPECT_LT(pass.metrics.at("policy/clipfrac"), 0.95);

    const auto by_hand = [&](double clip) {
        Tensor policy_loss = at::zeros({}), value_loss = at::zeros({});
        double tokens = 0;
        for (std::size_t i = 0; i < rollouts.size(); ++i) {
            const Rollout& r = rollouts[i];
            const Tensor a = at::tensor(targets.advantages[i]);
            const Tensor ratio =
                (policy_logprobs(tiny_decoder(), &policy, pack({&r.sequence, 1}), {}, 0.9, still) -
                 at::tensor(r.logprobs))
                    .exp();
            policy_loss = policy_loss + at::max(-a * ratio, -a * ratio.clamp(1 - clip, 1 + clip)).sum();
            const Tensor v = values_by_hand(policy, head, r), old = at::tensor(targets.values[i]);
            const Tensor near = old + (v - old).clamp(-0.2, 0.2), returns = at::tensor(targets.returns[i]);
            value_loss = value_loss + 0.5 * at::max((v - returns).square(), (near - returns).square()).sum();
            tokens += r.sequence.reply_length();
        }
        ((policy_loss + settings.value_weight * value_loss) / tokens).backward();
        return std::array{policy_loss.item<double>() / tokens, value_loss.item<double>() / tokens};
    };
    const auto [policy_loss, value_loss] = by_hand(0.2);
    EXPECT_NEAR(pass.metrics.at("loss/policy"), policy_loss, 1e-4);
    EXPECT_NEAR(pass.metrics.at("loss/value"), value_loss, 1e-4);
    EXPECT_LT(testing::relative_difference(of_policy, take_gradients(policy.tensors())), 1e-3);
    EXPECT_LT(testing::relative_difference(of_head, take_gradients(head.tensors())), 1e-3);
    by_hand(0.21);
    EXPECT_GT(testing::relative_difference(of_policy, take_gradients(policy.tensors())), 1e-3);
    take_gradients(head.tensors());
}

// The value loss alone: the policy gets no gradient from it.
TEST(Ppo, TheValueLossDoesNotReachThePolicy) {
    const LoraAdapter policy = testing::moved_lora();
    const ValueHead head = some_head();
    const auto rollouts = some_rollouts(policy);
    PpoTargets targets = ppo_targets(tiny_decoder(), policy, head, rollouts, two_at_a_time(), still);
    for (auto& reply : targets.advantages) {
        std::fill(reply.begin(), reply.end(), 0.0F);
    }
    const std::vector<std::vector<std::size_t>> one{{0, 1, 2, 3}};
    double of_policy = 1, of_head = 0;
    ppo_pass(
        tiny_decoder(), policy, head, rollouts, targets, one, two_at_a_time(),
        [&] {
            of_policy = testing::size_of(take_gradients(policy.tensors()));
            of_head = testing::size_of(take_gradients(head.tensors()));
        },
        still);
    EXPECT_EQ(of_policy, 0);
    EXPECT_GT(of_head, 0);
}

// Learning the returns of fixed replies: the value loss falls and the explained variance rises.
TEST(Ppo, TheHeadLearnsTheReturns) {
    const LoraAdapter policy = testing::moved_lora();
    ValueHead head = ValueHead::zeros(tiny_decoder().config().hidden);
    const auto rollouts = some_rollouts(policy);
    PolicyGradientSettings settings = two_at_a_time();
    settings.value_clip_range = 1000;
    settings.gae_lambda = 1;
    AdamW optimizer(head.tensors(), head.tensor_names());
    const PpoTargets before = ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still);
    EXPECT_LE(before.explained_variance, 0 + 1e-6) << "a head of zeros explains nothing";
    const std::vector<std::vector<std::size_t>> one{{0, 1, 2, 3}};
    double first = 0, last = 0;
    for (int i = 0; i < 60; ++i) {
        const PpoPass pass = ppo_pass(
            tiny_decoder(), policy, head, rollouts, before, one, settings,
            [&] {
                take_gradients(policy.tensors());
                optimizer.step(1e-2, 0, 0);
            },
            still);
        (i == 0 ? first : last) = pass.metrics.at("loss/value");
    }
    EXPECT_LT(last, first / 2);
    EXPECT_GT(ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still).explained_variance, 0.5);
}

TEST(Ppo, StopsAPassWhenThePolicyHasMovedTooFar) {
    const LoraAdapter policy = testing::moved_lora();
    const ValueHead head = some_head();
    auto rollouts = some_rollouts(policy);
    PolicyGradientSettings settings = two_at_a_time();
    settings.target_kl = 0.01;
    const PpoTargets targets = ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still);
    const std::vector<std::vector<std::size_t>> two{{0, 1}, {2, 3}};
    int steps = 0;
    const auto step = [&] {
        ++steps;
        take_gradients(policy.tensors());
        take_gradients(head.tensors());
    };
    EXPECT_FALSE(
        ppo_pass(tiny_decoder(), policy, head, rollouts, targets, two, settings, step, still).stopped_early);
    EXPECT_EQ(steps, 2);
    // Half the square of a log-ratio of 0.18 is 0.0162, over 1.5 * 0.01; of 0.17, 0.01445, it is not.
    const auto shift = [&](float by) {
        auto moved = rollouts;
        for (const std::size_t i : {std::size_t{2}, std::size_t{3}}) {
            for (float& l : moved[i].logprobs) {
                l += by;
            }
        }
        steps = 0;
        return ppo_pass(tiny_decoder(), policy, head, moved, targets, two, settings, step, still);
    };
    EXPECT_FALSE(shift(0.17F).stopped_early);
    EXPECT_EQ(steps, 2);
    EXPECT_TRUE(shift(0.18F).stopped_early);
    EXPECT_EQ(steps, 1) << "the first minibatch was stepped";
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0) << "nothing is left for the next step";
}

TEST(Ppo, MinibatchesShareOutEveryReplyOnce) {
    const auto parts = ppo_minibatches(10, 4, 5, 0);
    ASSERT_EQ(parts.size(), 4u);
    std::vector<std::size_t> all;
    for (const auto& part : parts) {
        EXPECT_TRUE(part.size() == 2 || part.size() == 3);
        all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(all[i], i);
    }
    EXPECT_EQ(ppo_minibatches(10, 4, 5, 0), parts) << "a function of seed and pass";
    EXPECT_NE(ppo_minibatches(10, 4, 5, 1), parts);
    EXPECT_NE(ppo_minibatches(10, 4, 6, 0), parts);
    EXPECT_EQ(ppo_minibatches(2, 5, 0, 0).size(), 2u);
    EXPECT_TRUE(ppo_minibatches(0, 4, 0, 0).empty());
}

TEST(Ppo, DegenerateRollouts) {
    const LoraAdapter policy = testing::moved_lora();
    const ValueHead head = some_head();
    int steps = 0;
    const auto step = [&] {
        ++steps;
        EXPECT_TRUE(std::isfinite(testing::size_of(take_gradients(policy.tensors()))));
        take_gradients(head.tensors());
    };
    const auto run = [&](const std::vector<Rollout>& rollouts, const PolicyGradientSettings& settings) {
        const PpoTargets targets = ppo_targets(tiny_decoder(), policy, head, rollouts, settings, still);
        return ppo_pass(tiny_decoder(), policy, head, rollouts, targets,
                        ppo_minibatches(rollouts.size(), 2, 0, 0), settings, step, still)
            .metrics;
    };
    EXPECT_TRUE(run({}, two_at_a_time()).empty());
    EXPECT_EQ(steps, 0);

    Rollout silent = testing::rollout_of(policy, join({5, 6}, {}), 1);
    Rollout brief = testing::rollout_of(policy, join({5, 6}, {2}), 1);
    run({silent, silent}, two_at_a_time());
    EXPECT_EQ(steps, 0) << "no token, nothing to step on";
    PolicyGradientSettings alone = two_at_a_time();
    alone.group_size = 1;
    EXPECT_TRUE(std::isfinite(run({brief}, alone).at("loss/policy"))) << "one token: whitening gives 0";
    EXPECT_EQ(steps, 1);
    EXPECT_TRUE(std::isfinite(run({brief, silent}, two_at_a_time()).at("loss/value")));
    EXPECT_EQ(run({brief, brief}, two_at_a_time()).at("frac_reward_zero_std"), 1);

    brief.score = NAN;
    EXPECT_THROW(run({brief, brief}, two_at_a_time()), NonFinite);
    PolicyGradientSettings in_loss = two_at_a_time();
    in_loss.kl_in = KlPlace::loss;
    in_loss.kl_estimator = KlEstimator::k3;
    EXPECT_THROW(run({silent, silent}, in_loss), ConfigError);
}

}  // namespace
}  // namespace plumbline
