// What a CUDA device computes against what the CPU does, from the opened file to the step. Skipped, visibly, where
// there is none.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>

#include "core/api/errors.h"
#include "core/lab/machine.h"
#include "core/model/lora.h"
#include "core/sampling/generator.h"
#include "core/training/adamw.h"
#include "core/training/policy.h"
#include "core/training/preference.h"
#include "core/training/reward_model.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::still;

at::Device device_or_cpu() {
    try {
        return find_device("cuda");
    } catch (const ConfigError&) {
        return at::kCPU;
    }
}

class OnCuda : public ::testing::TestWithParam<Precision> {
  protected:
    void SetUp() override {
        if (cuda_.is_cpu()) {
            GTEST_SKIP() << "there is no CUDA device, or libtorch_cuda.so is not installed";
        }
    }

    const Decoder& on(at::Device device) {
        auto& model = device.is_cpu() ? cpu_model_ : cuda_model_;
        if (!model) {
            const std::string path = testing::golden_path("tiny_llama.gguf").string();
            model = LanguageModel::open(path, GetParam(), still, {}, device);
        }
        return model->decoder();
    }

    const at::Device cuda_ = device_or_cpu();

  private:
    std::unique_ptr<LanguageModel> cpu_model_, cuda_model_;
};

const PreferencePair& a_pair() {
    static const PreferencePair pair{
        {{37, 262, 78, 70, 276}, 2}, {{37, 262, 331, 78, 82, 376}, 2}, {}, {}, -20, -10};
    return pair;
}

Tensor as_one_row(const std::vector<Tensor>& tensors) {
    std::vector<Tensor> rows;
    for (const Tensor& t : tensors) {
        rows.push_back(t.detach().to(at::kCPU, at::kFloat).reshape({-1}));
    }
    return at::cat(rows);
}

/// The policy's weights after steps on a pair, on the CPU, as one row.
Tensor weights_after(int steps, const Decoder& decoder) {
    LoraAdapter adapter = LoraAdapter::fresh(decoder.config(), {}, 1, decoder.device());
    adapter.require_grad(true);
    AdamW optimizer(adapter.tensors(), adapter.tensor_names());
    for (int i = 0; i < steps; ++i) {
        preference_gradients(decoder, adapter, {&a_pair(), 1}, pair_loss("dpo"), {}, still);
        optimizer.step(1e-2, 0, 0.1);
    }
    return as_one_row(adapter.tensors());
}

TEST_P(OnCuda, LogprobsAreTheCpus) {
    const at::NoGradGuard no_grad;
    const auto of = [&](const at::Device& device) {
        return policy_logprobs(on(device), nullptr, pack({&a_pair().rejected, 1}), {}, 1.0, still).to(at::kCPU);
    };
    const Tensor expected = of(at::kCPU), ours = of(cuda_);
    const double tolerance = GetParam() == Precision::f32 ? 1e-3 : 0.05;
    EXPECT_LT((ours - expected).abs().max().item<double>(), tolerance);
    EXPECT_GT((ours + 2 * tolerance - expected).abs().max().item<double>(), tolerance) << "more is told apart";
}

TEST_P(OnCuda, AStepIsTheCpus) {
    const Tensor expected = weights_after(1, on(at::kCPU)), ours = weights_after(1, on(cuda_));
    // Adam's first step is the rate times the gradient's sign: a share of signs may differ where gradients
    // are near 0.
    const auto share = [&](const Tensor& other) {
        return ((other - expected).abs() > 1e-3).to(at::kFloat).mean().item<double>();
    };
    EXPECT_LT(share(ours), GetParam() == Precision::f32 ? 0.01 : 0.1);
    EXPECT_GT(share(-expected), 0.1) << "another step is told apart";
}

TEST_P(OnCuda, TheSameStepsGiveTheSameBytes) {
    const Tensor first = weights_after(3, on(cuda_)), second = weights_after(3, on(cuda_));
    EXPECT_TRUE(at::equal(first, second));
    EXPECT_FALSE(at::equal(first, weights_after(2, on(cuda_))));
}

// The on-policy ratio is 1: what sampling writes down is what scoring finds.
TEST_P(OnCuda, SamplingAndScoringAgree) {
    const at::NoGradGuard no_grad;
    const GenerationPrompt prompt{{37, 262, 78, 70}, 0};
    GenerationRequest request;
    request.prompts = {&prompt, 1};
    request.samples = 4;
    request.sampling.temperature = 1;
    request.sampling.top_p = 1;
    request.sampling.max_new_tokens = 12;
    request.seed = 3;
    for (const Reply& reply : generate_replies(on(cuda_), nullptr, request, still)) {
        const Sequence sequence = join(prompt.ids, reply.ids);
        const Tensor scored =
            policy_logprobs(on(cuda_), nullptr, pack({&sequence, 1}), {}, 1.0, still).to(at::kCPU);
        const Tensor sampled = at::tensor(reply.logprobs);
        const double tolerance = GetParam() == Precision::f32 ? 1e-3 : 0.05;
        EXPECT_LT((scored - sampled).abs().max().item<double>(), tolerance);
        EXPECT_GT((scored - sampled + 2 * tolerance).abs().max().item<double>(), tolerance) << "more is told apart";
    }
}

TEST_P(OnCuda, ARewardModelLearnsThere) {
    const Decoder& decoder = on(cuda_);
    RewardModel model = RewardModel::fresh(decoder.config(), {}, 1, decoder.device());
    for (Tensor t : model.tensors()) {
        t.requires_grad_(true);
    }
    AdamW optimizer(model.tensors(), model.tensor_names());
    const RewardPair pair{a_pair().chosen, a_pair().rejected, 0};
    double first = 0, last = 0;
    for (int i = 0; i < 5; ++i) {
        last = reward_gradients(decoder, model, {&pair, 1}, 0, still).at("loss/reward");
        first = i == 0 ? last : first;
        optimizer.step(1e-2, 0, 1);
    }
    EXPECT_LT(last, first);
}

INSTANTIATE_TEST_SUITE_P(InEachPrecision, OnCuda, ::testing::Values(Precision::f32, Precision::bf16),
                         [](const auto& each) { return each.param == Precision::f32 ? "f32" : "bf16"; });

}  // namespace
}  // namespace plumbline
