// Help texts and wrong usage.

#include "core/api/config_fields.h"
#include "tests/cli/command_line.h"

namespace plumbline::testing {
namespace {

using Words = std::vector<std::string>;

class Usage : public CommandLine {
  protected:
    /// Each command line, and what its error says: exit 2, one line, nothing on stdout.
    void expect_usage_errors(const std::vector<std::pair<Words, std::string>>& cases) const {
        for (const auto& [words, said] : cases) {
            std::string shown;
            for (const std::string& word : words) {
                shown += word + " ";
            }
            const ProcessResult result = run(words);
            EXPECT_EQ(result.exit_code, 2) << shown << result.err;
            EXPECT_EQ(result.out, "") << shown;
            EXPECT_NE(result.err.find(said), std::string::npos) << shown << result.err;
            EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
            EXPECT_TRUE(result.err.starts_with("error: ")) << result.err;
        }
    }
};

TEST_F(Usage, HelpNamesEveryCommandOfThisVersionAndNoOther) {
    const ProcessResult result = run({"--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    for (const char* name : {"models", "info", "tokenize", "logprobs", "generate", "reward", "train",
                             "simulate", "import", "export", "replay", "check", "bench"}) {
        EXPECT_NE(result.out.find("\n  " + std::string(name) + " "), std::string::npos) << name;
    }
    EXPECT_EQ(result.out.find("\n  drift "), std::string::npos) << "not in this version";
}

TEST_F(Usage, EveryCommandHasHelpAndTheOutputOptions) {
    for (const Words& command : std::vector<Words>{{"models"},
                                                   {"info"},
                                                   {"tokenize"},
                                                   {"logprobs"},
                                                   {"generate"},
                                                   {"reward"},
                                                   {"train", "sft"},
                                                   {"train", "reward"},
                                                   {"train", "robust-dpo"},
                                                   {"train", "ppo"},
                                                   {"simulate"},
                                                   {"replay"},
                                                   {"check"},
                                                   {"bench"}}) {
        Words words = command;
        words.push_back("--help");
        const ProcessResult result = run(words);
        const std::string name = command.front() + " " + command.back();
        EXPECT_EQ(result.exit_code, 0) << name << result.err;
        EXPECT_EQ(result.err, "") << name;
        EXPECT_NE(result.out.find("Usage: plumbline-cli " + command.front()), std::string::npos)
            << result.out;
        EXPECT_NE(result.out.find("--json "), std::string::npos) << name;
        EXPECT_NE(result.out.find("--quiet "), std::string::npos) << name;
    }
}

TEST_F(Usage, CommandsThatRunAModelShareTheirOptions) {
    for (const char* command : {"logprobs", "generate", "reward", "simulate", "replay", "bench"}) {
        const std::string help = run({command, "--help"}).out;
        for (const char* option : {"--seed N", "--threads N", "--device D", "--dtype T"}) {
            EXPECT_NE(help.find(option), std::string::npos) << command << ' ' << option;
        }
    }
    for (const char* command : {"logprobs", "generate", "reward"}) {
        EXPECT_NE(run({command, "--help"}).out.find("--adapter DIR"), std::string::npos) << command;
    }
}

TEST_F(Usage, TrainHelpListsEveryKeyWithRangeAndDefault) {
    const auto expect_keys = [&](const std::string& stage, const std::vector<FieldInfo>& fields) {
        const std::string help = run({"train", stage, "--help"}).out;
        ASSERT_FALSE(fields.empty());
        for (const FieldInfo& field : fields) {
            const std::size_t at = help.find("\n  " + field.key + " ");
            ASSERT_NE(at, std::string::npos) << stage << ": " << field.key;
            const std::string line = help.substr(at + 1, help.find('\n', at + 1) - at - 1);
            EXPECT_NE(line.find(" " + field.range + " "), std::string::npos) << line;
            EXPECT_NE(line.find(" " + field.value + " "), std::string::npos) << line;
            EXPECT_NE(line.find(field.help), std::string::npos) << line;
        }
    };
    const auto expect_stages = [&]<class... Configs>(const std::variant<Configs...>*) {
        (expect_keys(std::string(Configs::stage), describe(Configs{})), ...);
    };
    expect_stages(static_cast<const StageConfig*>(nullptr));
}

TEST_F(Usage, VersionIsTheBuilds) {
    EXPECT_EQ(run({"--version"}).out, "plumbline-cli " PLUMBLINE_VERSION "\n");
}

TEST_F(Usage, WrongCommandsAndOptionsAreExitTwo) {
    expect_usage_errors({
        {{}, "there is no command"},
        {{"prune"}, "there is no command 'prune'"},
        {{"drift", "x.plumb"}, "there is no command 'drift'"},
        {{"models", "--fast"}, "'--fast'"},
        {{"info"}, "MODEL is required"},
        {{"tokenize", model_}, "--text"},
        {{"tokenize", model_, "--text", "a", "--jsonl", "b"}, "--jsonl"},
        {{"generate", model_}, "--prompt is required"},
        {{"generate", model_, "--prompt", "a", "-n", "0"}, "1..256"},
        {{"generate", model_, "--prompt", "a", "-n", "two"}, "'two'"},
        {{"generate", model_, "--prompt", "a", "--temperature", "7"}, "0..5"},
        {{"generate", model_, "--prompt", "a", "--top-p", "nan"}, "0..1"},
        {{"generate", model_, "--prompt", "a", "--system", "b"}, "--chat"},
        {{"generate", model_, "--prompt", "a", "--dtype", "f64"}, "'f64'"},
        {{"generate", model_, "--prompt", "a", "--device", "cuda:x"}, "'cuda:x'"},
        {{"generate", model_, "--prompt", "a", "--threads", "0"}, "--threads"},
        {{"generate", model_, "--prompt", "a", "--seed", "-1"}, "'-1'"},
        {{"reward", model_, "--jsonl", "x"}, "--adapter is required"},
    });
}

TEST_F(Usage, WrongStagesAndSettingsAreExitTwo) {
    const std::string pairs = write_pairs();
    expect_usage_errors({
        {{"train"},
         "choose pretrain, sft, reward, dpo, ipo, cdpo, robust-dpo, hinge, kto, orpo, simpo, ppo, rloo, "
         "grpo or reinforce"},
        {{"train", "alignment", model_}, "'alignment'; choose pretrain, sft,"},
        {{"train", "kto", model_, "--out", "x"}, "--data is required"},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--config", "lrr=1"},
         "lora_first_block, beta"},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--config", "lr=fast"}, "0..10"},
        {{"train", "reward", model_, "--data", pairs, "--out", "x", "--config", "beta=1"}, "center"},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--config", "lr"}, "KEY=VALUE"},
        {{"train", "rloo", model_, "--data", pairs, "--out", "x"},
         "--reward-adapter, or rules with --reward"},
        {{"train", "grpo", model_, "--data", pairs, "--out", "x", "--reward", "length("}, "character"},
        {{"train", "grpo", model_, "--data", pairs, "--out", "x", "--config", "group_size=1"}, "2..64"},
        {{"train", "ppo", model_, "--data", pairs, "--out", "x", "--config", "batch_size=1", "--config",
          "group_size=1", "--config", "minibatches=2"},
         "minibatches is 2"},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--reward", "length(3)"}, "--reward"},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--checkpoint-every", "-1"}, "0.."},
        {{"train", "dpo", model_, "--data", pairs, "--out", "x", "--config", "weights=all"}, ".gguf"},
    });
    EXPECT_FALSE(std::filesystem::exists("x"));
}

TEST_F(Usage, WrongSimulationsAndMeasurementsAreExitTwo) {
    expect_usage_errors({
        {{"simulate", model_}, "--judge is required"},
        {{"simulate", model_, "--judge", "stern"}, "polite"},
        {{"simulate", model_, "--judge", "keyword"}, "keyword"},
        {{"simulate", model_, "--judge", "short", "--noise", "0.6"}, "0..0.5"},
        {{"simulate", model_, "--judge", "short", "--tie-share", "2"}, "tie_share is 2; use 0..1"},
        {{"simulate", model_, "--judge", "short", "--position-bias", "-1"}, "position_bias is -1; use 0..1"},
        {{"simulate", model_, "--judge", "short", "--length-bias", "1e9"}, "length_bias is 1e+09"},
        {{"simulate", model_, "--judge", "short", "--intransitivity", "2"}, "intransitivity is 2; use 0..1"},
        {{"simulate", model_, "--judge", "rule:keyword(tea"}, ") is missing before the end (character 12)"},
        {{"simulate", model_, "--judge", "short", "--algorithm", "sarsa"}, "dpo|cdpo|robust-dpo"},
        {{"simulate", model_, "--judge", "short", "--config", "steps=4"}, "steps_per_click"},
        {{"replay", "x.plumb"}, "--check is required"},
        {{"bench", "trpo", model_}, "reward, dpo, ipo"},
        {{"bench", "sample", model_, "--repeats", "0"}, "1..1000"},
        {{"bench", "rloo", model_, "--candidates", "1"}, "candidates is 1; choose 2..256"},
        {{"bench", "sample", model_, "--prompt-tokens", "0"}, "1..65536"},
        {{"bench", "dpo", model_, "--pairs", "257"}, "1..256"},
        {{"bench", "dpo", model_, "--pair-tokens", "1"}, "2..65536"},
        {{"bench", "dpo", model_, "--lora-rank", "16.5"}, "1..256"},
    });
}

TEST_F(Usage, WhatIsMissingIsExitOneWithTheMessageForm) {
    const std::string no_file = (folder_ / "none.gguf").string();
    for (const Words& words : std::vector<Words>{{"info", no_file},
                                                 {"info", "smollm2-135m-instruct"},
                                                 {"tokenize", no_file, "--text", "a"},
                                                 {"generate", no_file, "--prompt", "a"},
                                                 {"logprobs", model_, "--jsonl", no_file},
                                                 {"train", "dpo", no_file, "--data", no_file, "--out", "x"},
                                                 {"simulate", no_file, "--judge", "short"},
                                                 {"replay", no_file, "--check"},
                                                 {"check", no_file},
                                                 {"bench", "sample", no_file}}) {
        const ProcessResult result = run(words);
        EXPECT_EQ(result.exit_code, 1) << words[0];
        EXPECT_EQ(result.out, "") << words[0];
        expect_error_form(result);
        EXPECT_NE(result.err.find(words[0] == "info" ? words[1] : no_file), std::string::npos)
            << "the bad value is not named: " << result.err;
    }
}

TEST_F(Usage, DamagedModelIsExitOne) {
    const std::string damaged = write("damaged.gguf", "GGUF\3 and then nothing of use");
    const ProcessResult result = run({"info", damaged});
    EXPECT_EQ(result.exit_code, 1);
    expect_error_form(result);
}

}  // namespace
}  // namespace plumbline::testing
