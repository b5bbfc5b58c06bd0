#include "core/sampling/token_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/api/errors.h"
#include "core/sampling/counter_random.h"

namespace plumbline {
namespace {

SamplingConfig plain() {
    SamplingConfig config;
    config.temperature = 1;
    config.top_p = 1;
    return config;
}

// Probabilities 0.5, 0.25, 0.125, 0.125 as logits (ids out of order on purpose).
const std::vector<float> logits{std::log(0.125f), std::log(0.5f), std::log(0.125f), std::log(0.25f)};

std::map<int, double> kept(const SamplingConfig& config) {
    TokenSampler sampler;
    std::map<int, double> out;
    for (const auto& [id, p] : sampler.distribution(logits, config)) {
        out[id] = p;
    }
    return out;
}

TEST(TokenSampler, KeepsEverythingByDefault) {
    const auto d = kept(plain());
    EXPECT_NEAR(d.at(1), 0.5, 1e-6);
    EXPECT_NEAR(d.at(3), 0.25, 1e-6);
    EXPECT_NEAR(d.at(0), 0.125, 1e-6);
    EXPECT_NEAR(d.at(2), 0.125, 1e-6);
}

TEST(TokenSampler, TopKRenormalises) {
    SamplingConfig config = plain();
    config.top_k = 2;
    const auto d = kept(config);
    EXPECT_EQ(d.size(), 2u);
    EXPECT_NEAR(d.at(1), 2.0 / 3, 1e-6);
}

// 0.5 + 0.25 reaches 0.7; the smallest set that does has two tokens.
TEST(TokenSampler, TopPKeepsTheSmallestSetThatReachesIt) {
    SamplingConfig config = plain();
    config.top_p = 0.7;
    EXPECT_EQ(kept(config).size(), 2u);
    config.top_p = 0.76;
    EXPECT_EQ(kept(config).size(), 3u);
    EXPECT_TRUE(kept(config).contains(0)) << "of equals the lower id stays";
}

// Top-p within top-k: of {0.5, 0.25, 0.125} (whole 0.875), 0.85 needs 0.74375: two tokens.
TEST(TokenSampler, TopPCountsWithinTopK) {
    SamplingConfig config = plain();
    config.top_k = 3;
    config.top_p = 0.85;
    EXPECT_EQ(kept(config).size(), 2u);
    config.top_p = 0.86;   // 0.7525 needs the third
    EXPECT_EQ(kept(config).size(), 3u);
}

TEST(TokenSampler, MinPIsRelativeToTheLikeliest) {
    SamplingConfig config = plain();
    config.min_p = 0.3;
    EXPECT_EQ(kept(config).size(), 2u);
    config.min_p = 0.2;
    EXPECT_EQ(kept(config).size(), 4u);
}

// T = 0.5 squares the probabilities: 0.25, 0.0625, 0.015625 twice; sum 0.34375.
TEST(TokenSampler, TemperatureSharpens) {
    SamplingConfig config = plain();
    config.temperature = 0.5;
    EXPECT_NEAR(kept(config).at(1), 0.25 / 0.34375, 1e-6);
}

TEST(TokenSampler, GreedyTakesTheLikeliest) {
    SamplingConfig config = plain();
    config.temperature = 0;
    TokenSampler sampler;
    const SampledToken token = sampler.sample(logits, config, 0.999);
    EXPECT_EQ(token.id, 1);
    EXPECT_NEAR(token.logprob, std::log(0.5), 1e-6);
}

// The log-prob is of the tempered distribution before truncation.
TEST(TokenSampler, LogprobIgnoresTruncation) {
    SamplingConfig config = plain();
    config.top_k = 1;
    TokenSampler sampler;
    EXPECT_NEAR(sampler.sample(logits, config, 0.5).logprob, std::log(0.5), 1e-6);
}

// 20,000 draws against the exact distribution of a 2,000-token vocabulary with top-k, top-p, min-p and temperature;
// bins of expectation under 5 are merged. The chi-square bound is mean + 4.5 standard deviations.
TEST(TokenSampler, DrawsFollowTheExactDistribution) {
    std::vector<float> wide(2000);
    for (std::size_t i = 0; i < wide.size(); ++i) {
        wide[i] = static_cast<float>(6 * uniform({9, 0, 0, 0, static_cast<std::uint32_t>(i)}));
    }
    SamplingConfig config;
    config.temperature = 0.8;
    config.top_k = 600;
    config.top_p = 0.9;
    config.min_p = 0.01;
    TokenSampler sampler;
    const auto exact = sampler.distribution(wide, config);
    const auto chi_square = [&](double skew) {
        std::map<int, int> counts;
        constexpr int draws = 20000;
        for (std::uint32_t i = 0; i < draws; ++i) {
            const double u = std::pow(uniform({5, 1, 0, 0, i}), skew);
            ++counts[sampler.sample(wide, config, u).id];
        }
        double chi = 0, merged_expected = 0;
        int merged_seen = 0, bins = 0;
        for (const auto& [id, p] : exact) {
            const double expected = p * draws;
            if (expected < 5) {
                merged_expected += expected;
                merged_seen += counts[id];
                continue;
            }
            chi += (counts[id] - expected) * (counts[id] - expected) / expected;
            ++bins;
        }
        if (merged_expected > 0) {
            chi += (merged_seen - merged_expected) * (merged_seen - merged_expected) / merged_expected;
            ++bins;
        }
        return (chi - (bins - 1)) / std::sqrt(2.0 * (bins - 1));   // standard deviations from the mean
    };
    EXPECT_LT(chi_square(1.0), 4.5);
    EXPECT_GT(chi_square(1.15), 4.5) << "a slightly bent source is told apart";
}

TEST(TokenSampler, RefusesWhatIsNotANumber) {
    TokenSampler sampler;
    std::vector<float> bad{0, std::numeric_limits<float>::quiet_NaN()};
    EXPECT_THROW(sampler.sample(bad, plain(), 0.5), Error);
    const float none = -std::numeric_limits<float>::infinity();
    std::vector<float> empty{none, none};
    EXPECT_THROW(sampler.sample(empty, plain(), 0.5), Error);
    std::vector<float> one{none, 1};
    EXPECT_EQ(sampler.sample(one, plain(), 0.99).id, 1);
}

}  // namespace
}  // namespace plumbline
