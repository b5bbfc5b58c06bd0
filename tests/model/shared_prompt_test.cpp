// Replies that share their prompt's rows in one pass: the same numbers as each with a prompt of its own.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "core/model/decoder.h"
#include "core/model/lora.h"
#include "core/training/policy.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_model;
using testing::still;

/// Two prompts with three and two replies, one of them of no token, and a prompt with one.
std::vector<Sequence> some_replies() {
    const std::vector<int> first{5, 9, 14, 3}, second{7, 7, 2}, third{11, 4, 8, 8, 1};
    return {join(first, {20, 21, 22}), join(first, {30, 31, 32}), join(first, {40, 41}),
            join(second, {}),          join(second, {50, 51}),    join(third, {60, 61, 62})};
}

LoraAdapter some_adapter() {
    LoraConfig config;
    config.lora_first_block = 0;
    LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), config, 3);
    auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
    for (const Tensor& t : adapter.tensors()) {
        t.normal_(0, 0.1, generator);
    }
    adapter.require_grad(true);
    return adapter;
}

struct Pass {
    Tensor logprobs;               // (M)
    std::vector<Tensor> gradients;
};

Pass pass(const std::vector<Sequence>& sequences, Prompts prompts) {
    const LoraAdapter adapter = some_adapter();
    const PackedBatch batch = pack(sequences, prompts);
    Pass out;
    const Tensor logprobs = policy_logprobs(golden_model().decoder(), &adapter, batch, {}, 0.9, still);
    (logprobs * at::arange(1, logprobs.numel() + 1)).sum().backward();
    out.logprobs = logprobs.detach();
    for (const Tensor& t : adapter.tensors()) {
        out.gradients.push_back(t.grad());
    }
    return out;
}

double worst(const Pass& a, const Pass& b) {
    double most = (a.logprobs - b.logprobs).abs().max().item<double>();
    for (std::size_t i = 0; i < a.gradients.size(); ++i) {
        const double size = b.gradients[i].abs().max().item<double>();
        most = std::max(most, (a.gradients[i] - b.gradients[i]).abs().max().item<double>() / size);
    }
    return most;
}

TEST(SharedPrompt, GivesTheLogprobsAndGradientsOfPromptsEach) {
    const std::vector<Sequence> sequences = some_replies();
    const Pass each = pass(sequences, Prompts::each), shared = pass(sequences, Prompts::shared);
    EXPECT_LT(worst(shared, each), 1e-4);
    std::vector<Sequence> other = sequences;
    other[1].ids[5] = 33;   // one token of a reply that a neighbour must not see, and that its own ones do
    EXPECT_GT(worst(pass(other, Prompts::shared), each), 1e-4);
}

TEST(SharedPrompt, StandsOnce) {
    const PackedBatch batch = pack(some_replies(), Prompts::shared);
    EXPECT_EQ(batch.ids.numel(), 4 + 3 + 3 + 2 + 3 + 0 + 2 + 5 + 3);
    EXPECT_EQ(pack(some_replies()).ids.numel(), 3 * 4 + 2 * 3 + 5 + 13);
    ASSERT_EQ(batch.size(), 6);
    EXPECT_EQ(batch.predictors[3].item<std::int64_t>(), 3) << "the prompt's last row foretells each first token";
    EXPECT_EQ(batch.runs.back().prompt_rows, 0) << "a prompt of one reply is a sequence as ever";
}

TEST(SharedPrompt, RowsComeApartAndTogether) {
    const std::vector<Sequence> sequences = some_replies();
    for (const Prompts prompts : {Prompts::each, Prompts::shared}) {
        const PackedBatch batch = pack(sequences, prompts);
        const Tensor rows = batch.ids.to(at::kFloat).unsqueeze(1);
        std::vector<Tensor> apart;
        for (std::size_t i = 0; i < sequences.size(); ++i) {
            apart.push_back(rows_of(batch, rows, static_cast<std::int64_t>(i)));
            ASSERT_EQ(apart[i].size(0), static_cast<std::int64_t>(sequences[i].ids.size())) << i;
            for (std::size_t t = 0; t < sequences[i].ids.size(); ++t) {
                EXPECT_EQ(apart[i][static_cast<std::int64_t>(t)].item<float>(), sequences[i].ids[t]) << i;
            }
        }
        EXPECT_TRUE(at::equal(pack_rows(batch, apart), rows));
    }
}

}  // namespace
}  // namespace plumbline
