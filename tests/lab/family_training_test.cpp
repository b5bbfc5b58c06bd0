// Every family of models trains: reward models, adapters, and all weights into a file that scores as it was trained.

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/lab/training.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {
namespace {

namespace fs = std::filesystem;

/// What has no place in a GGUF file.
const std::map<std::string, std::string> not_as_gguf = {
    {"opt", "llama.cpp has no models of the family opt"},
    {"gemma3", "query_pre_attn_scalar is not the 12 that llama.cpp takes for it"}};

/// Folders and GGUF files of tests/golden/families.
std::vector<std::string> models() {
    std::vector<std::string> out;
    const nlohmann::json golden = golden_json("families.json");
    for (const auto& row : golden.at("models")) {
        for (const char* kind : {"folder", "gguf"}) {
            if (row.contains(kind)) {
                out.push_back(row.at(kind));
            }
        }
    }
    return out;
}

class FamilyTraining : public Training, public ::testing::WithParamInterface<std::string> {
  protected:
    template <class Config>
    TrainRequest of_family(const Config& config, const std::string& data, const std::string& out) const {
        TrainRequest made = request(config, data, out);
        made.model = model_;
        return made;
    }
    std::string a_pair() const {
        return write("pairs.jsonl", R"({"prompt":"the hat","chosen":" a cat","rejected":" no"})" "\n");
    }
    double margin(const std::string& adapter) const {
        const auto scores = logprobs(model_, adapter, {{std::string("the hat"), std::string(" a cat")},
                                                       {std::string("the hat"), std::string(" no")}},
                                     one_thread(), {});
        return scores[0].sum - scores[1].sum;
    }
    const std::string model_ = golden_path("families/" + GetParam()).string();
};

TEST_P(FamilyTraining, ARewardModelLearnsWhichReplyIsBetter) {
    RewardConfig config = small<RewardConfig>(1e-2);
    config.steps = 10;
    const TrainRequest made = of_family(config, a_pair(), "reward");
    const auto loss = run(made).of("loss/reward");
    EXPECT_LT(loss.back(), loss.front() - 0.1);
    const auto scores = rewards(model_, made.out.string(), {{std::string("the hat"), std::string(" a cat</s>")},
                                                            {std::string("the hat"), std::string(" no</s>")}},
                                one_thread(), {});
    EXPECT_GT(scores[0].reward, scores[1].reward);
}

TEST_P(FamilyTraining, AnAdapterLearnsAPreference) {
    DpoConfig config = small<DpoConfig>(1e-2);
    config.steps = 4;
    const TrainRequest made = of_family(config, a_pair(), "adapter");
    const auto margins = run(made).of("rewards/margin");
    EXPECT_GT(margins.back(), margins.front());
    EXPECT_GT(margin(made.out.string()), margin("") + 0.01);
}

TEST_P(FamilyTraining, AllWeightsScoreFromTheirFileAsTheyWereTrained) {
    SftConfig config = small<SftConfig>(1e-2);
    config.steps = 1;
    // Within the windows of some, which llama.cpp leaves out.
    const std::string data = write("d.jsonl", R"({"prompt":"hat","completion":" cat"})");
    const TrainRequest made = of_family(config, data, "trained.gguf");
    if (const auto refused = not_as_gguf.find(GetParam()); refused != not_as_gguf.end()) {
        expect_error_form(error_from([&] { run(made); }), refused->second + "; write a folder instead");
        EXPECT_FALSE(fs::exists(made.out));
        return;
    }
    const TrainResult result = run(made).result;
    const bool windowed = GetParam() == "mistral" || GetParam() == "qwen3" || GetParam() == "phi3";
    ASSERT_EQ(result.notes.size(), windowed ? 1U : 0U);
    EXPECT_TRUE(!windowed || result.notes[0].find("leaves this model's window") != std::string::npos);
    // The second step tells the loss of the weights after the first.
    config.steps = 2;
    const auto loss = run(of_family(config, data, "more.gguf")).of("loss/policy");
    TrainRequest more = of_family(config, data, "again");
    more.model = made.out.string();
    const double after = run(more).of("loss/policy").front();
    constexpr double tolerance = 1e-4;
    EXPECT_NEAR(after, loss[1], tolerance);
    EXPECT_GT(std::abs(after - loss[0]), 10 * tolerance) << "the weights before would be told apart";
}

INSTANTIATE_TEST_SUITE_P(All, FamilyTraining, ::testing::ValuesIn(models()), [](const auto& one) {
    std::string name = one.param;
    std::ranges::replace(name, '.', '_');
    return name;
});

}  // namespace
}  // namespace plumbline::testing
