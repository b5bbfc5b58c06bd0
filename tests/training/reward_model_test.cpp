#include "core/training/reward_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "core/formats/peft.h"
#include "core/training/adamw.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_model;
using testing::golden_path;
using testing::still;

const Decoder& decoder() {
    return golden_model().decoder();
}

RewardModel golden_reward() {
    RewardModel model = RewardModel::read(decoder().config(), golden_path("tiny_reward_adapter"));
    model.require_grad(true);
    return model;
}

std::vector<Sequence> golden_replies() {
    std::vector<Sequence> out;
    const auto golden = testing::golden_json("tiny_logprobs.json");
    for (const auto& row : golden.at("rows")) {
        out.push_back(testing::golden_sequence(row));
    }
    return out;
}

double reward(const RewardModel& model, const Sequence& sequence) {
    at::NoGradGuard no_grad;
    return token_rewards(decoder(), model, pack({&sequence, 1}), still)[-1].item<double>();
}

std::vector<double> rewards(const RewardModel& model) {
    std::vector<double> out;
    for (const Sequence& sequence : golden_replies()) {
        out.push_back(reward(model, sequence));
    }
    return out;
}

double softplus(double x) {
    return std::log1p(std::exp(x));
}

double loss_of(const RewardModel& model, const RewardRow& row, const RewardLossSettings& settings) {
    return reward_gradients(decoder(), model, std::span(&row, 1), settings, still).at("loss/reward");
}

// Each loss from the rewards that the model gives, by its formula.
TEST(RewardModel, LossesAreTheirFormulasOfTheRewards) {
    const RewardModel model = golden_reward();
    const auto s = golden_replies();
    const double a = reward(model, s[0]), b = reward(model, s[1]), c = reward(model, s[2]);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1]}, 1, false, 0.7}, {}), softplus(-(a - b - 0.7)), 1e-5);
    EXPECT_GT(std::abs(loss_of(model, {{s[0], s[1]}, 1, false, 0.701}, {}) - softplus(-(a - b - 0.7))), 1e-5);
    const double theta = 1.7;
    const double wins = std::exp(a) / (std::exp(a) + theta * std::exp(b)),
                 loses = std::exp(b) / (std::exp(b) + theta * std::exp(a));
    EXPECT_NEAR(loss_of(model, {{s[0], s[1]}, 1, false, 0}, {0, theta}), -std::log(wins), 1e-5);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1]}, 1, true, 0}, {0, theta}), -std::log(1 - wins - loses), 1e-5);
    EXPECT_GT(
        std::abs(loss_of(model, {{s[0], s[1]}, 1, true, 0}, {0, 1.001 * theta}) + std::log(1 - wins - loses)),
        1e-5);
    const double best = std::log(std::exp(a) + std::exp(b) + std::exp(c)) - a, second = softplus(c - b);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1], s[2]}, 1, false, 0}, {}), best, 1e-5);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1], s[2]}, 2, false, 0}, {}), best + second, 1e-5);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1], s[2]}, 3, false, 0}, {}), best + second, 1e-5);
    const double sum = a + b + c;
    EXPECT_NEAR(loss_of(model, {{s[0], s[1], s[2]}, 1, false, 0}, {0.1, 1}), best + 0.1 * 4 / 9 * sum * sum,
                1e-4);
    EXPECT_NEAR(loss_of(model, {{s[0], s[1]}, 1, true, 0}, {0.1, theta}),
                -std::log(1 - wins - loses) + 0.1 * (a + b) * (a + b), 1e-4);
}

std::vector<RewardRow> mixed_rows() {
    const auto s = golden_replies();
    return {
        {{s[0], s[1]}, 1, false, 0.5}, {{s[2], s[3]}, 1, true, 0}, {{s[0], s[1], s[3], s[2]}, 2, false, 0}};
}

// In the head's own direction the gradient's length is the slope, by central differences: 1% in float.
TEST(RewardModel, MixedRowsHaveTheGradientOfFiniteDifferences) {
    RewardModel model = golden_reward();
    const RewardLossSettings settings{0.01, 2};
    reward_gradients(decoder(), model, mixed_rows(), settings, still);
    std::vector<Tensor> gradients;
    double square = 0;
    for (const Tensor& t : model.tensors()) {
        gradients.push_back(t.grad().clone());
        square += gradients.back().square().sum().item<double>();
    }
    const double h = 1e-2 / std::sqrt(square);
    const auto loss_at = [&](double step) {
        RewardModel moved = golden_reward();
        {
            at::NoGradGuard no_grad;
            const auto tensors = moved.tensors();
            for (std::size_t i = 0; i < tensors.size(); ++i) {
                Tensor(tensors[i]).add_(gradients[i], step);
            }
        }
        return reward_gradients(decoder(), moved, mixed_rows(), settings, still).at("loss/reward");
    };
    const double slope = (loss_at(h) - loss_at(-h)) / (2 * h);
    EXPECT_NEAR(slope / square, 1, 0.01);
    EXPECT_GT(std::abs(slope / (1.02 * square) - 1), 0.01);
}

TEST(RewardModel, LearnsMixedRowsAndReportsThem) {
    RewardModel model = golden_reward();
    AdamW optimizer(model.tensors(), model.tensor_names());
    const RewardLossSettings settings{0, 2};
    const Metrics first = reward_gradients(decoder(), model, mixed_rows(), settings, still);
    Metrics last = first;
    for (int step = 0; step < 15; ++step) {
        optimizer.step(1e-2, 0, 1);
        last = reward_gradients(decoder(), model, mixed_rows(), settings, still);
    }
    // The tie alone costs no less than -log((theta - 1) / (theta + 1)) = log 3, a third of the mean.
    EXPECT_LT(last.at("loss/reward"), first.at("loss/reward"));
    EXPECT_GE(last.at("loss/reward"), std::log(3.0) / 3);
    EXPECT_GT(last.at("reward/accuracy"), 0.8) << "of one and five stated pairs";
    EXPECT_LE(last.at("reward/min"), last.at("reward/mean"));
    EXPECT_LE(last.at("reward/mean"), last.at("reward/max"));
    EXPECT_FALSE(reward_gradients(decoder(), model, std::vector<RewardRow>{mixed_rows()[1]}, settings, still)
                     .contains("reward/accuracy"))
        << "a tie states no order";
    EXPECT_TRUE(reward_gradients(decoder(), model, std::vector<RewardRow>{}, settings, still).empty());
}

/// The worst relative difference of ten steps' losses from those of TRL's trainer, margins times `factor`.
double worst_against_trl(double factor) {
    const auto golden = testing::golden_json("tiny_reward_margin.json");
    const auto margins = golden.at("margins").get<std::vector<double>>();
    std::vector<RewardRow> rows;
    std::ifstream file(golden_path("tiny_pairs.jsonl"));
    for (std::string line; std::getline(file, line);) {
        const auto pair = nlohmann::json::parse(line);
        const std::vector<int> prompt = golden_model().plain_prompt(pair.at("prompt"));
        const auto reply = [&](const char* which) {
            std::vector<int> ids =
                golden_model().tokenizer().encode(pair.at(which).get<std::string>(), SpecialTokens::parse);
            ids.push_back(golden_model().tokenizer().eos());
            return join(prompt, ids);
        };
        rows.push_back({{reply("chosen"), reply("rejected")}, 1, false, factor * margins.at(rows.size())});
    }
    RewardModel model = golden_reward();
    AdamW optimizer(model.tensors(), model.tensor_names());
    const RewardLossSettings settings{golden.at("center"), 1};
    double worst = 0;
    for (std::size_t step = 0; step < golden.at("steps").size(); ++step) {
        const auto batch = std::span(rows).subspan(4 * step % rows.size(), 4);
        const double loss = reward_gradients(decoder(), model, batch, settings, still).at("loss/reward");
        const double expected = golden.at("steps").at(step).at("loss");
        worst = std::max(worst, std::abs(loss / expected - 1));
        optimizer.step(golden.at("lr"), 0, 1);
    }
    return worst;
}

TEST(RewardModel, TakesTrlsStepsWithMarginsAndCentring) {
    EXPECT_LT(worst_against_trl(1), 0.01);
    EXPECT_GT(worst_against_trl(1.05), 0.01) << "slightly other margins are told apart";
}

TEST(RewardModel, RefusesRowsThatSayNothing) {
    const RewardModel model = golden_reward();
    const auto s = golden_replies();
    Sequence empty = s[0];
    empty.ids.resize(empty.prompt_length);
    const auto refused = [&](const RewardRow& row, const std::string& what,
                             const RewardLossSettings& settings = {}) {
        try {
            loss_of(model, row, settings);
            ADD_FAILURE() << "accepted: " << what;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
        }
    };
    refused({{s[0]}, 1, false, 0}, "has 1 replies");
    refused({{s[0], s[1]}, 3, false, 0}, "ranked 3");
    refused({{s[0], s[1], s[2]}, 0, false, 0}, "ranked 0");
    refused({{s[0], empty}, 1, false, 0}, "no tokens");
    refused({{s[0], s[1], s[2]}, 1, true, 0}, "a tie of 3");
    refused({{s[0], s[1]}, 1, true, 0}, "tie_threshold 1");
    EXPECT_FALSE(model.head.grad().defined()) << "nothing was added";
}

TEST(RewardModel, NormalisesToMeanZeroAndDeviationOne) {
    RewardModel model = golden_reward();
    const std::vector<double> before = rewards(model);
    model.normalise(before);
    const std::vector<double> after = rewards(model);
    double mean = 0, square = 0;
    for (const double r : after) {
        mean += r / static_cast<double>(after.size());
        square += r * r / static_cast<double>(after.size());
    }
    EXPECT_NEAR(mean, 0, 1e-5);
    EXPECT_NEAR(square, 1, 1e-5);
    EXPECT_NEAR((after[0] - after[1]) * (before[2] - before[3]),
                (after[2] - after[3]) * (before[0] - before[1]), 1e-4)
        << "one gain for all";
    std::vector<double> shifted = after;
    for (double& r : shifted) {
        r += 0.5;
    }
    model.normalise(shifted);  // again, on other samples: gain and bias add up
    EXPECT_NEAR(reward(model, golden_replies()[0]), after[0] - 0.5, 1e-5);

    EXPECT_THROW(model.normalise(std::vector<double>{1}), Error);
    EXPECT_THROW(model.normalise(std::vector<double>{2, 2, 2}), Error);
    EXPECT_THROW(model.normalise(std::vector<double>{2, NAN}), Error);
    EXPECT_NEAR(reward(model, golden_replies()[0]), after[0] - 0.5, 1e-5) << "as it was";
}

TEST(RewardModel, KeepsItsScaleInTheFolder) {
    const testing::TempFolder folder;
    RewardModel model = golden_reward();
    model.write(folder / "plain", "tiny");
    EXPECT_FALSE(std::filesystem::exists(folder / "plain" / "reward_scale.json"));
    const std::vector<double> plain = rewards(model);
    model.normalise(plain);
    const std::vector<double> scaled = rewards(model);
    model.write(folder / "plain", "tiny");
    const RewardModel again = RewardModel::read(decoder().config(), folder / "plain");
    const std::vector<double> read = rewards(again);
    for (std::size_t i = 0; i < read.size(); ++i) {
        EXPECT_NEAR(read[i], scaled[i], 1e-6);
    }
    EXPECT_EQ(read_peft(folder / "plain").saved.size(), 1u) << "peft sees score.weight only";
    RewardModel unscaled = again;
    unscaled.bias = 0;
    unscaled.write(folder / "plain", "tiny");
    EXPECT_FALSE(std::filesystem::exists(folder / "plain" / "reward_scale.json"))
        << "the old scale does not stay behind";

    for (const char* text : {"{}", "not json", "{\"bias\": \"0.5\"}", "[1]"}) {
        std::ofstream(folder / "plain" / "reward_scale.json") << text;
        EXPECT_THROW(RewardModel::read(decoder().config(), folder / "plain"), Error) << text;
    }
}

}  // namespace
}  // namespace plumbline
