#include "core/training/sft.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::still;
using testing::take_gradients;
using testing::tiny_decoder;

std::vector<Demonstration> some_demonstrations() {
    std::vector<Demonstration> out;
    const auto rows = testing::golden_json("tiny_logprobs.json").at("rows");
    for (const auto& row : rows) {
        out.push_back({testing::golden_sequence(row), {}});
    }
    return out;
}

// transformers' log-probs of the replies are in the golden file: the mean over all tokens, not over replies.
TEST(Sft, LossIsTheMeanOverReplyTokensOfTransformers) {
    FullWeights policy = FullWeights::of(tiny_decoder());
    policy.require_grad(true);
    double nats = 0, tokens = 0;
    const auto rows = testing::golden_json("tiny_logprobs.json").at("rows");
    for (const auto& row : rows) {
        for (const auto& logprob : row.at("logprobs")) {
            nats -= logprob.get<double>();
            tokens += 1;
        }
    }
    const auto demonstrations = some_demonstrations();
    const Metrics metrics = sft_gradients(tiny_decoder(), policy, demonstrations, 0, still);
    EXPECT_NEAR(metrics.at("loss/policy"), nats / tokens, 1e-4);
    EXPECT_NEAR(metrics.at("tokens/response_length"), tokens / static_cast<double>(demonstrations.size()),
                1e-9);
}

TEST(Sft, GradientIsOfTheMeanOrOfAConstantsShare) {
    const LoraAdapter policy = testing::moved_lora();
    const auto demonstrations = some_demonstrations();
    double tokens = 0;
    Tensor nats = at::zeros({});
    for (const Demonstration& d : demonstrations) {
        tokens += d.sequence.reply_length();
        nats = nats - policy_logprobs(tiny_decoder(), &policy, pack({&d.sequence, 1}), {}, 1, still).sum();
    }
    nats.backward();
    auto expected = take_gradients(policy.tensors());
    for (const double divisor : {0.0, 200.0}) {
        const double loss =
            sft_gradients(tiny_decoder(), policy, demonstrations, divisor, still).at("loss/policy");
        EXPECT_NEAR(loss, nats.item<double>() / tokens, 1e-4) << "a mean whatever the divisor";
        auto ours = take_gradients(policy.tensors());
        for (Tensor& g : ours) {
            g = g * (divisor > 0 ? divisor : tokens);
        }
        EXPECT_LT(testing::relative_difference(ours, expected), 1e-4);
        ours[0] = ours[0] * 1.02;
        EXPECT_GT(testing::relative_difference(ours, expected), 1e-4);
    }
}

TEST(Sft, LearnsTheReplyAndNotThePrompt) {
    FullWeights policy = FullWeights::of(tiny_decoder());
    policy.require_grad(true);
    const Demonstration whole{join({5}, {9, 11, 13, 2}), {}}, half{join({5, 9, 11}, {13, 2}), {}};
    const double of_whole =
        sft_gradients(tiny_decoder(), policy, {&whole, 1}, 1, still).at("loss/policy") * 4;
    const double of_half = sft_gradients(tiny_decoder(), policy, {&half, 1}, 1, still).at("loss/policy") * 2;
    const auto logprobs = testing::token_logprobs_of(nullptr, whole.sequence, 1);
    EXPECT_NEAR(of_whole - of_half, -logprobs[0] - logprobs[1], 1e-4);
}

TEST(Sft, DegenerateExamples) {
    const LoraAdapter policy = testing::moved_lora();
    EXPECT_TRUE(sft_gradients(tiny_decoder(), policy, {}, 0, still).empty());
    std::vector<Demonstration> some{{join({5, 6}, {}), {}}};
    EXPECT_TRUE(sft_gradients(tiny_decoder(), policy, some, 0, still).empty()) << "no reply token";
    EXPECT_EQ(testing::size_of(take_gradients(policy.tensors())), 0);
    some.push_back({join({5, 6}, {2}), {}});
    const Metrics metrics = sft_gradients(tiny_decoder(), policy, some, 0, still);
    EXPECT_NEAR(metrics.at("tokens/response_length"), 0.5, 1e-9);
    EXPECT_GT(testing::size_of(take_gradients(policy.tensors())), 0);
}

}  // namespace
}  // namespace plumbline
