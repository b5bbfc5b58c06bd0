#include "core/training/kto.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/api/errors.h"
#include "core/training/adamw.h"
#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

double sum_of(const std::vector<float>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

std::vector<KtoReply> some_replies(std::size_t count) {
    const auto rows = testing::golden_json("tiny_logprobs.json").at("rows");
    std::vector<KtoReply> out;
    for (std::size_t i = 0; i < count; ++i) {
        KtoReply reply;
        reply.sequence = testing::golden_sequence(rows.at(i));
        reply.reference_logprob = sum_of(testing::token_logprobs_of(nullptr, reply.sequence, 1));
        reply.desirable = i % 2 == 0;
        out.push_back(reply);
    }
    return out;
}

TEST(Kto, MismatchedPairsKeepEveryReplyOnce) {
    const auto replies = some_replies(3);
    const auto pairs = mismatched(replies);
    ASSERT_EQ(pairs.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        const Sequence& from = replies[i].sequence;
        const Sequence& to = replies[(i + 1) % 3].sequence;
        EXPECT_EQ(pairs[i].prompt_length, to.prompt_length);
        EXPECT_EQ(pairs[i].reply_length(), from.reply_length());
        EXPECT_EQ(pairs[i].ids.back(), from.ids.back());
    }
    EXPECT_TRUE(mismatched(std::span(replies).first(1)).empty()) << "one reply has no other prompt";
}

// z from the mismatched pairs by hand, and the gradient of the mean loss by autograd on the equation.
TEST(Kto, GradientIsOfTheEquation) {
    const LoraAdapter policy = testing::moved_lora();
    const auto replies = some_replies(4);
    double z = 0;
    for (const Sequence& sequence : mismatched(replies)) {
        z += (sum_of(testing::token_logprobs_of(&policy, sequence, 1)) -
              sum_of(testing::token_logprobs_of(nullptr, sequence, 1))) /
             4;
    }
    z = std::max(0.0, z);
    const KtoSettings settings{.beta = 0.3, .desirable_weight = 1.5, .undesirable_weight = 0.5};
    const Metrics metrics = kto_gradients(tiny_decoder(), policy, nullptr, replies, settings, still);
    EXPECT_NEAR(metrics.at("objective/kl"), z, 1e-3);
    const auto ours = take_gradients(policy.tensors());
    const auto by_hand = [&](double desirable_weight) {
        Tensor loss = at::zeros({});
        for (const KtoReply& reply : replies) {
            const Tensor h =
                policy_logprobs(tiny_decoder(), &policy, pack({&reply.sequence, 1}), {}, 1, still).sum() -
                reply.reference_logprob;
            loss = loss + (reply.desirable ? desirable_weight * (1 - (0.3 * (h - z)).sigmoid())
                                           : 0.5 * (1 - (0.3 * (z - h)).sigmoid())) /
                              4;
        }
        loss.backward();
        return std::pair(loss.item<double>(), take_gradients(policy.tensors()));
    };
    const auto [loss, gradients] = by_hand(1.5);
    EXPECT_NEAR(metrics.at("loss/policy"), loss, 1e-4);
    EXPECT_LT(testing::relative_difference(ours, gradients), 1e-3);
    EXPECT_GT(testing::relative_difference(ours, by_hand(1.51).second), 1e-3) << "told apart";
    EXPECT_NEAR(metrics.at("rewards/margin"), metrics.at("rewards/chosen") - metrics.at("rewards/rejected"),
                1e-9);
}

// A reply alone: z = 0. At the reference then h = 0 and the loss is w/2.
TEST(Kto, OneReplyAloneComparesWithZero) {
    FullWeights policy = FullWeights::of(tiny_decoder());
    policy.require_grad(true);
    const auto replies = some_replies(1);
    const Metrics metrics =
        kto_gradients(tiny_decoder(), policy, nullptr, replies, {.desirable_weight = 0.8}, still);
    EXPECT_EQ(metrics.at("objective/kl"), 0);
    EXPECT_NEAR(metrics.at("loss/policy"), 0.4, 1e-4);
    EXPECT_EQ(metrics.count("rewards/rejected"), 0u) << "there is no bad reply";
}

TEST(Kto, TakesAMeasuredKl) {
    const LoraAdapter policy = testing::moved_lora();
    const auto replies = some_replies(2);
    KtoSettings settings;
    settings.kl = 1.25;
    EXPECT_EQ(kto_gradients(tiny_decoder(), policy, nullptr, replies, settings, still).at("objective/kl"),
              1.25);
    settings.kl = -3;
    EXPECT_EQ(kto_gradients(tiny_decoder(), policy, nullptr, replies, settings, still).at("objective/kl"), 0)
        << "never below 0";
}

TEST(Kto, DegenerateReplies) {
    const LoraAdapter policy = testing::moved_lora();
    EXPECT_TRUE(kto_gradients(tiny_decoder(), policy, nullptr, {}, {}, still).empty());
    auto replies = some_replies(2);
    replies[1].sequence = join({5, 6}, {2});  // EOS alone
    EXPECT_TRUE(
        std::isfinite(kto_gradients(tiny_decoder(), policy, nullptr, replies, {}, still).at("loss/policy")));
    take_gradients(policy.tensors());
    replies[1].sequence = join({5, 6}, {});
    EXPECT_THROW(kto_gradients(tiny_decoder(), policy, nullptr, replies, {}, still), Error);
    replies = some_replies(2);
    replies[0].reference_logprob = INFINITY;
    EXPECT_NO_THROW(kto_gradients(tiny_decoder(), policy, nullptr, replies, {}, still))
        << "the loss saturates: 1 - sigmoid(-inf)";
    replies[0].reference_logprob = NAN;
    take_gradients(policy.tensors());
    EXPECT_THROW(kto_gradients(tiny_decoder(), policy, nullptr, replies, {}, still), NonFinite);
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0);
}

}  // namespace
}  // namespace plumbline
