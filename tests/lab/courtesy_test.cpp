// The bundled model and a person who likes polite answers: from half of them to nine in ten, whatever the seed.

#include <gtest/gtest.h>

#include <cmath>

#include "core/api/offline.h"
#include "core/api/recommended.h"
#include "tests/lab/tiny_lab.h"

namespace plumbline::testing {
namespace {

class Courtesy : public ::testing::TestWithParam<std::uint64_t> {
  protected:
    static SimulateResult after_clicks(int clicks, std::uint64_t seed) {
        SimulateRequest request;
        request.model = "courtesy";
        request.judge = "polite";
        request.clicks = clicks;
        request.heldout_samples = 2;
        request.config.seed = seed;
        request.config.live.algorithm = Algorithm::rloo;
        recommend(request.config, inspect_model("courtesy", "f32").parameters);
        EngineOptions options;
        options.threads = 1;
        return simulate(request, options, {}, [](const SimulatedClick&) {}, {});
    }
};

TEST_P(Courtesy, BecomesPoliteInTenClicks) {
    const SimulateResult result = after_clicks(10, GetParam());
    EXPECT_EQ(result.after.n, 44);
    EXPECT_GT(result.before.high, 0.4);
    EXPECT_LT(result.before.low, 0.6) << "the model answers politely about half the time";
    EXPECT_GE(result.after.share, 0.9);
    EXPECT_TRUE(std::isfinite(result.kl));
    EXPECT_LT(result.kl, 8);
    EXPECT_LT(result.nll_after, result.nll_before + 0.25) << "it still writes as it was taught, nats a token";
}

INSTANTIATE_TEST_SUITE_P(Seeds, Courtesy, ::testing::Values(1, 2, 3));

// A dozen times the usual rate and no leash: after a click or two it writes one word over and over. Only four replies were
// drawn before it learned.
TEST_F(Courtesy, ACollapseHaltsTraining) {
    SimulateRequest request;
    request.model = "courtesy";
    request.judge = "long";
    request.clicks = 8;
    request.heldout_samples = 1;
    request.config.seed = 5;
    request.config.live.algorithm = Algorithm::rloo;
    recommend(request.config, inspect_model("courtesy", "f32").parameters);
    request.config.live.lr = 5;
    request.config.live.beta = 0;
    request.config.live.kl_limit = 1000;
    EngineOptions options;
    options.threads = 1;
    const auto words = error_from([&] { simulate(request, options, {}, [](const SimulatedClick&) {}, {}); });
    EXPECT_NE(words.find("the policy has collapsed: "), std::string::npos) << words;
    EXPECT_NE(words.find("repeat themselves"), std::string::npos) << words;
}

TEST_F(Courtesy, StaysAsItWasWithoutClicks) {
    const SimulateResult result = after_clicks(0, 1);
    EXPECT_EQ(result.after.share, result.before.share);
    EXPECT_LT(result.after.share, 0.9) << "so the test above can fail";
    EXPECT_NEAR(result.kl, 0, 1e-3);
}

}  // namespace
}  // namespace plumbline::testing
