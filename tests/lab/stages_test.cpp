// Every stage learns what its data says; rewards from rules; guards.

#include <cmath>
#include <limits>

#include "tests/lab/training.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

class Stages : public Training {
  protected:
    /// Sum of a reply's log-probabilities with an adapter, "" for none.
    static double logprob(const std::string& reply, const std::string& adapter) {
        return logprobs(TinyModel::path(), adapter, {{std::string("Question?"), reply + "<|im_end|>"}},
                        one_thread(), {})
            .front()
            .sum;
    }
    double gain(const std::string& reply, const char* out) const {
        return logprob(reply, (folder_ / out).string()) - logprob(reply, "");
    }
    template <class Config>
    TrainRequest on_policy(Config config, const std::string& reward, const std::string& out = "out") const {
        config.max_new_tokens = 8;
        config.group_size = 8;
        TrainRequest made = request(config, prompts(), out);
        made.model = TinyModel::ending_path();
        made.reward = reward;
        return made;
    }
    /// Mean of the first and of the last steps' values.
    static std::pair<double, double> ends(const Run& run, const std::string& name, std::size_t steps) {
        const auto all = run.of(name);
        const auto mean = [&](std::size_t from) {
            double sum = 0;
            for (std::size_t i = from; i < from + steps; ++i) {
                sum += all[i];
            }
            return sum / static_cast<double>(steps);
        };
        return {mean(0), mean(all.size() - steps)};
    }
};

template <class Config>
class PairStage : public Stages {};
using PairConfigs =
    ::testing::Types<DpoConfig, IpoConfig, CdpoConfig, RobustDpoConfig, HingeConfig, OrpoConfig, SimpoConfig>;
using SampleConfigs = ::testing::Types<ReinforceConfig, RlooConfig, GrpoConfig, PpoConfig>;
struct StageName {
    template <class Config>
    static std::string GetName(int) {
        return std::string(Config::stage);
    }
};
TYPED_TEST_SUITE(PairStage, PairConfigs, StageName);

TYPED_TEST(PairStage, MakesTheChosenLikelierThanTheRejected) {
    auto config = Training::small<TypeParam>(1e-2);
    config.steps = 12;
    const auto trained = Training::run(this->request(config, this->pairs(4)));
    EXPECT_LT(trained.of("loss/policy").back(), trained.of("loss/policy").front());
    EXPECT_GT(this->gain("y", "out"), this->gain("no 0", "out") + 0.1);
    for (const char* name : {"rewards/chosen", "rewards/rejected", "rewards/margin", "rewards/accuracy",
                             "logps/chosen", "logps/rejected", "grad_norm", "lr"}) {
        EXPECT_TRUE(std::isfinite(trained.of(name).back())) << name;
    }
}

TEST_F(Stages, KtoTakesLabelledRepliesAndPairs) {
    KtoConfig config = small<KtoConfig>(1e-2);
    config.steps = 15;
    std::string rows;
    for (int i = 0; i < 3; ++i) {
        rows += R"({"prompt":"Question?","completion":"yes","label":true})"
                "\n"
                R"({"prompt":"Question?","completion":"no","label":false})"
                "\n";
    }
    run(request(config, write("labelled.jsonl", rows), "labelled"));
    EXPECT_GT(gain("yes", "labelled"), gain("no", "labelled") + 0.1);
    run(request(config, write("pair.jsonl", R"({"prompt":"Question?","chosen":"no","rejected":"yes"})"),
                "pair"));
    EXPECT_LT(gain("yes", "pair"), gain("no", "pair") - 0.1);
}

TEST_F(Stages, SftImitatesTheReply) {
    SftConfig config = small<SftConfig>(1e-2);
    config.steps = 10;
    const Run trained =
        run(request(config, write("d.jsonl", R"({"prompt":"Question?","completion":"Quite so."})")));
    EXPECT_LT(trained.of("loss/policy").back(), 0.7 * trained.of("loss/policy").front());
    EXPECT_GT(gain("Quite so.", "out"), 3);
    EXPECT_EQ(trained.of("tokens/response_length").front(),
              static_cast<double>(tokenize(TinyModel::path(), {"Quite so.<|im_end|>"})[0].ids.size()));
}

TEST_F(Stages, AccumulatedBatchesMakeTheStepOfOneLargeBatch) {
    DpoConfig config = small<DpoConfig>(1e-2);
    config.steps = 3;
    config.batch_size = 4;
    run(request(config, pairs(4), "large"));
    config.batch_size = 1;
    config.accumulate = 4;
    const Run small_ones = run(request(config, pairs(4), "small"));
    EXPECT_EQ(small_ones.result.steps, 3);
    EXPECT_NEAR(gain("y", "small"), gain("y", "large"), 1e-3) << "the same but for rounding";
    config.accumulate = 3;
    run(request(config, pairs(4), "fewer"));
    EXPECT_GT(std::abs(gain("y", "fewer") - gain("y", "large")), 1e-3);
}

TEST_F(Stages, RewardsLearnFromTiesAndRankings) {
    RewardConfig config = small<RewardConfig>(1e-2);
    config.steps = 40;
    config.batch_size = 3;
    config.normalise = 16;
    config.normalise_tokens = 6;
    const std::string data =
        write("rankings.jsonl", R"({"prompt":"Q","completions":["one","two","three"],"ranking":[1,2,0]})"
                                "\n"
                                R"({"prompt":"Q","chosen":"four","rejected":"five","tie":true})"
                                "\n"
                                R"({"prompt":"Q","chosen":"six","rejected":"seven","margin":2})"
                                "\n"
                                R"({"prompt":"Q","completion":"eight","label":true})"
                                "\n");
    const Run trained = run(request(config, data));
    ASSERT_EQ(trained.result.skipped.size(), 1U);
    EXPECT_NE(trained.result.skipped[0].find("line 4: "), std::string::npos) << trained.result.skipped[0];
    const auto reward = [&](const std::string& reply) {
        return rewards(TinyModel::path(), (folder_ / "out").string(),
                       {{std::string("Q"), reply + "<|im_end|>"}}, one_thread(), {})
            .front()
            .reward;
    };
    EXPECT_GT(reward("two"), reward("three"));
    EXPECT_GT(reward("three"), reward("one"));
    EXPECT_LT(std::abs(reward("four") - reward("five")), reward("six") - reward("seven"));
}

template <class Config>
class SampleStage : public Stages {};
TYPED_TEST_SUITE(SampleStage, SampleConfigs, StageName);

TYPED_TEST(SampleStage, RaisesARuleReward) {
    TypeParam config;
    config.lr = 2e-3;
    config.schedule = Schedule::constant;
    config.steps = 10;
    config.batch_size = 3;
    config.beta = 0;
    config.missing_eos_reward = -2;
    const auto trained = Training::run(this->on_policy(config, "length(1)"));
    const auto [before, after] = Stages::ends(trained, "objective/score", 3);
    EXPECT_GT(after, before + 0.2);
    for (const char* name : {"objective/kl", "objective/entropy", "objective/rlhf_reward", "tokens/eos_rate",
                             "tokens/response_length", "reward/part/length", "loss/policy", "policy/ratio"}) {
        EXPECT_TRUE(std::isfinite(trained.of(name).back())) << name;
    }
}

TEST_F(Stages, PartsOfARewardAreLoggedAndAddUp) {
    RlooConfig config = small<RlooConfig>(0);
    config.steps = 1;
    TrainRequest made = on_policy(config, "length(4) + 0.5*keyword(e)[0,0.2]");
    std::get<RlooConfig>(made.config).max_new_tokens = 100;
    const Run trained = run(made);
    const auto& values = trained.steps.front().values;
    ASSERT_EQ(values.at("tokens/eos_rate"), 1) << "the score of a reply without EOS is no sum of parts";
    const double length = values.at("reward/part/length"), keyword = values.at("reward/part/keyword");
    EXPECT_GE(keyword, 0);
    EXPECT_LE(keyword, 0.2);
    EXPECT_NEAR(values.at("objective/score"), length + keyword, 1e-9);
    EXPECT_GT(std::abs(length), 1e-3);
    for (const auto& [name, _] : values) {
        EXPECT_FALSE(name.starts_with("objective/score/")) << name;
    }
}

TEST_F(Stages, AnUnusableRewardSaysSo) {
    const RlooConfig config = small<RlooConfig>();
    expect_error_form(error_from([&] { run(on_policy(config, "")); }), "nothing to score replies with");
    expect_error_form(error_from([&] { run(on_policy(config, "model")); }), "--reward has the part `model`");
    EXPECT_THROW(run(on_policy(config, "length(")), ConfigError);
    TrainRequest unused = on_policy(config, "length(3)");
    unused.reward_adapter = folder_ / "reward";
    EXPECT_NE(error_from([&] { run(unused); }), "");
    EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Stages, AnAdaptiveKlWeightFollowsItsTarget) {
    RlooConfig config = small<RlooConfig>(2e-2);
    config.steps = 4;
    config.batch_size = 3;
    config.kl_target = 1000;
    config.kl_horizon = 40;
    config.beta = 0.1;
    const auto beta = run(on_policy(config, "length(8)")).of("objective/beta");
    // KL is far below the target: a step of 3 x 8 samples takes the share 0.2 * 24 / 40 = 0.12 off.
    double expected = 0.1;
    for (const double found : beta) {
        EXPECT_NEAR(found, expected, 1e-12);
        EXPECT_GT(std::abs(found - 1.0001 * expected), 1e-12) << "a little off is seen";
        expected *= 0.88;
    }
}

TEST_F(Stages, AKlOverItsLimitEndsWithTheLastGoodWeights) {
    RlooConfig config = small<RlooConfig>(3e-3);
    config.steps = 50;
    config.beta = 0;
    config.kl_stop = 0.5;
    TrainRequest made = on_policy(config, "length(1)");
    const Run stopped = run(made);
    ASSERT_NE(stopped.result.ended_by, "");
    EXPECT_NE(stopped.result.ended_by.find("over kl_stop 0.5"), std::string::npos) << stopped.result.ended_by;
    ASSERT_GE(stopped.result.steps, 1);
    EXPECT_LT(stopped.result.steps, 50);
    for (const double kl : stopped.of("objective/kl")) {
        EXPECT_LE(kl, 0.5);
    }
    // The step whose weights went over the limit was taken and reported, but is not in what was written.
    EXPECT_EQ(stopped.steps.back().step, stopped.result.steps + 1);
    std::get<RlooConfig>(made.config).steps = stopped.result.steps;
    std::get<RlooConfig>(made.config).kl_stop = 0;
    made.out = folder_ / "short";
    run(made);
    EXPECT_EQ(read_whole(folder_ / "out" / "adapter_model.safetensors"),
              read_whole(folder_ / "short" / "adapter_model.safetensors"));
    EXPECT_EQ(read_saved_training(folder_ / "out").steps, stopped.result.steps);
}

TEST_F(Stages, ANonFiniteLossWritesTheLastGoodWeights) {
    DpoConfig config = small<DpoConfig>(10);
    config.steps = 1000;
    config.clip_norm = 0;
    TrainRequest made = request(config, pairs(4));
    int steps = 0;
    const std::string error = error_from(
        [&] { train(made, one_thread(), {}, [&](const StepMetrics& step) { steps = step.step; }); });
    expect_error_form(error, "train: step " + std::to_string(steps + 1));
    ASSERT_GE(steps, 1);
    EXPECT_EQ(read_saved_training(made.out).steps, steps);
    std::get<DpoConfig>(made.config).steps = steps;
    made.out = folder_ / "short";
    run(made);
    EXPECT_EQ(read_whole(folder_ / "out" / "adapter_model.safetensors"),
              read_whole(folder_ / "short" / "adapter_model.safetensors"));

    // With a lower rate it goes on from there.
    made.out = folder_ / "out";
    made.resume = true;
    std::get<DpoConfig>(made.config).lr = 0;
    std::get<DpoConfig>(made.config).steps = steps + 1;
    const std::string again = error_from([&] { EXPECT_EQ(run(made).result.changed.front().key, "lr"); });
    EXPECT_TRUE(again.empty() || again.find("step " + std::to_string(steps + 1)) != std::string::npos)
        << again;
}

TEST_F(Stages, AStopBeforeTheFirstStepLeavesNothing) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(train(request(small<DpoConfig>(), pairs(4)), one_thread(), {stop.get_token(), {}},
                       [](const StepMetrics&) {}),
                 Stopped);
    EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Stages, EveryWeightIsWrittenAsAModelThatScoresAsTrained) {
    SftConfig config = small<SftConfig>(3e-3);
    config.steps = 10;
    const TrainRequest made = request(
        config, write("d.jsonl", R"({"prompt":"Question?","completion":"Quite so."})"), "trained.gguf");
    const Run trained = run(made);
    const auto score = [&](const std::string& model) {
        return logprobs(model, "", {{std::string("Question?"), std::string("Quite so.<|im_end|>")}},
                        one_thread(), {})
            .front();
    };
    const LogprobsResult after = score(made.out.string());
    EXPECT_GT(after.sum, score(TinyModel::path()).sum + 3);
    // A further step that learns nothing tells the loss of the written weights.
    config.lr = 0;
    config.steps = 1;
    TrainRequest more = request(config, (folder_ / "d.jsonl").string(), "more.gguf");
    more.model = made.out.string();
    const double loss = run(more).of("loss/policy").front();
    EXPECT_NEAR(loss, -after.sum / static_cast<double>(after.ids.size()), 1e-4);
    EXPECT_LT(loss, trained.of("loss/policy").back());
    EXPECT_EQ(tokenize(made.out.string(), {"Quite so."})[0].ids,
              tokenize(TinyModel::path(), {"Quite so."})[0].ids);
}

TEST_F(Stages, WhatTrainsMustGoWithWhatIsWritten) {
    DpoConfig config = small<DpoConfig>();
    config.weights = Weights::all;
    expect_error_form(error_from([&] { run(request(config, pairs(2), "folder")); }), "weights is all");
    config.weights = Weights::lora;
    expect_error_form(error_from([&] { run(request(config, pairs(2), "model.gguf")); }), "weights is lora");
    config.weights = Weights::automatic;
    TrainRequest made = request(config, pairs(2), "model.gguf");
    made.init_adapter = folder_ / "adapter";
    expect_error_form(error_from([&] { run(made); }), "initial adapter");
    expect_error_form(error_from([&] { run(request(small<RewardConfig>(), pairs(2), "model.gguf")); }),
                      "a reward model is an adapter");
}

TEST_F(Stages, SettingsThatDoNotFitAreNamed) {
    PpoConfig ppo = small<PpoConfig>();
    ppo.batch_size = 1;
    ppo.group_size = 2;
    ppo.minibatches = 3;
    expect_error_form(error_from([&] { run(request(ppo, prompts())); }), "minibatches is 3");
    ppo.minibatches = 2;
    ppo.kl_in = KlPlace::loss;
    expect_error_form(error_from([&] { run(request(ppo, prompts())); }), "kl_in is loss");
    KtoConfig kto = small<KtoConfig>();
    kto.desirable_weight = kto.undesirable_weight = 0;
    expect_error_form(error_from([&] { run(request(kto, feedback())); }), "desirable_weight");
    for (const double beta : {-1.0, 101.0, std::numeric_limits<double>::quiet_NaN()}) {
        SimpoConfig simpo = small<SimpoConfig>();
        simpo.beta = beta;
        expect_error_form(error_from([&] { run(request(simpo, pairs(2))); }), "beta is ");
    }
}

TEST_F(Stages, BenchMeasuresEachOfThem) {
    BenchConfig small;
    small.repeats = 1;
    small.candidates = 2;
    small.max_new_tokens = 3;
    for (const BenchWhat what : {BenchWhat::sft, BenchWhat::ipo, BenchWhat::cdpo, BenchWhat::robust_dpo,
                                 BenchWhat::hinge, BenchWhat::kto, BenchWhat::orpo, BenchWhat::simpo,
                                 BenchWhat::reinforce, BenchWhat::grpo, BenchWhat::ppo}) {
        const BenchResult result = bench(what, TinyModel::path(), small, one_thread(), {});
        EXPECT_GT(result.step_median, 0) << static_cast<int>(what);
        EXPECT_GT(result.tokens_per_s, 0) << static_cast<int>(what);
    }
}

}  // namespace
}  // namespace plumbline::testing
