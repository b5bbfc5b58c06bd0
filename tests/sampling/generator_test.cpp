#include "core/sampling/generator.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>

#include "core/formats/peft.h"
#include "core/model/lora.h"
#include "core/training/policy.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using testing::golden_model;
using testing::still;

const std::vector<int> short_prompt{37, 262, 78, 70}, long_prompt{37, 262, 78, 70, 276, 331, 78, 82, 376, 339};

GenerationRequest request(std::span<const GenerationPrompt> prompts, int samples) {
    GenerationRequest out;
    out.prompts = prompts;
    out.samples = samples;
    out.sampling.max_new_tokens = 20;
    out.seed = 3;
    out.stream = 5;
    return out;
}

// A reply is a function of seed, stream, prompt number and sample: the batch it is drawn in does not matter.
TEST(Generator, RepliesDoNotDependOnTheBatch) {
    const std::array<GenerationPrompt, 2> both{{{short_prompt, 0}, {long_prompt, 1}}};
    const auto together = generate_replies(golden_model().decoder(), nullptr, request(both, 5), still);
    ASSERT_EQ(together.size(), 10u);
    for (const GenerationPrompt& prompt : both) {
        const auto alone = generate_replies(golden_model().decoder(), nullptr, request({&prompt, 1}, 2), still);
        EXPECT_EQ(alone[0].ids, together[prompt.number * 5].ids);
        EXPECT_EQ(alone[1].ids, together[prompt.number * 5 + 1].ids);
    }
    EXPECT_NE(together[0].ids, together[1].ids) << "samples differ";
}

TEST(Generator, SameSeedSameRepliesOtherSeedOthers) {
    const GenerationPrompt prompt{short_prompt, 0};
    auto first = request({&prompt, 1}, 2);
    const auto a = generate_replies(golden_model().decoder(), nullptr, first, still);
    EXPECT_EQ(a[0].ids, generate_replies(golden_model().decoder(), nullptr, first, still)[0].ids);
    first.seed = 4;
    EXPECT_NE(a[0].ids, generate_replies(golden_model().decoder(), nullptr, first, still)[0].ids);
}

// The arithmetic of drawing and of scoring: the ratio of an on-policy token is 1 to within 1e-3, adapter on.
TEST(Generator, SamplingAndScoringAgree) {
    const LoraAdapter adapter =
        LoraAdapter::from_peft(golden_model().decoder().config(), read_peft(testing::golden_path("tiny_adapter")));
    const GenerationPrompt prompt{long_prompt, 0};
    auto wanted = request({&prompt, 1}, 4);
    wanted.sampling.temperature = 0.7;
    at::NoGradGuard no_grad;
    for (const Reply& reply : generate_replies(golden_model().decoder(), &adapter, wanted, still)) {
        Sequence sequence{long_prompt, static_cast<int>(long_prompt.size())};
        sequence.ids.insert(sequence.ids.end(), reply.ids.begin(), reply.ids.end());
        const auto ratio_error = [&](double temperature) {
            const at::Tensor scored = policy_logprobs(golden_model().decoder(), &adapter, pack({&sequence, 1}), {}, temperature, still);
            return ((scored - at::tensor(reply.logprobs)).exp() - 1).abs().max().item<double>();
        };
        EXPECT_LT(ratio_error(0.7), 1e-3);
        EXPECT_GT(ratio_error(0.71), 1e-3) << "a slightly other temperature is told apart";
    }
}

TEST(Generator, EndsAtEosAndAtTheLengthLimit) {
    const GenerationPrompt prompt{short_prompt, 0};
    auto wanted = request({&prompt, 1}, 3);
    const auto free = generate_replies(golden_model().decoder(), nullptr, wanted, still);
    wanted.ends.ids = {free[0].ids[4]};   // make the fifth token of the first reply the end
    std::vector<int> streamed(3, 0);
    const auto ended = generate_replies(golden_model().decoder(), nullptr, wanted, still,
                                        [&](int row, int, bool) { ++streamed[row]; });
    EXPECT_LE(ended[0].ids.size(), 5u);
    EXPECT_EQ(ended[0].finish, Finish::eos);
    EXPECT_EQ(ended[0].ids.back(), wanted.ends.ids.front());
    for (const Reply& reply : ended) {
        EXPECT_EQ(streamed[reply.sample], static_cast<int>(reply.ids.size()));
        EXPECT_EQ(reply.ids.size(), reply.logprobs.size());
        EXPECT_TRUE(reply.finish == Finish::eos || reply.ids.size() == 20u);
        for (std::size_t i = 0; i < reply.ids.size(); ++i) {   // what others do after one ended is the same
            EXPECT_EQ(reply.ids[i], free[reply.sample].ids[i]);
        }
    }
}

TEST(Generator, StopsBetweenTokens) {
    const GenerationPrompt prompt{short_prompt, 0};
    std::stop_source stop;
    int tokens = 0;
    EXPECT_THROW(generate_replies(golden_model().decoder(), nullptr, request({&prompt, 1}, 1), Pulse{{}, stop.get_token()},
                                  [&](int, int, bool) {
                                      if (++tokens == 3) {
                                          stop.request_stop();
                                      }
                                  }),
                 Stopped);
    EXPECT_EQ(tokens, 3);
}

}  // namespace
}  // namespace plumbline
