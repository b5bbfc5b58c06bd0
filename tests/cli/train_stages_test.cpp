// train STAGE for every stage, its stop and resume, and what a guard leaves.

#include <csignal>

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class TrainStages : public CommandLine {
  protected:
    /// A training of two steps on `data`.
    Words command(const std::string& stage, const std::string& data, const std::string& out,
                  Words more = {}) const {
        Words words = {"train",    stage,          model_,      "--data",  data,       "--out",
                       out,        "--json",       "--config",  "lr=0.01", "--config", "steps=2",
                       "--config", "batch_size=2", "--threads", "1"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    std::vector<json> train(const Words& words) const {
        const ProcessResult result = run(words);
        EXPECT_EQ(result.exit_code, 0) << result.err;
        return json_lines(result.out);
    }
    static void expect_metrics(const std::vector<json>& rows, const std::vector<const char*>& metrics) {
        ASSERT_EQ(rows.size(), 3U) << "two steps and the summary";
        for (const char* metric : metrics) {
            ASSERT_TRUE(rows[0].contains(metric)) << metric << " in " << rows[0];
            EXPECT_TRUE(rows[0].at(metric).is_number()) << metric;
        }
        EXPECT_EQ(rows.back().at("summary").at("steps"), 2);
    }
    static std::string bytes(const std::filesystem::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    const Words samples_ = {
        "--reward", "length(3) + 0.5*keyword(e)", "--config", "max_new_tokens=6", "--config", "group_size=2"};
};

TEST_F(TrainStages, PairsTrainEveryDirectLoss) {
    const std::string pairs = write_pairs();
    for (const std::string stage : {"ipo", "cdpo", "robust-dpo", "hinge", "orpo", "simpo"}) {
        const std::string out = (folder_ / stage).string();
        expect_metrics(train(command(stage, pairs, out)),
                       {"loss/policy", "rewards/chosen", "rewards/rejected", "rewards/margin",
                        "rewards/accuracy", "logps/chosen", "logps/rejected", "grad_norm", "lr"});
        EXPECT_EQ(names_in(out), (Words{"adapter_config.json", "adapter_model.safetensors"})) << stage;
    }
}

TEST_F(TrainStages, DemonstrationsAndLabelledRepliesTrain) {
    const std::string demonstrations = write("d.jsonl", R"({"prompt":"a","completion":"b"})"
                                                        "\n"
                                                        R"({"prompt":"a","response":"c"})"
                                                        "\n"
                                                        R"({"prompt":"a"})"
                                                        "\n");
    const auto sft = train(command("sft", demonstrations, (folder_ / "sft").string()));
    expect_metrics(sft, {"loss/policy", "tokens/response_length"});
    EXPECT_EQ(sft.back().at("summary").at("skipped").size(), 1U);
    const std::string labelled = write("l.jsonl", R"({"prompt":"a","completion":"b","label":true})"
                                                  "\n"
                                                  R"({"prompt":"a","completion":"c","label":false})"
                                                  "\n");
    expect_metrics(train(command("kto", labelled, (folder_ / "kto").string())),
                   {"loss/policy", "objective/kl"});
}

TEST_F(TrainStages, RuleRewardsTrainEveryPolicyGradientWithoutClicks) {
    const std::string prompts = write("prompts.txt", "Why?\nWho?\nHow?\n");
    for (const std::string stage : {"reinforce", "rloo", "grpo", "ppo"}) {
        expect_metrics(train(command(stage, prompts, (folder_ / stage).string(), samples_)),
                       {"objective/kl", "objective/entropy", "objective/score", "objective/rlhf_reward",
                        "tokens/eos_rate", "tokens/response_length", "reward/part/length",
                        "reward/part/keyword", "loss/policy", "policy/ratio"});
    }
    const auto ppo = train(command("ppo", prompts, (folder_ / "again").string(), samples_));
    expect_metrics(ppo, {"policy/approxkl", "policy/clipfrac", "loss/value", "value/explained_variance"});
}

TEST_F(TrainStages, AModelFileTrainsEveryWeightAndIsAModel) {
    const std::string out = (folder_ / "trained.gguf").string();
    train(command("dpo", write_pairs(), out));
    const auto info = json_lines(run({"info", out, "--json"}).out);
    ASSERT_EQ(info.size(), 1U);
    EXPECT_EQ(info[0].at("parameters"),
              json_lines(run({"info", model_, "--json"}).out).at(0).at("parameters"));
    EXPECT_EQ(run({"generate", out, "--prompt", "a", "--json"}).exit_code, 0);
}

TEST_F(TrainStages, AnInterruptedTrainingGoesOnToTheSameWeights) {
    const std::string pairs = write_pairs(), part = (folder_ / "part").string();
    const Words endless = {"--config", "steps=100000"};
    ChildProcess child(setup(command("dpo", pairs, part, endless)));
    ASSERT_TRUE(child.reads("\"step\":2,")) << "it never trained";
    child.send(SIGINT);
    const ProcessResult stopped = child.wait(std::chrono::seconds(30));
    EXPECT_EQ(stopped.exit_code, 130);
    EXPECT_NE(stopped.err.find("--resume"), std::string::npos) << stopped.err;
    EXPECT_EQ(names_in(part), (Words{"training_state.json", "training_state.safetensors"}));
    const int done = json::parse(bytes(folder_ / "part" / "training_state.json")).at("steps").get<int>();
    ASSERT_GE(done, 2);

    // The rest takes its settings from the state, but for the one that is given.
    const std::string steps = "steps=" + std::to_string(done + 3);
    const ProcessResult rest = run({"train", "dpo", model_, "--data", pairs, "--out", part, "--resume",
                                    "--config", steps, "--threads", "1", "--json"});
    ASSERT_EQ(rest.exit_code, 0) << rest.err;
    const json summary = json_lines(rest.out).back().at("summary");
    EXPECT_EQ(summary.at("resumed_from"), done);
    EXPECT_EQ(summary.at("changed"), json({{"steps", {"100000", std::to_string(done + 3)}}}));
    EXPECT_NE(rest.err.find("changed: steps was '100000'"), std::string::npos) << rest.err;
    const std::string whole = (folder_ / "whole").string();
    train(command("dpo", pairs, whole, {"--config", steps}));
    EXPECT_EQ(bytes(folder_ / "part" / "adapter_model.safetensors"),
              bytes(folder_ / "whole" / "adapter_model.safetensors"));
}

TEST_F(TrainStages, WhatCannotBeResumedSaysWhy) {
    const std::string pairs = write_pairs(), out = (folder_ / "out").string();
    const ProcessResult none = run(command("dpo", pairs, out, {"--resume", "--quiet"}));
    EXPECT_EQ(none.exit_code, 1);
    expect_error_form(none);
    train(command("dpo", pairs, out, {"--checkpoint-every", "1"}));
    EXPECT_EQ(names_in(out).size(), 4U);
    const ProcessResult other = run(command("ipo", pairs, out, {"--resume", "--quiet"}));
    EXPECT_EQ(other.exit_code, 2);
    EXPECT_NE(other.err.find("train dpo"), std::string::npos) << other.err;
    write("out/training_state.safetensors", "damaged");
    const ProcessResult damaged = run(command("dpo", pairs, out, {"--resume", "--quiet"}));
    EXPECT_EQ(damaged.exit_code, 1);
    expect_error_form(damaged);
}

TEST_F(TrainStages, EmptyAndUnfitDataAreRefused) {
    const std::string empty = write("empty.jsonl", "");
    const std::string single = write("single.jsonl", R"({"prompt":"a","completion":"b","label":true})");
    const std::string out = (folder_ / "out").string();
    for (const std::string stage : {"sft", "reward", "dpo", "kto", "simpo"}) {
        const ProcessResult result = run(command(stage, empty, out, {"--quiet"}));
        EXPECT_EQ(result.exit_code, 1) << stage;
        expect_error_form(result);
    }
    const ProcessResult prompts = run(command("grpo", empty, out, {"--quiet", "--reward", "length(3)"}));
    EXPECT_EQ(prompts.exit_code, 1);
    expect_error_form(prompts);
    const ProcessResult pairless = run(command("dpo", single, out, {"--quiet"}));
    EXPECT_EQ(pairless.exit_code, 1);
    EXPECT_NE(pairless.err.find("no pair"), std::string::npos) << pairless.err;
    EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(TrainStages, PeopleSeeATableAndTheGuardsWords) {
    const std::string prompts = write("prompts.txt", "Why?\nWho?\n");
    const ProcessResult result =
        run({"train", "rloo", model_, "--data", prompts, "--out", (folder_ / "out").string(), "--reward",
             "length(3)", "--config", "max_new_tokens=6", "--config", "lr=0.1", "--config", "steps=40",
             "--config", "kl_stop=0.1", "--threads", "1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("objective/score"), std::string::npos) << result.out;
    EXPECT_NE(result.err.find("stopped by a guard: the KL from the reference reached"), std::string::npos)
        << result.err;
}

}  // namespace
}  // namespace plumbline::testing
