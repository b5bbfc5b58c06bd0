#include "core/text/byte_pairs.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace plumbline {
namespace {

using Rules = std::map<std::pair<int, int>, std::pair<int, int>>;  // pair to rank, merged

/// The definition, word for word: quadratic.
std::vector<int> merged_by_definition(std::vector<int> tokens, const Rules& rules) {
    for (;;) {
        int best_rank = -1;
        std::size_t best = 0;
        for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
            const auto rule = rules.find({tokens[i], tokens[i + 1]});
            if (rule != rules.end() && (best_rank < 0 || rule->second.first < best_rank)) {
                best_rank = rule->second.first;
                best = i;
            }
        }
        if (best_rank < 0) return tokens;
        tokens[best] = rules.at({tokens[best], tokens[best + 1]}).second;
        tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}

TEST(BytePairs, MergesByRankThenFromTheLeft) {
    std::mt19937 random(5);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    int shortened = 0;
    for (int round = 0; round < 60; ++round) {
        Rules rules;
        BytePairs pairs(40);
        int tokens = 4;  // a small alphabet makes many overlapping pairs
        for (int rank = 0; rank < 40; ++rank) {
            const std::pair<int, int> pair = {below(tokens), below(tokens)};
            if (rules.contains(pair)) continue;
            rules[pair] = {rank, tokens};
            pairs.add(pair.first, pair.second, rank, tokens);
            ++tokens;
        }
        for (const std::size_t length : {0, 1, 2, 3, 7, 31, 32, 33, 64, 300}) {
            std::vector<int> word(length);
            for (int& token : word) token = below(4);
            const std::vector<int> expected = merged_by_definition(word, rules);
            shortened += expected.size() < word.size();
            pairs.merge(word);
            ASSERT_EQ(word, expected) << "round " << round << ", length " << length;
        }
    }
    EXPECT_GT(shortened, 200);
}

TEST(BytePairs, ALaterRuleForAPairTakesTheEarlierPlace) {
    BytePairs pairs(2);
    pairs.add(1, 2, 0, 10);
    pairs.add(1, 2, 1, 11);
    std::vector<int> word = {1, 2};
    pairs.merge(word);
    EXPECT_EQ(word, std::vector<int>{11});
}

TEST(BytePairs, ALongWordTakesNoQuadraticTime) {
    BytePairs pairs(2);
    pairs.add(0, 0, 0, 1);
    pairs.add(1, 1, 1, 2);
    std::vector<int> word(1 << 18, 0);  // by definition: 10^10 steps
    pairs.merge(word);
    EXPECT_EQ(word, std::vector<int>(1 << 16, 2));
}

}  // namespace
}  // namespace plumbline
