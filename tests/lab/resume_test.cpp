// A training that is stopped, fails or is cut off goes on from a step boundary to the same weights as without
// the stop.

#include <chrono>
#include <cmath>
#include <thread>

#include "core/lab/offline_state.h"
#include "tests/lab/training.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

class Resume : public Training {
  protected:
    /// A request of four steps with every kind of data and reward that the stage may need.
    template <class Config>
    TrainRequest four_steps(Config config, const std::string& out) const {
        config.lr = 1e-2;
        config.lora_rank = 2;
        config.batch_size = 2;
        config.steps = 4;
        config.warmup_steps = 1;
        config.schedule = Schedule::cosine;
        std::string data;
        if constexpr (std::is_base_of_v<OnPolicyConfig, Config>) {
            config.max_new_tokens = 6;
            config.group_size = 2;
            config.kl_target = 1;
            config.kl_horizon = 10;
            data = prompts();
        } else if constexpr (std::is_same_v<Config, SftConfig>) {
            data = demonstrations();
        } else if constexpr (std::is_same_v<Config, KtoConfig> || std::is_same_v<Config, RewardConfig>) {
            data = feedback();
        } else {
            data = pairs(5);
        }
        TrainRequest made = request(config, data, out);
        if constexpr (std::is_base_of_v<OnPolicyConfig, Config>) {
            made.model = TinyModel::ending_path();
            made.reward = "length(3) + 0.1*keyword(e)";
        }
        return made;
    }
    /// Runs until `steps` are done.
    static void run_and_stop(const TrainRequest& request, int steps) {
        std::stop_source stop;
        EXPECT_THROW(train(request, one_thread(), {stop.get_token(), {}},
                           [&](const StepMetrics& step) {
                               if (step.step == steps) {
                                   stop.request_stop();
                               }
                           }),
                     Stopped);
    }
    static std::string weights(const TrainRequest& request) {
        return read_whole(request.out.extension() == ".gguf" ? request.out
                                                             : request.out / "adapter_model.safetensors");
    }
    /// The cosine after one step of warm-up.
    static double rate(int total, int step) {
        return 0.5 * (1 + std::cos(3.14159265358979 * (step - 1) / (total - 1)));
    }
    static bool has_state(const fs::path& out) {
        return fs::exists(training_state_file(out, ".safetensors"));
    }

    template <class Config>
    void expect_the_same(const Config& config, const std::string& ending = "") const {
        const TrainRequest whole = four_steps(config, "whole" + ending);
        const Run straight = run(whole);
        TrainRequest part = four_steps(config, "part" + ending);
        run_and_stop(part, 2);
        EXPECT_TRUE(has_state(part.out));
        part.resume = true;
        const Run rest = run(part);
        ASSERT_EQ(rest.steps.size(), 2U);
        EXPECT_EQ(rest.result.resumed_from, 2);
        EXPECT_EQ(rest.result.steps, 4);
        EXPECT_TRUE(rest.result.changed.empty()) << rest.result.changed.front().key;
        for (std::size_t i = 0; i < 2; ++i) {
            EXPECT_EQ(rest.steps[i].step, straight.steps[i + 2].step);
            EXPECT_EQ(rest.steps[i].values, straight.steps[i + 2].values);
        }
        EXPECT_EQ(weights(part), weights(whole));
        EXPECT_FALSE(has_state(part.out)) << "the training is complete";

        // Weights of another stop are told apart.
        TrainRequest other = four_steps(config, "other" + ending);
        run_and_stop(other, 3);
        other.resume = true;
        std::visit([](auto& changed) { changed.lr *= 1.001; }, other.config);
        run(other);
        EXPECT_NE(weights(other), weights(whole));
    }
};

template <class Config>
class ResumeOf : public Resume {};
using Stages =
    ::testing::Types<SftConfig, RewardConfig, DpoConfig, IpoConfig, CdpoConfig, RobustDpoConfig, HingeConfig,
                     KtoConfig, OrpoConfig, SimpoConfig, PpoConfig, RlooConfig, GrpoConfig, ReinforceConfig>;
struct StageName {
    template <class Config>
    static std::string GetName(int) {
        return std::string(Config::stage);
    }
};
TYPED_TEST_SUITE(ResumeOf, Stages, StageName);

TYPED_TEST(ResumeOf, GivesTheSameWeightsAsNoStop) {
    this->expect_the_same(TypeParam());
}

TEST_F(Resume, OfEveryWeightGivesTheSameModel) {
    expect_the_same(DpoConfig(), ".gguf");
    EXPECT_EQ(inspect_model((folder_ / "whole.gguf").string(), "f32").architecture, "llama");
}

TEST_F(Resume, OfPpoGivesTheSameModel) {
    PpoConfig config;
    config.minibatches = 2;
    config.epochs_per_batch = 2;
    expect_the_same(config, ".gguf");
}

TEST_F(Resume, OfPlainGradientDescentAndAccumulationToo) {
    SftConfig config;
    config.optimizer = OptimizerKind::sgd;
    config.accumulate = 2;
    expect_the_same(config);
}

// A stop inside PPO's passes: its weights are between two steps.
TEST_F(Resume, AStopInTheMidstOfAStepFallsBackToItsStart) {
    PpoConfig config;
    config.epochs_per_batch = 4;
    const TrainRequest whole = four_steps(config, "whole");
    run(whole);
    int least = 1000;
    for (const int wait : {800, 2000, 5000, 10000}) {
        TrainRequest part = four_steps(config, "part" + std::to_string(wait));
        std::stop_source stop;
        int done = 0;
        std::jthread stopper;
        try {
            train(part, one_thread(), {stop.get_token(), {}}, [&](const StepMetrics& step) {
                done = step.step;
                if (done == 1) {  // stopped at some time of the second step or the third
                    stopper = std::jthread([&stop, wait] {
                        std::this_thread::sleep_for(std::chrono::microseconds(wait));
                        stop.request_stop();
                    });
                }
            });
        } catch (const Stopped&) {
            least = std::min(least, done);
            part.resume = true;
            run(part);
        }
        EXPECT_EQ(weights(part), weights(whole)) << wait << " microseconds, " << done << " steps done";
    }
    EXPECT_LT(least, 4) << "none of the stops came in time";
}

TEST_F(Resume, SavesEveryFewStepsAndAtTheEnd) {
    TrainRequest made = four_steps(DpoConfig(), "out");
    made.checkpoint_every = 3;
    std::vector<int> saved;
    train(made, one_thread(), {}, [&](const StepMetrics&) {
        saved.push_back(has_state(made.out) ? read_saved_training(made.out).steps : 0);
    });
    EXPECT_EQ(saved, (std::vector<int>{0, 0, 0, 3}));
    const SavedTraining last = read_saved_training(made.out);
    EXPECT_EQ(last.steps, 4);
    EXPECT_EQ(last.stage, "dpo");
    EXPECT_EQ(last.settings.at("lora_rank"), "2");
    const auto description = nlohmann::json::parse(read_whole(training_state_file(made.out, ".json")));
    EXPECT_EQ(description.at("steps"), 4);

    // A longer training goes on from the end of the first.
    made.resume = true;
    std::get<DpoConfig>(made.config).steps = 6;
    std::get<DpoConfig>(made.config).lr = 5e-3;
    const Run more = run(made);
    EXPECT_EQ(more.result.steps, 6);
    ASSERT_EQ(more.result.changed.size(), 2U);
    EXPECT_EQ(more.result.changed[0].key, "lr");
    EXPECT_EQ(more.result.changed[0].before, "0.01");
    EXPECT_EQ(more.result.changed[0].now, "0.005");
    EXPECT_EQ(more.result.changed[1].key, "steps");
    EXPECT_NEAR(more.of("lr").front(), 5e-3 * rate(6, 4), 1e-9) << "the new rate holds";
}

TEST_F(Resume, TellsOfAnotherChatTemplate) {
    DpoConfig config;
    TrainRequest made = four_steps(config, "out");
    made.checkpoint_every = 4;
    const auto ignore = [](const StepMetrics&) {};
    EngineOptions own = one_thread();
    own.chat_template = "{% for m in messages %}<{{ m.content }}>{% endfor %}";
    train(made, own, {}, ignore);
    EXPECT_EQ(read_saved_training(made.out).chat_template, own.chat_template);
    made.resume = true;
    EXPECT_TRUE(train(made, own, {}, ignore).changed.empty());
    const TrainResult other = train(made, one_thread(), {}, ignore);
    ASSERT_EQ(other.changed.size(), 1U);
    EXPECT_EQ(other.changed[0].key, "chat-template");
    EXPECT_EQ(other.changed[0].now, "the model's");
}

TEST_F(Resume, AWholeModelKeepsTheTemplateThatItWasTrainedWith) {
    DpoConfig config;
    const TrainRequest made = four_steps(config, "out.gguf");
    EngineOptions own = one_thread();
    own.chat_template = "[INST]{% for m in messages %}{{ m.content }}{% endfor %}";
    train(made, own, {}, [](const StepMetrics&) {});
    EXPECT_EQ(inspect_model(made.out.string(), "f32").chat_template, "mistral");
}

TEST_F(Resume, WithAnotherBatchSizeGoesOnWhereTheDataWas) {
    DpoConfig config;
    TrainRequest made = four_steps(config, "out");
    std::get<DpoConfig>(made.config).lr = 0;
    std::get<DpoConfig>(made.config).shuffle = false;
    run_and_stop(made, 1);  // rows 0 and 1
    made.resume = true;
    std::get<DpoConfig>(made.config).batch_size = 1;
    const Run rest = run(made);
    TrainRequest ones = four_steps(config, "ones");
    std::get<DpoConfig>(ones.config).lr = 0;
    std::get<DpoConfig>(ones.config).shuffle = false;
    std::get<DpoConfig>(ones.config).batch_size = 1;
    std::get<DpoConfig>(ones.config).steps = 5;
    const Run all = run(ones);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(rest.of("logps/chosen")[i], all.of("logps/chosen")[i + 2]);
    }
}

TEST_F(Resume, RefusesWhatIsNotItsState) {
    TrainRequest made = four_steps(DpoConfig(), "out");
    made.resume = true;
    expect_error_form(error_from([&] { run(made); }), "resume training: ");
    made.resume = false;
    run_and_stop(made, 2);
    made.resume = true;

    TrainRequest other = four_steps(IpoConfig(), "out");
    other.resume = true;
    expect_error_form(error_from([&] { run(other); }), "holds a stopped `dpo`, not `ipo`");
    TrainRequest wider = made;
    std::get<DpoConfig>(wider.config).lora_rank = 3;
    expect_error_form(error_from([&] { run(wider); }), "the saved state has no ");
    TrainRequest plain = made;
    std::get<DpoConfig>(plain.config).optimizer = OptimizerKind::sgd;
    EXPECT_EQ(run(plain).result.changed.front().key, "optimizer") << "the moments are not needed";
}

TEST_F(Resume, RefusesDamagedStates) {
    TrainRequest made = four_steps(DpoConfig(), "out");
    run_and_stop(made, 2);
    made.resume = true;
    const fs::path file = training_state_file(made.out, ".safetensors");
    const std::string good = read_whole(file);
    const auto expect_refused = [&](const std::string& bytes, const std::string& what) {
        write_whole(file, bytes);
        const std::string error = error_from([&] { run(made); });
        EXPECT_NE(error, "") << what;
        EXPECT_NE(error.find(": "), std::string::npos) << error;
        EXPECT_FALSE(fs::exists(made.out / "adapter_model.safetensors")) << what;
    };
    expect_refused("", "empty");
    for (std::size_t length = 1; length < good.size(); length += good.size() / 16 + 1) {
        expect_refused(good.substr(0, length), "cut after " + std::to_string(length) + " bytes");
    }
    const auto replaced = [&](const std::string& from, const std::string& to) {
        std::string bytes = good;
        const std::size_t at = bytes.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        return bytes.replace(at, from.size(), to);
    };
    expect_refused(replaced("plumbline_training", "plumbline_brainings"), "length of the header");
    expect_refused(replaced("plumbline_training", "plumbline_strainin"), "another key");
    expect_refused(replaced("\\\"steps\\\":2", "\\\"steps\\\":x"), "a description that is no JSON");
    expect_refused(replaced("\\\"version\\\":1", "\\\"version\\\":9"), "a newer version");
    std::string infinite = good;
    const float bad = INFINITY;
    std::memcpy(infinite.data() + infinite.size() - sizeof bad, &bad, sizeof bad);
    expect_refused(infinite, "a value that is not finite");
    write_whole(file, good);
    EXPECT_EQ(run(made).result.steps, 4) << "the undamaged one is good";
}

}  // namespace
}  // namespace plumbline::testing
