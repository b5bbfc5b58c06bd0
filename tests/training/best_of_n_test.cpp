#include "core/training/best_of_n.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/api/errors.h"
#include "core/training/adamw.h"

namespace plumbline {
namespace {

// Groups of two with scores 0, 1 | 5 without EOS (-1), 0.5 | 2, 2 | 3, 1.
std::vector<Rollout> some_groups() {
    const double scores[] = {0, 1, 5, 0.5, 2, 2, 3, 1};
    std::vector<Rollout> out;
    for (int i = 0; i < 8; ++i) {
        Rollout r;
        r.sequence = join({5, 6}, {10 + i, 2});
        r.score = scores[i];
        r.ended = i != 2;
        out.push_back(r);
    }
    return out;
}

PolicyGradientSettings groups_of_two() {
    PolicyGradientSettings settings;
    settings.group_size = 2;
    return settings;
}

TEST(BestOfN, ChoosesTheHighestScoreOfEachGroup) {
    PolicyGradientSettings settings = groups_of_two();
    EXPECT_EQ(best_of_groups(some_groups(), settings), (std::vector<std::size_t>{1, 3, 4, 6}));
    settings.keep_score_without_eos = true;
    EXPECT_EQ(best_of_groups(some_groups(), settings), (std::vector<std::size_t>{1, 2, 4, 6}));
    settings.group_size = 8;
    EXPECT_EQ(best_of_groups(some_groups(), settings), (std::vector<std::size_t>{2}));
}

TEST(BestOfN, DemonstrationsLeaveOutGroupsWithoutABest) {
    auto rollouts = some_groups();
    const auto demonstrations = best_as_demonstrations(rollouts, groups_of_two());
    ASSERT_EQ(demonstrations.size(), 3u);  // not the third group
    EXPECT_EQ(demonstrations[0].sequence.ids, rollouts[1].sequence.ids);
    EXPECT_EQ(demonstrations[1].sequence.ids, rollouts[3].sequence.ids);
    EXPECT_EQ(demonstrations[2].sequence.ids, rollouts[6].sequence.ids);
    rollouts[6].sequence = join({5, 6}, {});
    EXPECT_EQ(best_as_demonstrations(rollouts, groups_of_two()).size(), 2u) << "a reply of no tokens";
}

TEST(BestOfN, DegenerateGroups) {
    auto rollouts = some_groups();
    EXPECT_TRUE(best_of_groups({}, groups_of_two()).empty());
    EXPECT_THROW(best_of_groups(std::span(rollouts).first(3), groups_of_two()), Error);
    PolicyGradientSettings alone = groups_of_two();
    alone.group_size = 1;
    EXPECT_EQ(best_as_demonstrations(rollouts, alone).size(), 8u) << "each is the best of one";
    alone.group_size = 0;
    EXPECT_THROW(best_of_groups(rollouts, alone), ConfigError);
    rollouts[0].score = NAN;
    EXPECT_THROW(best_of_groups(rollouts, groups_of_two()), NonFinite);
}

// The bound for scores without ties: n = 1 is the policy itself; log 2 - 1/2; log 4 - 3/4.
TEST(BestOfN, KlBound) {
    EXPECT_EQ(best_of_n_kl(1), 0);
    EXPECT_NEAR(best_of_n_kl(2), 0.19315, 1e-5);
    EXPECT_NEAR(best_of_n_kl(4), 0.63629, 1e-5);
    EXPECT_THROW(best_of_n_kl(0), ConfigError);
}

// Exact: over K equally likely replies with different scores, the best of n is the k-th with probability
// (k^n - (k-1)^n) / K^n. Its KL from uniform stays below the bound and comes near it as K grows.
TEST(BestOfN, KlBoundHoldsAndIsReached) {
    const auto exact = [](int n, int replies) {
        double kl = 0;
        for (int k = 1; k <= replies; ++k) {
            const double p = std::pow(static_cast<double>(k) / replies, n) -
                             std::pow(static_cast<double>(k - 1) / replies, n);
            kl += p > 0 ? p * std::log(p * replies) : 0;
        }
        return kl;
    };
    for (const int n : {2, 4, 16}) {
        EXPECT_LT(exact(n, 8), best_of_n_kl(n));
        EXPECT_NEAR(exact(n, 100000), best_of_n_kl(n), 1e-4);
    }
}

}  // namespace
}  // namespace plumbline
