#include "core/training/rollouts.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/training/some_rollouts.h"

namespace plumbline {
namespace {

using testing::still;
using testing::tiny_decoder;

std::vector<Rollout> drawn(const Adapter& policy, double temperature) {
    const std::vector<GenerationPrompt> prompts{{{5, 6, 7, 8}, 0}, {{40, 41, 42}, 1}};
    GenerationRequest request;
    request.prompts = prompts;
    request.samples = 4;
    request.sampling.max_new_tokens = 12;
    request.sampling.temperature = temperature;
    request.sampling.top_p = 0.5;  // is not used
    request.seed = 7;
    request.ends = {{2}, 2};
    const auto score = [](const Sequence& sequence, const ReferenceFacts&) {
        RolloutScore out(sequence.reply_length());
        out.parts["length"] = out.total;
        return out;
    };
    return draw_rollouts(tiny_decoder(), policy, nullptr, request, score, Passes::one, still);
}

// exp of the largest |log pi(now) - log pi(sampled)| of any token, minus 1.
double worst_ratio(const Adapter& policy, const std::vector<Rollout>& rollouts, double temperature) {
    double worst = 0;
    for (const Rollout& r : rollouts) {
        const auto now = testing::token_logprobs_of(&policy, r.sequence, temperature);
        for (std::size_t t = 0; t < now.size(); ++t) {
            worst = std::max(worst, std::abs(std::exp(now[t] - r.logprobs[t]) - 1.0));
        }
    }
    return worst;
}

// Sampling and training compute the same: before the first step the ratio of every token is 1.
TEST(Rollouts, RatioOfAnOnPolicyTokenIsOne) {
    FullWeights full = FullWeights::of(tiny_decoder());
    for (at::Tensor& t : full.tensors()) {
        t.add_(0.01 * at::sin(at::arange(t.numel(), t.options()) * 1.3).view(t.sizes()));
    }
    const LoraAdapter lora = testing::moved_lora();
    for (const Adapter* policy : {static_cast<const Adapter*>(&full), static_cast<const Adapter*>(&lora)}) {
        for (const double temperature : {1.0, 0.7}) {
            const auto rollouts = drawn(*policy, temperature);
            ASSERT_EQ(rollouts.size(), 8u);
            EXPECT_LT(worst_ratio(*policy, rollouts, temperature), 1e-3);
            EXPECT_GT(worst_ratio(*policy, rollouts, temperature * 1.005), 1e-3)
                << "another temperature is seen";
        }
    }
}

TEST(Rollouts, CarryWhatTheReferenceSays) {
    const LoraAdapter lora = testing::moved_lora();
    const auto rollouts = drawn(lora, 0.9);
    for (const Rollout& r : rollouts) {
        const auto tokens = static_cast<std::size_t>(r.sequence.reply_length());
        ASSERT_EQ(r.logprobs.size(), tokens);
        ASSERT_EQ(r.reference_logprobs.size(), tokens);
        const auto reference = testing::token_logprobs_of(nullptr, r.sequence, 0.9);
        for (std::size_t t = 0; t < tokens; ++t) {
            EXPECT_NEAR(r.reference_logprobs[t], reference[t], 1e-3);
        }
        EXPECT_NEAR(r.reference_logprob(), std::accumulate(reference.begin(), reference.end(), 0.0), 1e-2);
        EXPECT_EQ(r.ended, r.sequence.ids.back() == 2);
        EXPECT_EQ(r.score.total, r.sequence.reply_length());
        EXPECT_EQ(r.score.parts.at("length"), r.score.total);
    }
    EXPECT_GT(std::abs(rollouts[0].logprob() - rollouts[0].reference_logprob()), 1e-3) << "they differ";
}

}  // namespace
}  // namespace plumbline
