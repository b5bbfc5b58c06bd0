// The first ten losses of TRL's trainers from the same adapter, data and settings, within 1%.

#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/peft.h"
#include "tests/support/golden_file.h"
#include "tests/support/golden_run.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::golden_json;
using testing::golden_path;
using testing::golden_run;

double worst_relative(const std::vector<StepMetrics>& ours, const nlohmann::json& theirs, const char* our_name, const char* their_name) {
    double worst = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const double expected = theirs.at(i).at(their_name).get<double>();
        worst = std::max(worst, std::abs(ours[i].values.at(our_name) - expected) / std::max(std::abs(expected), 1e-3));
    }
    return worst;
}

TEST(TrlParity, DpoTakesTheSameTenSteps) {
    const testing::TempFolder folder;
    const auto golden = golden_json("tiny_dpo.json").at("reference_initial_adapter");
    const auto steps = golden_run(DpoConfig{}, "tiny_adapter", folder / "dpo");
    ASSERT_EQ(steps.size(), 10u);
    EXPECT_LT(worst_relative(steps, golden, "loss/policy", "loss"), 0.01);
    EXPECT_LT(worst_relative(steps, golden, "grad_norm", "grad_norm"), 0.02);
    EXPECT_LT(worst_relative(steps, golden, "logps/chosen", "logps/chosen"), 0.01);
    EXPECT_EQ(read_peft(folder / "dpo").rank, 8);
    DpoConfig other;
    other.beta = 0.12;
    EXPECT_GT(worst_relative(golden_run(other, "tiny_adapter", folder / "other"), golden, "loss/policy", "loss"), 0.01)
        << "a slightly other beta is told apart";
}

TEST(TrlParity, RewardModelTakesTheSameTenSteps) {
    const testing::TempFolder folder;
    const auto golden = golden_json("tiny_reward.json").at("steps");
    const auto steps = golden_run(RewardConfig{}, "tiny_reward_adapter", folder / "reward");
    ASSERT_EQ(steps.size(), 10u);
    EXPECT_LT(worst_relative(steps, golden, "loss/reward", "loss"), 0.01);
    EXPECT_FALSE(read_peft(folder / "reward").saved.empty());
    RewardConfig other;
    other.center = 0.05;
    EXPECT_GT(worst_relative(golden_run(other, "tiny_reward_adapter", folder / "other"), golden, "loss/reward", "loss"), 0.01);
}

TEST(TrlParity, RewardScoresEqualTransformers) {
    const auto golden = golden_json("tiny_reward.json").at("scores");
    const auto rows = golden_json("tiny_logprobs.json").at("rows");
    std::vector<ScoreRequest> requests;
    for (const auto& row : rows) {
        requests.push_back({row.at("prompt_ids").get<std::vector<int>>(), row.at("response_ids").get<std::vector<int>>()});
    }
    EngineOptions options;
    options.threads = 1;
    const auto ours = rewards(golden_path("tiny_llama.gguf").string(), golden_path("tiny_reward_adapter").string(), requests, options, {});
    for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_NEAR(ours[i].reward, golden.at(i).at("reward").get<double>(), 1e-4);
        for (std::size_t t = 0; t < ours[i].token_rewards.size(); ++t) {
            EXPECT_NEAR(ours[i].token_rewards[t], golden.at(i).at("token_rewards").at(t).get<double>(), 1e-4);
        }
    }
}

TEST(Training, RefusesWhatCannotBeTrained) {
    const testing::TempFolder folder;
    RlooConfig rloo;
    EXPECT_THROW(golden_run(rloo, "tiny_adapter", folder / "x"), ConfigError) << "there is no reward model";
    DpoConfig narrow;
    narrow.max_length = 8;   // every row is longer
    EXPECT_THROW(golden_run(narrow, "tiny_adapter", folder / "x"), Error);
    DpoConfig wrong;
    wrong.beta = -1;
    EXPECT_THROW(golden_run(wrong, "tiny_adapter", folder / "x"), ConfigError);
    EXPECT_FALSE(std::filesystem::exists(folder / "x")) << "nothing is written";
}

}  // namespace
}  // namespace plumbline
