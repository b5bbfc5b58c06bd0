#include "core/model/lora.h"
#include "core/model/decoder.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/formats/peft.h"
#include "core/training/policy.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_json;
using testing::golden_model;
using testing::still;

double worst_difference(const LanguageModel& model, const Adapter* adapter, const nlohmann::json& row, const char* key,
                        double shift = 0) {
    at::NoGradGuard no_grad;
    const Sequence sequence = testing::golden_sequence(row);
    const Tensor ours = policy_logprobs(model.decoder(), adapter, pack({&sequence, 1}), {}, 1.0, still);
    const Tensor theirs = at::tensor(row.at(key).get<std::vector<double>>(), at::kDouble);
    return (ours.to(at::kDouble) + shift - theirs).abs().max().item<double>();
}

TEST(Decoder, LogprobsEqualTransformers) {
    const auto golden = golden_json("tiny_logprobs.json");
    const LoraAdapter adapter =
        LoraAdapter::from_peft(golden_model().decoder().config(), read_peft(testing::golden_path("tiny_adapter")));
    for (const auto& row : golden.at("rows")) {
        EXPECT_LT(worst_difference(golden_model(), nullptr, row, "logprobs"), 1e-4);
        EXPECT_LT(worst_difference(golden_model(), &adapter, row, "adapter_logprobs"), 1e-4);
        EXPECT_GT(worst_difference(golden_model(), &adapter, row, "logprobs"), 1e-4) << "the adapter matters";
        EXPECT_GT(worst_difference(golden_model(), nullptr, row, "logprobs", 2e-4), 1e-4) << "a small shift is seen";
    }
}

TEST(Decoder, SmolLm2LogprobsEqualTransformers) {
    const auto path = testing::installed_smollm2();
    if (!path) {
        GTEST_SKIP() << "SmolLM2 is not installed";
    }
    const auto model = LanguageModel::open(path->string(), Precision::f32, still, {});
    const auto golden = golden_json("smollm_logprobs.json");
    for (const auto& row : golden.at("rows")) {
        EXPECT_LT(worst_difference(*model, nullptr, row, "logprobs"), 2e-3);
        EXPECT_GT(worst_difference(*model, nullptr, row, "logprobs", 3e-3), 2e-3) << "a small shift is seen";
    }
}

TEST(Decoder, SequencesOfABatchDoNotSeeEachOther) {
    at::NoGradGuard no_grad;
    std::vector<Sequence> sequences;
    const auto golden = golden_json("tiny_logprobs.json");
    for (const auto& row : golden.at("rows")) {
        sequences.push_back(testing::golden_sequence(row));
    }
    const PackedBatch batch = pack(sequences);
    const Tensor together = policy_logprobs(golden_model().decoder(), nullptr, batch, {}, 1.0, still);
    for (std::size_t i = 0; i < sequences.size(); ++i) {
        const Tensor alone = policy_logprobs(golden_model().decoder(), nullptr, pack({&sequences[i], 1}), {}, 1.0, still);
        EXPECT_TRUE(at::allclose(together.slice(0, batch.reply_starts[i], batch.reply_starts[i + 1]), alone, 0, 1e-4));
    }
}

// The cached lower states give what the whole pass gives.
TEST(Decoder, LowerStatesAreEnoughForTheUpperHalf) {
    at::NoGradGuard no_grad;
    LoraConfig config;
    const LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), config, 1);
    EXPECT_EQ(adapter.first_block(), 2);
    for (const Tensor& t : adapter.tensors()) {
        t.add_(0.01);   // B too: the adapter must do something
    }
    const Sequence sequence = testing::golden_sequence(golden_json("tiny_logprobs.json").at("rows").at(0));
    const PackedBatch batch = pack({&sequence, 1});
    const Tensor lower = reference_facts(golden_model().decoder(), {&sequence, 1}, 2, 1.0, Want::lower_only, still).front().lower;
    const Tensor cached = policy_logprobs(golden_model().decoder(), &adapter, batch, lower, 1.0, still);
    EXPECT_TRUE(at::equal(cached, policy_logprobs(golden_model().decoder(), &adapter, batch, {}, 1.0, still)));
    EXPECT_FALSE(at::allclose(cached, policy_logprobs(golden_model().decoder(), nullptr, batch, {}, 1.0, still), 0, 1e-4));
}

TEST(ReferenceFacts, AreThePlainPassesOfTheBackbone) {
    at::NoGradGuard no_grad;
    const Sequence sequence = testing::golden_sequence(golden_json("tiny_logprobs.json").at("rows").at(1));
    const PackedBatch batch = pack({&sequence, 1});
    const ReferenceFacts facts =
        reference_facts(golden_model().decoder(), {&sequence, 1}, 2, 0.8, Want::everything, still).front();
    const Tensor at_1 = policy_logprobs(golden_model().decoder(), nullptr, batch, {}, 1.0, still);
    const Tensor at_08 = policy_logprobs(golden_model().decoder(), nullptr, batch, {}, 0.8, still);
    EXPECT_TRUE(at::allclose(at::tensor(facts.logprobs_t1), at_1, 0, 1e-5));
    EXPECT_TRUE(at::allclose(at::tensor(facts.logprobs), at_08, 0, 1e-5));
    EXPECT_EQ(facts.features.size(), 64u);
}

// Gradient of a sum of log-probs in the adapter's B against central differences (f32 forward, so a loose step).
TEST(Decoder, AdapterGradientsAgreeWithFiniteDifferences) {
    LoraAdapter adapter =
        LoraAdapter::from_peft(golden_model().decoder().config(), read_peft(testing::golden_path("tiny_adapter")));
    adapter.require_grad(true);
    const Sequence sequence = testing::golden_sequence(golden_json("tiny_logprobs.json").at("rows").at(2));
    const PackedBatch batch = pack({&sequence, 1});
    const auto value = [&] {
        return policy_logprobs(golden_model().decoder(), &adapter, batch, {}, 1.0, still).sum();
    };
    value().backward();
    const std::vector<Tensor> weights = adapter.tensors();
    const std::vector<std::string> names = adapter.tensor_names();
    std::size_t looked_at = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!names[i].starts_with("blocks.0.") && !names[i].starts_with("blocks.3.")) {
            continue;
        }
        ++looked_at;
        const Tensor& weight = weights[i];
        const Tensor direction = weight.grad() / weight.grad().norm();
        at::NoGradGuard no_grad;
        const double h = 2e-2;
        weight.add_(direction, h);
        const double up = value().item<double>();
        weight.sub_(direction, 2 * h);
        const double down = value().item<double>();
        weight.add_(direction, h);
        const double expected = weight.grad().norm().item<double>();
        EXPECT_NEAR((up - down) / (2 * h), expected, 0.02 * expected + 2e-3) << names[i];
    }
    EXPECT_EQ(looked_at, 2 * linear_modules(golden_model().decoder().config()).size() * 2) << "A and B of every layer of both blocks";
}

TEST(Decoder, PulseBeatsForwardAndBackward) {
    LoraAdapter adapter = LoraAdapter::fresh(golden_model().decoder().config(), LoraConfig{}, 1);
    adapter.require_grad(true);
    int beats = 0;
    const Pulse pulse{[&] { ++beats; }, {}};
    const Sequence sequence = testing::golden_sequence(golden_json("tiny_logprobs.json").at("rows").at(0));
    const Tensor sum = policy_logprobs(golden_model().decoder(), &adapter, pack({&sequence, 1}), {}, 1.0, pulse).sum();
    EXPECT_GE(beats, 4);   // once a block
    beats = 0;
    sum.backward();
    EXPECT_GE(beats, 2);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(policy_logprobs(golden_model().decoder(), &adapter, pack({&sequence, 1}), {}, 1.0, Pulse{{}, stop.get_token()}), Stopped);
}

}  // namespace
}  // namespace plumbline
