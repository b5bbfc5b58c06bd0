// train: adapters that come out can be read again and do what they were trained for.

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using nlohmann::json;

class Train : public CommandLine {
  protected:
    std::vector<json> train(const std::string& stage, const std::string& data, const std::string& out,
                            std::vector<std::string> more = {}) const {
        std::vector<std::string> words = {"train",   stage,       model_,   "--data",  data,
                                          "--out",   out,         "--json", "--quiet", "--config",
                                          "lr=0.01", "--threads", "1"};
        words.insert(words.end(), more.begin(), more.end());
        const ProcessResult result = run(words);
        EXPECT_EQ(result.exit_code, 0) << result.err;
        EXPECT_EQ(result.err, "") << "--quiet";
        return json_lines(result.out);
    }
    /// The sums of the pairs' chosen and rejected responses, in the file's order.
    std::vector<double> sums(const std::string& field, const std::string& command, const std::string& answer,
                             const std::string& adapter) const {
        std::string requests;
        for (int i = 0; i < 12; ++i) {
            const std::string number = std::to_string(i);
            const std::string text =
                field == "chosen" ? "Yes " + number : "That is a long story, number " + number;
            requests +=
                json{{"prompt", "Question " + number + "?"}, {"response", text + "<|im_end|>"}}.dump() + "\n";
        }
        std::vector<std::string> words = {command,  model_,    "--jsonl",   "-",
                                          "--json", "--quiet", "--threads", "1"};
        if (!adapter.empty()) {
            words.insert(words.end(), {"--adapter", adapter});
        }
        std::vector<double> out;
        for (const json& row : json_lines(run(words, requests).out)) {
            out.push_back(row.at(answer).get<double>());
        }
        EXPECT_EQ(out.size(), 12U);
        return out;
    }
};

TEST_F(Train, DpoRaisesTheChosenOverTheRejected) {
    const std::string out = (folder_ / "adapter").string();
    const auto rows =
        train("dpo", write_pairs(), out, {"--config", "epochs=3", "--config", "lora_first_block=0"});
    ASSERT_EQ(rows.size(), 10U) << "12 pairs, 4 a step, 3 epochs, and the summary";
    for (int step = 1; step <= 9; ++step) {
        EXPECT_EQ(rows[step - 1].at("step"), step);
        for (const char* metric : {"loss/policy", "rewards/chosen", "rewards/rejected", "rewards/margin",
                                   "rewards/accuracy", "logps/chosen", "logps/rejected"}) {
            EXPECT_TRUE(rows[step - 1].at(metric).is_number()) << metric;
        }
    }
    const json summary = rows.back().at("summary");
    EXPECT_EQ(summary.at("steps"), 9);
    EXPECT_EQ(summary.at("out"), out);
    EXPECT_EQ(summary.at("skipped"), json::array());
    EXPECT_EQ(names_in(out), (std::vector<std::string>{"adapter_config.json", "adapter_model.safetensors"}));

    const auto chosen = sums("chosen", "logprobs", "sum", ""),
               rejected = sums("rejected", "logprobs", "sum", "");
    const auto chosen_after = sums("chosen", "logprobs", "sum", out);
    const auto rejected_after = sums("rejected", "logprobs", "sum", out);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_GT((chosen_after.at(i) - chosen[i]) - (rejected_after.at(i) - rejected.at(i)), 0)
            << "pair " << i;
    }
    // A second run from there begins with the policy that the first one ended with, as its own reference.
    const auto more = train("dpo", write_pairs(), (folder_ / "more").string(), {"--init-adapter", out});
    const auto gap = [](const json& row) {
        return row.at("logps/chosen").get<double>() - row.at("logps/rejected").get<double>();
    };
    EXPECT_GT(gap(more.front()), gap(rows.front())) << "the same seed: the same first batch";
    // But for rounding: the policy reads a prompt once for both replies, its reference once for each.
    EXPECT_NEAR(more.front().at("rewards/margin").get<double>(), 0, 1e-5);
    EXPECT_GT(std::abs(rows[rows.size() - 2].at("rewards/margin").get<double>()), 1e-5) << "what a step moves is seen";
}

TEST_F(Train, RewardModelPrefersTheChosen) {
    const std::string out = (folder_ / "reward").string();
    const auto rows =
        train("reward", write_pairs(), out, {"--config", "epochs=6", "--config", "lora_first_block=0"});
    ASSERT_EQ(rows.size(), 19U);
    EXPECT_TRUE(rows.front().at("loss/reward").is_number());
    EXPECT_TRUE(rows.back().contains("summary"));
    const auto chosen = sums("chosen", "reward", "reward", out),
               rejected = sums("rejected", "reward", "reward", out);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        EXPECT_GT(chosen[i], rejected.at(i)) << "pair " << i;
    }
    const auto scored = json_lines(run({"reward", model_, "--adapter", out, "--jsonl", "-", "--json"},
                                       R"({"prompt_ids":[1],"response_ids":[70,71,72]})")
                                       .out);
    ASSERT_EQ(scored.size(), 1U);
    ASSERT_EQ(scored[0].at("token_rewards").size(), 3U);
    EXPECT_EQ(scored[0].at("reward"), scored[0].at("token_rewards").back());
}

TEST_F(Train, RlooTrainsOnItsOwnReplies) {
    const std::string reward = (folder_ / "reward").string(), out = (folder_ / "policy").string();
    train("reward", write_pairs(), reward);
    const auto rows = train("rloo", write_pairs(), out,
                            {"--reward-adapter", reward, "--config", "steps=2", "--config", "batch_size=2",
                             "--config", "group_size=3", "--config", "max_new_tokens=8"});
    ASSERT_EQ(rows.size(), 3U);
    for (const char* metric : {"objective/score", "objective/kl", "objective/rlhf_reward", "tokens/eos_rate",
                               "tokens/response_length", "policy/ratio"}) {
        EXPECT_TRUE(rows[0].at(metric).is_number()) << metric;
    }
    EXPECT_EQ(run({"generate", model_, "--prompt", "a", "--adapter", out, "--json"}).exit_code, 0);
}

TEST_F(Train, TheSameSeedGivesTheSameAdapter) {
    const auto bytes = [](const std::filesystem::path& file) {
        std::ifstream stream(file, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(stream), {});
    };
    const std::string pairs = write_pairs();
    const auto weights = [&](const std::string& name, std::vector<std::string> more) {
        train("dpo", pairs, (folder_ / name).string(), std::move(more));
        return bytes(folder_ / name / "adapter_model.safetensors");
    };
    const std::string first = weights("a", {"--seed", "3"});
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(weights("b", {"--seed", "3"}), first);
    EXPECT_EQ(weights("c", {"--config", "seed=3"}), first) << "--seed is the setting's shorthand";
    EXPECT_NE(weights("d", {"--seed", "4"}), first);
}

TEST_F(Train, BadRowsAreSkippedAndReported) {
    const std::string data = write("mixed.jsonl",
                                   "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n"
                                   "not JSON\n"
                                   "{\"prompt\":\"a\",\"chosen\":\"b\"}\n"
                                   "{\"prompt\":\"d\",\"chosen\":\"e\",\"rejected\":\"f\"}\n");
    const auto rows = train("dpo", data, (folder_ / "out").string());
    ASSERT_EQ(rows.size(), 2U);
    const json skipped = rows.back().at("summary").at("skipped");
    ASSERT_EQ(skipped.size(), 2U);
    EXPECT_TRUE(skipped[0].get<std::string>().starts_with("line 2: ")) << skipped[0];
    EXPECT_TRUE(skipped[1].get<std::string>().starts_with("line 3: ")) << skipped[1];

    const ProcessResult people =
        run({"train", "dpo", model_, "--data", data, "--out", (folder_ / "out2").string()});
    EXPECT_NE(people.err.find("skipped: line 2: "), std::string::npos) << people.err;
    EXPECT_NE(people.out.find("loss/policy"), std::string::npos) << people.out;
    EXPECT_NE(people.out.find("Trained 1 step, 2 rows skipped"), std::string::npos) << people.out;
}

TEST_F(Train, AdaptersOfAnotherModelAreRefused) {
    TinySizes wide;
    wide.hidden = 48;
    wide.head_dim = 12;
    const std::string other = (folder_ / "wide.gguf").string(), out = (folder_ / "adapter").string();
    tiny_model(5, wide).write(other);
    train("dpo", write_pairs(), out);
    const ProcessResult result = run({"generate", other, "--prompt", "a", "--adapter", out});
    EXPECT_EQ(result.exit_code, 1);
    expect_error_form(result);
    const ProcessResult no_head =
        run({"reward", model_, "--adapter", out, "--jsonl", "-"}, R"({"prompt":"a","response":"b"})");
    EXPECT_EQ(no_head.exit_code, 1) << "a policy is no reward model";
    expect_error_form(no_head);
}

}  // namespace
}  // namespace plumbline::testing
