// train pretrain.

#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

class PretrainCommand : public CommandLine {
  protected:
    std::vector<std::string> command(std::vector<std::string> more) const {
        std::string corpus;
        for (int i = 0; i < 12; ++i) corpus += "{\"prompt\":\"Hi\",\"response\":\"Hello there.\"}\n";
        std::vector<std::string> out = {"train",  "pretrain",
                                        "--data", write("corpus.jsonl", corpus + "{}\n"),
                                        "--out",  (folder_ / "new.gguf").string()};
        for (const char* setting : {"hidden=16", "layers=1", "heads=2", "kv_heads=1", "mlp=16",
                                    "vocabulary=270", "steps=4", "batch_size=4", "warmup_steps=0"}) {
            out.insert(out.end(), {"--config", setting});
        }
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
};

TEST_F(PretrainCommand, WritesAModelThatOtherCommandsTake) {
    const ProcessResult result = run(command({"mine", "--json", "--quiet", "--threads", "1"}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto rows = json_lines(result.out);
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_EQ(rows[3].at("step"), 4);
    EXPECT_GT(rows[3].at("loss/next_token").get<double>(), 0);
    const nlohmann::json& summary = rows[4].at("summary");
    EXPECT_EQ(summary.at("steps"), 4);
    EXPECT_EQ(summary.at("out"), (folder_ / "new.gguf").string());
    ASSERT_EQ(summary.at("skipped").size(), 1U);
    EXPECT_EQ(summary.at("skipped")[0].get<std::string>().rfind("line 13: ", 0), 0U);

    const auto info = json_lines(run({"info", (folder_ / "new.gguf").string(), "--json"}).out);
    ASSERT_EQ(info.size(), 1U);
    EXPECT_EQ(info[0].at("parameters"), summary.at("parameters"));
    EXPECT_EQ(info[0].at("vocab"), summary.at("vocab"));
    EXPECT_EQ(info[0].at("template"), "turns");
    const auto ids =
        json_lines(run({"tokenize", (folder_ / "new.gguf").string(), "--text", "Hello", "--json"}).out);
    EXPECT_EQ(ids.at(0).at("text"), "Hello");
}

TEST_F(PretrainCommand, NeedsNoModelAndListsItsSettings) {
    EXPECT_EQ(run(command({"--quiet", "--threads", "1"})).exit_code, 0);
    const ProcessResult help = run({"train", "pretrain", "--help"});
    EXPECT_EQ(help.exit_code, 0);
    for (const char* key :
         {"vocabulary", "hidden", "adam_beta2", "lr_floor", "heldout_share", "261..65536"}) {
        EXPECT_NE(help.out.find(key), std::string::npos) << key;
    }
}

TEST_F(PretrainCommand, WrongSettingsAreWrongUsage) {
    const ProcessResult key = run(command({"--config", "lora_rank=8"}));
    EXPECT_EQ(key.exit_code, 2);
    EXPECT_NE(key.err.find("lora_rank"), std::string::npos) << key.err;
    const ProcessResult shape = run(command({"--config", "hidden=18"}));
    EXPECT_EQ(shape.exit_code, 2);
    EXPECT_NE(shape.err.find("18"), std::string::npos) << shape.err;
    EXPECT_EQ(run({"train", "pretrain", "--out", "x.gguf"}).exit_code, 2) << "without --data";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "new.gguf"));
}

}  // namespace
}  // namespace plumbline::testing
