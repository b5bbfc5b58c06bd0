// The offline job `pretrain`: what it reads, what it refuses, and that its file is a model that answers as
// taught.

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/formats/gguf.h"
#include "tests/lab/tiny_lab.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

class Pretrain : public ::testing::Test {
  protected:
    PretrainRequest request(const std::string& lines, int steps) const {
        PretrainRequest out;
        out.data = folder_ / "corpus.jsonl";
        std::ofstream(out.data, std::ios::binary) << lines;
        out.out = folder_ / "model.gguf";
        PretrainConfig& c = out.config;
        c.hidden = 32;
        c.layers = 1;
        c.heads = c.kv_heads = 2;
        c.mlp = 48;
        c.context = 64;
        c.max_length = 32;
        c.vocabulary = 290;
        c.batch_size = 4;
        c.steps = steps;
        c.warmup_steps = 5;
        c.lr = 1e-2;
        return out;
    }
    static std::string dialogues(int times) {
        std::string out;
        for (int i = 0; i < times; ++i) {
            out += R"({"prompt":"Hi","response":"Hello there."})"
                   "\n"
                   R"({"prompt":"Bye","response":"So long, friend."})"
                   "\n";
        }
        return out;
    }
    static PretrainResult run(const PretrainRequest& request, std::vector<StepMetrics>* steps = nullptr) {
        return pretrain(request, one_thread(), {}, [&](const StepMetrics& step) {
            if (steps != nullptr) steps->push_back(step);
        });
    }
    std::string error_of(const PretrainRequest& request) const {
        try {
            run(request);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    std::string answer(const fs::path& model, const std::string& prompt) const {
        GenerateRequest ask;
        ask.prompt = prompt;
        ask.chat = true;
        ask.sampling.temperature = 0;
        ask.sampling.max_new_tokens = 20;
        const auto replies = generate(model.string(), "", ask, one_thread(), {}, {});
        EXPECT_EQ(replies.at(0).finish, Finish::eos);
        return replies.at(0).text;
    }

    TempFolder folder_;
};

TEST_F(Pretrain, MakesAModelThatAnswersAsTaught) {
    std::vector<StepMetrics> steps;
    const PretrainRequest ask = request(dialogues(40), 200);
    const PretrainResult result = run(ask, &steps);
    EXPECT_EQ(result.steps, 200);
    ASSERT_EQ(steps.size(), 200u);
    EXPECT_EQ(steps.back().step, 200);
    for (const char* name : {"loss/next_token", "grad_norm", "lr"})
        EXPECT_EQ(steps[7].values.count(name), 1u) << name;
    EXPECT_NEAR(steps[0].values.at("loss/next_token"), std::log(result.vocabulary), 0.1);
    // Two dialogues: the prompt's first token is half a chance, ln 2 a dialogue, and all else follows from
    // it.
    EXPECT_LT(result.heldout.at("heldout/reply"), 0.1);
    EXPECT_EQ(result.skipped, std::vector<std::string>{});

    EXPECT_EQ(answer(ask.out, "Hi"), "Hello there.");
    EXPECT_EQ(answer(ask.out, "Bye"), "So long, friend.");
    const GgufFile file(ask.out);
    EXPECT_EQ(file.text("general.name"), "model");
    const ModelInfo info = inspect_model(ask.out.string(), "f32");
    EXPECT_EQ(info.parameters, result.parameters);
    EXPECT_EQ(info.chat_template, "turns");
    EXPECT_NE(info.chat_template_note.find("leaves the system message out"), std::string::npos)
        << info.chat_template_note;
    EXPECT_EQ(info.file_dtype, "BF16");
}

TEST_F(Pretrain, TheSameSeedMakesTheSameFile) {
    PretrainRequest ask = request(dialogues(10), 6);
    const auto bytes = [&](std::uint64_t seed) {
        ask.config.seed = seed;
        run(ask);
        return read_whole(ask.out);
    };
    const std::string first = bytes(1);
    EXPECT_EQ(bytes(1), first);
    EXPECT_NE(bytes(2), first);
}

TEST_F(Pretrain, LearnsPlainTextsAndCutsLongOnes) {
    const std::string text(200, 'a');
    PretrainRequest ask = request("{\"text\":\"one two three\"}\n{\"text\":\"" + text + "\"}\n", 3);
    ask.config.vocabulary = 261;  // bytes only: 202 tokens with both ends, in pieces of 32
    ask.config.heldout_share = 0;
    ask.config.steps = 0;  // one pass: 1 + 7 pieces in batches of 4
    const PretrainResult result = run(ask);
    EXPECT_EQ(result.steps, 2);
    EXPECT_EQ(result.vocabulary, 261);
    EXPECT_TRUE(result.heldout.empty());
    EXPECT_TRUE(result.skipped.empty());
}

TEST_F(Pretrain, SkipsBadRowsAndSaysWhy) {
    const std::string long_reply(100, 'z');
    PretrainRequest ask =
        request(dialogues(5) + "not json\n{\"prompt\":\"p\"}\n{\"prompt\":1,\"response\":\"r\"}\n" +
                    "{\"prompt\":\"p\",\"response\":\"" + long_reply + "\"}\n{\"text\":\"\"}\n",
                2);
    ask.config.vocabulary = 261;  // bytes only, so that the long reply stays long
    const PretrainResult result = run(ask);
    ASSERT_EQ(result.skipped.size(), 5u);
    EXPECT_EQ(result.skipped[0].rfind("line 11: ", 0), 0u) << result.skipped[0];
    EXPECT_NE(result.skipped[1].find("response"), std::string::npos);
    EXPECT_NE(result.skipped[2].find("prompt"), std::string::npos);
    EXPECT_NE(result.skipped[3].find("max_length = 32"), std::string::npos) << result.skipped[3];
    EXPECT_NE(result.skipped[4].find("empty"), std::string::npos);
}

TEST_F(Pretrain, HoldsOutTheShareThatWasAskedFor) {
    PretrainRequest ask = request(dialogues(20), 0);
    ask.config.batch_size = 1;
    ask.config.heldout_share = 0.25;
    EXPECT_EQ(run(ask).steps, 30);
    ask.config.heldout_share = 0;
    EXPECT_EQ(run(ask).steps, 40);
}

TEST_F(Pretrain, RefusesWhatCannotBeTrained) {
    EXPECT_EQ(error_of(request("", 2)).rfind("pretrain: ", 0), 0u);
    EXPECT_NE(error_of(request("{}\n", 2)).find("line 1"), std::string::npos);
    PretrainRequest ask = request(dialogues(2), 2);
    ask.data = folder_ / "nothing.jsonl";
    EXPECT_NE(error_of(ask).find("nothing.jsonl"), std::string::npos);
    ask = request(dialogues(2), 2);
    ask.config.vocabulary = 261;  // bytes only
    ask.config.max_length = 8;    // each dialogue is longer
    EXPECT_NE(error_of(ask).find("raise max_length"), std::string::npos);
    ask = request(dialogues(2), 2);
    ask.out = folder_ / "no such folder" / "model.gguf";
    EXPECT_NE(error_of(ask), "");
    EXPECT_FALSE(fs::exists(folder_ / "model.gguf"));
}

TEST_F(Pretrain, RefusesSettingsThatDoNotFitTogether) {
    const auto refused = [&](const std::function<void(PretrainConfig&)>& change) {
        PretrainConfig config;
        change(config);
        try {
            validate(config);
        } catch (const ConfigError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(refused([](PretrainConfig&) {}), "");
    EXPECT_NE(refused([](PretrainConfig& c) { c.hidden = 130; }).find("130"), std::string::npos);
    EXPECT_NE(refused([](PretrainConfig& c) { c.kv_heads = 3; }).find("kv_heads = 3"), std::string::npos);
    EXPECT_NE(refused([](PretrainConfig& c) { c.max_length = 257; }).find("context = 256"),
              std::string::npos);
    EXPECT_NE(refused([](PretrainConfig& c) { c.vocabulary = 260; }).find("261..65536"), std::string::npos);
    EXPECT_NE(refused([](PretrainConfig& c) { c.adam_beta2 = 1; }).find("adam_beta2"), std::string::npos);
}

TEST_F(Pretrain, StopsAtOnceAndLeavesNoFile) {
    const PretrainRequest ask = request(dialogues(10), 1000000);
    std::stop_source stop;
    int steps = 0;
    EXPECT_THROW(pretrain(ask, one_thread(), {stop.get_token(), {}},
                          [&](const StepMetrics&) {
                              if (++steps == 3) stop.request_stop();
                          }),
                 Stopped);
    EXPECT_EQ(steps, 3);
    EXPECT_FALSE(fs::exists(ask.out));
}

TEST_F(Pretrain, SaysWhichStepWentWrong) {
    PretrainRequest ask = request(dialogues(10), 200);
    ask.config.lr = 10;
    ask.config.weight_decay = 1;  // each step turns the weights over: w - 10 w
    ask.config.warmup_steps = 0;
    const std::string error = error_of(ask);
    EXPECT_NE(error.find("step "), std::string::npos) << error;
    EXPECT_NE(error.find("lower lr"), std::string::npos) << error;
}

}  // namespace
}  // namespace plumbline::testing
