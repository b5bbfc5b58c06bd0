#include "core/model/lora.h"
#include "core/training/rloo.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/training/adamw.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_model;
using testing::still;

std::vector<Rollout> some_rollouts(const Adapter& adapter) {
    at::NoGradGuard no_grad;
    std::vector<Rollout> out;
    const auto rows = testing::golden_json("tiny_logprobs.json").at("rows");
    for (std::size_t i = 0; i < 4; ++i) {
        Rollout r;
        r.sequence = testing::golden_sequence(rows.at(i));
        const PackedBatch batch = pack({&r.sequence, 1});
        r.logprob = policy_logprobs(golden_model().decoder(), &adapter, batch, {}, 0.9, still).sum().item<double>();
        r.reference_logprob = policy_logprobs(golden_model().decoder(), nullptr, batch, {}, 0.9, still).sum().item<double>();
        r.score = static_cast<double>(i);
        r.ended = i != 2;
        out.push_back(r);
    }
    return out;
}

// Scores 0, 1, (2 without EOS: -1), 3 in groups of two, no KL: advantages -1, 1, -4, 4 and ratio 1, so the loss is the
// mean of -A, 0, and the gradient that of -mean(A logp).
TEST(Rloo, GradientIsReinforcesWithLeaveOneOutAdvantages) {
    LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), LoraConfig{}, 3);
    adapter.require_grad(true);
    const auto rollouts = some_rollouts(adapter);
    const RlooSettings settings{0, 0.9, 0.2, -1, 2};
    const Metrics metrics = rloo_gradients(golden_model().decoder(), adapter, rollouts, settings, still);
    EXPECT_NEAR(metrics.at("loss/policy"), 0, 1e-5);
    EXPECT_NEAR(metrics.at("policy/ratio"), 1, 1e-4);
    EXPECT_NEAR(metrics.at("objective/score"), (0 + 1 - 1 + 3) / 4.0, 1e-9);
    EXPECT_NEAR(metrics.at("tokens/eos_rate"), 0.75, 1e-9);

    const std::vector<double> advantages{-1, 1, -4, 4};
    std::vector<Tensor> ours;
    for (Tensor& t : adapter.tensors()) {
        ours.push_back(t.grad().clone());
        t.mutable_grad() = Tensor();
    }
    Tensor objective = at::zeros({});
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
        const Tensor logprob =
            policy_logprobs(golden_model().decoder(), &adapter, pack({&rollouts[i].sequence, 1}), {}, 0.9, still).sum();
        objective = objective - advantages[i] * logprob / 4.0;
    }
    objective.backward();
    for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_TRUE(at::allclose(ours[i], adapter.tensors()[i].grad(), 1e-3, 1e-5));
    }
}

// KL beta: R = score - beta * (logp - ref).
TEST(Rloo, PaysForDistanceFromTheReference) {
    LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), LoraConfig{}, 3);
    adapter.require_grad(true);
    auto rollouts = some_rollouts(adapter);
    rollouts[0].reference_logprob = rollouts[0].logprob - 2;
    const Metrics metrics = rloo_gradients(golden_model().decoder(), adapter, rollouts, {0.5, 0.9, 0.2, -1, 2}, still);
    EXPECT_NEAR(metrics.at("objective/kl"), 0.5, 1e-6);
    EXPECT_NEAR(metrics.at("objective/rlhf_reward"), metrics.at("objective/score") - 0.5 * 0.5, 1e-6);
}

TEST(Rloo, StopsOnWhatIsNotANumber) {
    LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), LoraConfig{}, 3);
    adapter.require_grad(true);
    auto rollouts = some_rollouts(adapter);
    rollouts[1].score = NAN;
    EXPECT_THROW(rloo_gradients(golden_model().decoder(), adapter, rollouts, {0, 0.9, 0.2, -1, 2}, still), NonFinite);
}

}  // namespace
}  // namespace plumbline
