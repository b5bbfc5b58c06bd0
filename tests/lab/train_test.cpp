// The training stages of the command line: order of the data, rates, results, and what is written.

#include <array>
#include <cmath>
#include <set>

#include "tests/lab/training.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

class OrderOfData : public Training {
  protected:
    /// Log-probabilities of each row's chosen reply, in the order in which a training that changes nothing
    /// meets them.
    std::vector<double> order(DpoConfig config, int rows) const {
        config.lr = 0;
        config.batch_size = 1;
        return run(request(config, pairs(rows))).of("logps/chosen");
    }
};

TEST_F(OrderOfData, KeepsTheFilesOrderUnlessShuffled) {
    DpoConfig config;
    config.epochs = 2;
    config.shuffle = false;
    const auto plain = order(config, 6);
    ASSERT_EQ(plain.size(), 12U);
    for (int i = 0; i < 6; ++i) {
        EXPECT_EQ(plain[i], plain[i + 6]) << "each epoch the same";
        EXPECT_GT(plain[i], i < 5 ? plain[i + 1] : -1e9) << "row " << i << " is shorter than the next";
    }
    config.shuffle = true;
    const auto shuffled = order(config, 6);
    const auto epoch = [&](const std::vector<double>& all, int n) {
        return std::vector<double>(all.begin() + 6 * n, all.begin() + 6 * (n + 1));
    };
    const auto sorted = [](std::vector<double> values) {
        std::sort(values.rbegin(), values.rend());
        return values;
    };
    EXPECT_EQ(sorted(epoch(shuffled, 0)), epoch(plain, 0)) << "each row once an epoch";
    EXPECT_EQ(sorted(epoch(shuffled, 1)), epoch(plain, 0));
    EXPECT_NE(epoch(shuffled, 0), epoch(plain, 0));
    EXPECT_NE(epoch(shuffled, 1), epoch(shuffled, 0)) << "each epoch an order of its own";
    EXPECT_EQ(order(config, 6), shuffled) << "a function of the seed";
    config.seed = 1;
    EXPECT_NE(order(config, 6), shuffled);
}

TEST_F(OrderOfData, ShufflesFairly) {
    DpoConfig config;
    config.epochs = 60;
    const auto all = order(config, 3);
    std::map<std::vector<double>, int> orders;
    for (std::size_t i = 0; i + 3 <= all.size(); i += 3) {
        ++orders[{all.begin() + static_cast<std::ptrdiff_t>(i),
                  all.begin() + static_cast<std::ptrdiff_t>(i) + 3}];
    }
    EXPECT_EQ(orders.size(), 6U) << "all orders of three rows";
    for (const auto& [_, times] : orders) {
        EXPECT_GE(times, 2) << "ten expected, 2.9 the deviation";
        EXPECT_LE(times, 20);
    }
}

TEST_F(Training, StepsAndEpochsDecideTheLength) {
    DpoConfig config = small<DpoConfig>(0);
    EXPECT_EQ(run(request(config, pairs(5))).result.steps, 3) << "2, 2 and 1 rows";
    config.epochs = 2;
    EXPECT_EQ(run(request(config, pairs(5))).result.steps, 6);
    config.steps = 4;
    const Run four = run(request(config, pairs(5)));
    EXPECT_EQ(four.result.steps, 4) << "steps go before epochs";
    EXPECT_EQ(four.steps.back().step, 4);
    EXPECT_EQ(four.result.last, four.steps.back().values);
}

// Eight steps, two of warm-up, rate 0.1: 0 and half of it, then six steps from the whole of it on.
TEST_F(Training, RatesFollowTheSchedule) {
    DpoConfig config = small<DpoConfig>(0.1);
    config.steps = 8;
    config.warmup_steps = 2;
    const auto rates = [&](Schedule schedule) {
        config.schedule = schedule;
        return run(request(config, pairs(4))).of("lr");
    };
    const auto expect = [](const std::vector<double>& found, const std::array<double, 8>& wanted) {
        ASSERT_EQ(found.size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            EXPECT_NEAR(found[i], wanted[i], 1e-12) << "step " << i + 1;
            EXPECT_GT(std::abs(found[i] - wanted[i] - 1e-11), 1e-12) << "a little off is seen";
        }
    };
    expect(rates(Schedule::constant), {0, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1});
    expect(rates(Schedule::linear),
           {0, 0.05, 0.1, 0.1 * 5 / 6, 0.1 * 4 / 6, 0.1 * 3 / 6, 0.1 * 2 / 6, 0.1 / 6});
    // (1 + cos(k pi / 6)) / 2 for k = 0..5
    const double r = std::sqrt(3.0) / 2;
    expect(rates(Schedule::cosine),
           {0, 0.05, 0.1, 0.05 * (1 + r), 0.05 * 1.5, 0.05, 0.05 * 0.5, 0.05 * (1 - r)});
}

TEST_F(Training, DpoPrefersWhatWasChosenAndIsReproducible) {
    DpoConfig config = small<DpoConfig>(1e-2);
    config.steps = 30;
    const Run first = run(request(config, pairs(4), "a"));
    const auto loss = first.of("loss/policy");
    EXPECT_NEAR(loss.front(), std::log(2.0), 1e-4) << "policy and reference are the same at first";
    EXPECT_LT(loss.back(), 0.5 * loss.front());
    EXPECT_EQ(first.of("rewards/accuracy").back(), 1);
    const Run again = run(request(config, pairs(4), "b"));
    EXPECT_EQ(again.of("loss/policy"), loss);
    const auto weights = [&](const char* out) {
        return read_whole(folder_ / out / "adapter_model.safetensors");
    };
    EXPECT_EQ(weights("a"), weights("b"));
    config.seed = 1;
    run(request(config, pairs(4), "c"));
    EXPECT_NE(weights("c"), weights("a"));

    // The adapter scores as the training said, and another training begins where it ended.
    const ScoreRequest chosen{std::string("Question?"), tokenize(TinyModel::path(), {"y<|im_end|>"})[0].ids};
    const double before = logprobs(TinyModel::path(), "", {chosen}, one_thread(), {})[0].sum;
    const double after =
        logprobs(TinyModel::path(), (folder_ / "a").string(), {chosen}, one_thread(), {})[0].sum;
    EXPECT_GT(after, before + 0.1);
    TrainRequest more = request(config, pairs(1), "d");
    more.init_adapter = folder_ / "a";
    std::get<DpoConfig>(more.config).batch_size = 1;
    std::get<DpoConfig>(more.config).steps = 1;
    EXPECT_NEAR(run(more).of("logps/chosen").front(), after, 1e-4);
    EXPECT_GT(std::abs(before - after), 1e-4) << "the untrained one is told apart";
}

TEST_F(Training, ARewardModelScoresWhatWasChosenHigher) {
    RewardConfig config = small<RewardConfig>(1e-2);
    config.steps = 30;
    const Run trained = run(request(config, pairs(4), "reward"));
    EXPECT_LT(trained.of("loss/reward").back(), 0.5 * trained.of("loss/reward").front());
    const auto ends = [](const char* text) { return std::string(text) + "<|im_end|>"; };
    const auto scores = rewards(
        TinyModel::path(), (folder_ / "reward").string(),
        {{std::string("Question?"), ends("yy")}, {std::string("Question?"), ends("no 1")}}, one_thread(), {});
    ASSERT_EQ(scores.size(), 2U);
    EXPECT_GT(scores[0].reward, scores[1].reward + 0.5);
    for (const RewardResult& score : scores) {
        EXPECT_EQ(score.reward, score.token_rewards.back()) << "the prefix that is the whole reply";
    }
    EXPECT_EQ(scores[0].token_rewards.size(), tokenize(TinyModel::path(), {ends("yy")})[0].ids.size());
    EXPECT_NE(error_from([&] {
                  rewards(TinyModel::path(), (folder_ / "none").string(),
                          {{std::string("a"), std::string("b")}}, one_thread(), {});
              }).find("none"),
              std::string::npos);
}

class RlooTraining : public Training {
  protected:
    void SetUp() override {
        RewardConfig config = small<RewardConfig>(1e-2);
        config.steps = 20;
        TrainRequest made = request(config, pairs(4), "reward");
        made.model = TinyModel::ending_path();
        run(made);
    }
    TrainRequest rloo(const RlooConfig& config, const std::string& out = "out") const {
        TrainRequest made = request(config, prompts(), out);
        made.model = TinyModel::ending_path();
        made.reward_adapter = folder_ / "reward";
        return made;
    }
    static RlooConfig few() {
        RlooConfig config = small<RlooConfig>(1e-2);
        config.max_new_tokens = 24;
        config.group_size = 6;
        return config;
    }
};

TEST_F(RlooTraining, TakesStepsAndIsReproducible) {
    RlooConfig config = few();
    config.epochs = 3;
    const Run first = run(rloo(config, "a"));
    EXPECT_EQ(first.result.steps, 6);
    for (const double ratio : first.of("policy/ratio")) {
        EXPECT_NEAR(ratio, 1, 1e-3) << "each step on replies of the policy as it is";
    }
    EXPECT_NEAR(first.of("objective/kl").front(), 0, 1e-3);
    EXPECT_GT(std::abs(first.of("objective/kl").back()), 1e-3) << "the policy moves";
    for (const char* name : {"loss/policy", "objective/score", "objective/rlhf_reward", "tokens/eos_rate",
                             "tokens/response_length", "grad_norm", "lr"}) {
        for (const double value : first.of(name)) {
            EXPECT_TRUE(std::isfinite(value)) << name;
        }
    }
    const Run again = run(rloo(config, "b"));
    EXPECT_EQ(again.of("objective/score"), first.of("objective/score"));
    EXPECT_EQ(read_whole(folder_ / "a" / "adapter_model.safetensors"),
              read_whole(folder_ / "b" / "adapter_model.safetensors"));
    config.seed = 1;
    EXPECT_NE(run(rloo(config, "c")).of("objective/score"), first.of("objective/score"));
}

TEST_F(RlooTraining, LearnsSeveralTimesFromOneBatchOfSamples) {
    RlooConfig config = few();
    config.batch_size = 1;
    config.shuffle = false;
    config.beta = 0;
    const Run once = run(rloo(config, "once"));
    config.epochs_per_batch = 2;
    const Run twice = run(rloo(config, "twice"));
    ASSERT_EQ(twice.result.steps, 3) << "a step is a batch of samples";
    EXPECT_EQ(twice.of("objective/score").front(), once.of("objective/score").front()) << "the same samples";
    EXPECT_NEAR(once.of("policy/ratio").front(), 1, 1e-3);
    EXPECT_GT(std::abs(twice.of("policy/ratio").front() - 1), 1e-3)
        << "in the second pass the policy has moved since they were drawn";
    const auto length = twice.of("tokens/response_length");
    EXPECT_EQ((std::set<double>{length[0], length[1], length[2]}).size(), 3U) << "every prompt has its turn";
}

TEST_F(RlooTraining, WrongRequestsSaySo) {
    TrainRequest wrong = rloo(few());
    wrong.reward_adapter.clear();
    expect_error_form(error_from([&] { run(wrong); }), "train: there is nothing to score replies with");
    EXPECT_THROW(run(wrong), ConfigError);
    wrong = rloo(few());
    wrong.reward_adapter = folder_ / "none";
    EXPECT_NE(error_from([&] { run(wrong); }).find("none"), std::string::npos);
    wrong = rloo(few());
    wrong.data = write("long.jsonl", "{\"prompt\":\"" + std::string(400, 'x') + "\"}\n");
    expect_error_form(error_from([&] { run(wrong); }), "exceeds the model's context of 256");
    RlooConfig config = few();
    config.group_size = 1;
    expect_error_form(error_from([&] { run(rloo(config)); }), "group_size");
    EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Training, SkipsRowsThatCannotBeUsedAndSaysWhich) {
    DpoConfig config = small<DpoConfig>();
    config.max_length = 20;
    const std::string data = write("mixed.jsonl",
                                   "{\"prompt\":\"Q\",\"chosen\":\"y\",\"rejected\":\"n\"}\n"
                                   "{\"prompt\":\"Q\",\"chosen\":\"y\"}\n"
                                   "{\"prompt\":\"" +
                                       std::string(60, 'x') +
                                       "\",\"chosen\":\"y\",\"rejected\":\"n\"}\n"
                                       "no json\n"
                                       "{\"prompt\":\"Q\",\"chosen\":\"yes\",\"rejected\":\"n\"}\n");
    const Run some = run(request(config, data));
    EXPECT_EQ(some.result.steps, 1) << "two good rows";
    std::string skipped;
    for (const std::string& line : some.result.skipped) {
        skipped += line + "\n";
    }
    for (const char* line : {"line 2", "line 3", "line 4"}) {
        EXPECT_NE(skipped.find(line), std::string::npos) << skipped;
    }
    EXPECT_NE(skipped.find("over the limit of 20"), std::string::npos) << skipped;
    EXPECT_EQ(some.result.skipped.size(), 3U);

    config.max_length = 8;
    EXPECT_NE(
        error_from([&] {
            run(request(config,
                        write("long.jsonl",
                              "{\"prompt\":\"Q is long\",\"chosen\":\"yes no\",\"rejected\":\"n\"}\n")));
        }).find("no row can be used"),
        std::string::npos);
    EXPECT_NE(error_from([&] { run(request(config, write("empty.jsonl", ""))); }), "");
    config.lr = -1;
    EXPECT_THROW(run(request(config, data)), ConfigError);
}

TEST_F(Training, ReportsProgress) {
    std::vector<double> seen;
    DpoConfig config = small<DpoConfig>();
    config.steps = 4;
    train(request(config, pairs(4)), one_thread(),
          {{},
           [&](double fraction, const std::string& what) {
               if (what == "training") {
                   seen.push_back(fraction);
               }
           }},
          [](const StepMetrics&) {});
    EXPECT_EQ(seen, (std::vector<double>{0.25, 0.5, 0.75, 1}));
}

}  // namespace
}  // namespace plumbline::testing
