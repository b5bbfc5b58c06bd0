#include "core/training/preference.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string_view>

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

std::vector<PreferencePair> some_pairs() {
    const auto rows = testing::golden_json("tiny_logprobs.json").at("rows");
    std::vector<PreferencePair> out;
    for (std::size_t i = 0; i + 1 < 4; i += 2) {
        PreferencePair pair;
        pair.chosen = testing::golden_sequence(rows.at(i));
        pair.rejected = testing::golden_sequence(rows.at(i + 1));
        pair.reference_chosen = sum_of(testing::token_logprobs_of(nullptr, pair.chosen, 1));
        pair.reference_rejected = sum_of(testing::token_logprobs_of(nullptr, pair.rejected, 1));
        out.push_back(pair);
    }
    return out;
}

double loss_of(const Adapter& policy, std::span<const PreferencePair> pairs, std::string_view name) {
    const double loss =
        preference_gradients(tiny_decoder(), policy, pairs, pair_loss(name), {}, still).at("loss/policy");
    take_gradients(policy.tensors());
    return loss;
}

struct Entries {
    std::vector<double> exact, numeric;
};

// The largest entry of some tensors' gradients and what differences of the loss say: central ones with steps
// h and h / 2, of which (4 D(h / 2) - D(h)) / 3 is free of the error of order h^2.
Entries some_entries(const Adapter& policy, std::span<const PreferencePair> pairs, std::string_view name,
                     const std::vector<Tensor>& gradients, double step) {
    Entries out;
    const std::vector<Tensor> tensors = policy.tensors();
    for (std::size_t i = 0; i < tensors.size(); i += 6) {
        const auto at = gradients[i].abs().argmax().item<std::int64_t>();
        Tensor entry = tensors[i].detach().view({-1}).narrow(0, at, 1);
        const float before = entry.item<float>();
        const auto difference = [&](double h) {
            entry.fill_(before + h);
            const double up = loss_of(policy, pairs, name);
            entry.fill_(before - h);
            const double down = loss_of(policy, pairs, name);
            entry.fill_(before);
            return (up - down) / (2 * h);
        };
        out.exact.push_back(gradients[i].view({-1})[at].item<double>());
        out.numeric.push_back((4 * difference(step / 2) - difference(step)) / 3);
    }
    return out;
}

// Relative to the entry, which counts as at least a twentieth of the largest: losses are floats.
double worst_difference(const Entries& entries, double scale) {
    double largest = 0, worst = 0;
    for (const double exact : entries.exact) {
        largest = std::max(largest, std::abs(exact));
    }
    for (std::size_t i = 0; i < entries.exact.size(); ++i) {
        worst = std::max(worst, std::abs(scale * entries.exact[i] - entries.numeric[i]) /
                                    std::max(std::abs(entries.exact[i]), largest / 20));
    }
    return worst;
}

// Every weight of a small model, embedding and norms too, and LoRA's matrices; each loss.
TEST(Preference, GradientEqualsFiniteDifferences) {
    const auto pairs = some_pairs();
    FullWeights full = FullWeights::of(tiny_decoder());
    full.require_grad(true);
    const LoraAdapter lora = testing::moved_lora();
    // LoRA's gradients are small beside the rounding of a loss: a longer step.
    for (const auto& [policy, step] : {std::pair<const Adapter*, double>(&full, 4e-3), {&lora, 3e-2}}) {
        for (const PairLoss& loss : pair_losses()) {
            preference_gradients(tiny_decoder(), *policy, pairs, loss, {}, still);
            const Entries entries =
                some_entries(*policy, pairs, loss.name, take_gradients(policy->tensors()), step);
            EXPECT_LT(worst_difference(entries, 1), 0.02) << loss.name;
            EXPECT_GT(worst_difference(entries, 1.04), 0.02) << loss.name << ": a gradient 4% too large";
        }
    }
}

TEST(Preference, KeptLowerStatesChangeNothing) {
    const LoraAdapter lora = testing::moved_lora();
    ASSERT_GT(lora.first_block(), 0);
    auto pairs = some_pairs();
    const PairLoss& dpo = pair_loss("dpo");
    preference_gradients(tiny_decoder(), lora, pairs, dpo, {}, still);
    const auto without = take_gradients(lora.tensors());
    for (PreferencePair& pair : pairs) {
        const auto facts = reference_facts(tiny_decoder(), std::array{pair.chosen, pair.rejected},
                                           lora.first_block(), 1, Want::lower_only, still);
        pair.chosen_lower = facts[0].lower;
        pair.rejected_lower = facts[1].lower;
    }
    preference_gradients(tiny_decoder(), lora, pairs, dpo, {}, still);
    EXPECT_LT(testing::relative_difference(take_gradients(lora.tensors()), without), 1e-6);
    pairs[0].chosen_lower = pairs[0].chosen_lower * 1.01;
    preference_gradients(tiny_decoder(), lora, pairs, dpo, {}, still);
    EXPECT_GT(testing::relative_difference(take_gradients(lora.tensors()), without), 1e-6) << "they are read";

    FullWeights full = FullWeights::of(tiny_decoder());  // its own embedding: nothing kept is right
    full.require_grad(true);
    preference_gradients(tiny_decoder(), full, pairs, dpo, {}, still);
    const auto with_wrong = take_gradients(full.tensors());
    preference_gradients(tiny_decoder(), full, some_pairs(), dpo, {}, still);
    EXPECT_EQ(testing::relative_difference(with_wrong, take_gradients(full.tensors())), 0);
}

// At the reference the implicit rewards are 0 and DPO's loss log 2.
TEST(Preference, MetricsAtTheReference) {
    FullWeights full = FullWeights::of(tiny_decoder());
    full.require_grad(true);
    const auto pairs = some_pairs();
    const Metrics metrics = preference_gradients(tiny_decoder(), full, pairs, pair_loss("dpo"), {}, still);
    EXPECT_NEAR(metrics.at("loss/policy"), std::log(2), 1e-4);
    EXPECT_NEAR(metrics.at("rewards/margin"), 0, 1e-4);
    EXPECT_NEAR(metrics.at("logps/chosen"), (pairs[0].reference_chosen + pairs[1].reference_chosen) / 2,
                1e-2);
    EXPECT_NEAR(metrics.at("logps/rejected"), (pairs[0].reference_rejected + pairs[1].reference_rejected) / 2,
                1e-2);
}

TEST(Preference, DegeneratePairs) {
    const LoraAdapter lora = testing::moved_lora();
    EXPECT_TRUE(preference_gradients(tiny_decoder(), lora, {}, pair_loss("dpo"), {}, still).empty());
    auto pairs = some_pairs();
    pairs[1].chosen = join({5, 6, 7}, {2});  // EOS alone
    for (const PairLoss& loss : pair_losses()) {
        const Metrics metrics = preference_gradients(tiny_decoder(), lora, pairs, loss, {}, still);
        EXPECT_TRUE(std::isfinite(metrics.at("loss/policy"))) << loss.name;
        EXPECT_TRUE(std::isfinite(testing::size_of(take_gradients(lora.tensors())))) << loss.name;
    }
    pairs[1].chosen = join({5, 6, 7}, {});
    EXPECT_THROW(preference_gradients(tiny_decoder(), lora, pairs, pair_loss("dpo"), {}, still), Error);
    EXPECT_EQ(testing::size_of(take_gradients(lora.tensors())), 0) << "nothing of the batch was learned";
    pairs = some_pairs();
    pairs[0].reference_chosen = NAN;
    EXPECT_THROW(preference_gradients(tiny_decoder(), lora, pairs, pair_loss("dpo"), {}, still), NonFinite);
    EXPECT_EQ(testing::size_of(take_gradients(lora.tensors())), 0);
}

}  // namespace
}  // namespace plumbline
