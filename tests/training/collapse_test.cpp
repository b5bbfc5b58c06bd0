#include "core/training/collapse.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/api/errors.h"

namespace plumbline {
namespace {

TEST(ReplyStatistics, AreDerivedByHand) {
    // "1 2 3 1 2 3 1": runs 123 231 312 123 231, of which the last two came before. "4 5": no run. Nothing:
    // no token.
    const std::vector<int> ring = {1, 2, 3, 1, 2, 3, 1}, two = {4, 5}, none;
    const std::vector<float> of_ring(7, -0.5F), of_two = {-1.0F, -3.0F}, of_none;
    const std::vector<DrawnReply> replies = {
        {ring, of_ring, false}, {two, of_two, true}, {none, of_none, true}};
    const ReplyStatistics s = reply_statistics(replies);
    EXPECT_EQ(s.replies, 3);
    EXPECT_DOUBLE_EQ(s.entropy, 7.5 / 9);  // (7 * 0.5 + 4) / 9: a mean over tokens, not over replies
    EXPECT_DOUBLE_EQ(s.repetition, 2.0 / 5);
    EXPECT_DOUBLE_EQ(s.length, 3);
    EXPECT_DOUBLE_EQ(s.eos_rate, 2.0 / 3);
}

TEST(ReplyStatistics, CountRepetitionWithinAReplyOnly) {
    const std::vector<int> ids = {1, 2, 3};
    const std::vector<float> logprobs(3, -1);
    const std::vector<DrawnReply> twice = {{ids, logprobs, true}, {ids, logprobs, true}};
    EXPECT_EQ(reply_statistics(twice).repetition, 0);
}

TEST(ReplyStatistics, OfNothingAreZero) {
    const ReplyStatistics s = reply_statistics({});
    EXPECT_EQ(s.replies, 0);
    EXPECT_EQ(s.entropy, 0);
    EXPECT_EQ(s.length, 0);
    const std::vector<int> ids = {1, 2};
    const std::vector<float> logprobs = {-1};
    const DrawnReply damaged{ids, logprobs, true};
    EXPECT_THROW(reply_statistics({&damaged, 1}), Error);
}

const ReplyStatistics healthy{32, 2.0, 0.05, 20, 0.9};

/// What is said when the latest replies differ from healthy ones by `set`.
std::string said(const std::function<void(ReplyStatistics&)>& set, const CollapseLimits& limits = {}) {
    ReplyStatistics now = healthy;
    set(now);
    return collapse(healthy, now, limits).value_or("nothing");
}

TEST(Collapse, LeavesUsualTrainingAlone) {
    EXPECT_EQ(said([](auto&) {}), "nothing");
    // As measured: a taste for short replies more than halves the length, politeness loses half the variety.
    EXPECT_EQ(said([](auto& s) {
                  s.length = 7;
                  s.entropy = 0.8;
                  s.repetition = 0.1;
                  s.eos_rate = 1;
              }),
              "nothing");
}

TEST(Collapse, SeesEachSignJustBeyondItsLimit) {
    EXPECT_EQ(said([](auto& s) { s.entropy = 0.2; }), "nothing");
    EXPECT_NE(
        said([](auto& s) { s.entropy = 0.199; }).find("entropy is 0.199 nats a token, at first 2, limit 0.2"),
        std::string::npos);
    EXPECT_EQ(said([](auto& s) { s.repetition = 0.35; }), "nothing");
    EXPECT_NE(
        said([](auto& s) {
            s.repetition = 0.36;
        }).find("36% of their runs of three tokens came before in the same reply, at first 5%, limit 35%"),
        std::string::npos);
    EXPECT_EQ(said([](auto& s) { s.length = 4; }), "nothing");
    EXPECT_NE(
        said([](auto& s) { s.length = 3.9; }).find("almost gone: 3.9 tokens each, at first 20, limit 4"),
        std::string::npos);
    EXPECT_EQ(said([](auto& s) { s.length = 100; }), "nothing");
    EXPECT_NE(
        said([](auto& s) { s.length = 101; }).find("out of bounds: 101 tokens each, at first 20, limit 100"),
        std::string::npos);
    EXPECT_EQ(said([](auto& s) { s.eos_rate = 0.21; }), "nothing");
    EXPECT_NE(said([](auto& s) {
                  s.eos_rate = 0.19;
              }).find("19% of them end before the length cap, at first 90%, limit 20%"),
              std::string::npos);
}

TEST(Collapse, NamesAllSignsAndWhatToDo) {
    EXPECT_EQ(
        said([](auto& s) {
            s.entropy = 0.1;
            s.eos_rate = 0;
        }),
        "the policy has collapsed: the replies are all but fixed: their entropy is 0.1 nats a token, at "
        "first 2, "
        "limit 0.2, and the replies no longer end: 0% of them end before the length cap, at first 90%, limit "
        "20%; undo the last votes, or train on with a lower rate or a higher KL weight");
}

TEST(Collapse, OfEmptyRepliesIsSeen) {
    EXPECT_NE(said([](auto& s) {
                  s.length = 0;
                  s.entropy = 0;
                  s.repetition = 0;
              }).find("almost gone: 0 tokens"),
              std::string::npos);
}

TEST(Collapse, ChecksAreSwitchedOffByZero) {
    CollapseLimits off;
    off.entropy_share = off.repetition_rise = off.length_factor = off.eos_fall = 0;
    EXPECT_EQ(said(
                  [](auto& s) {
                      s.entropy = 0;
                      s.repetition = 1;
                      s.length = 0;
                      s.eos_rate = 0;
                  },
                  off),
              "nothing");
}

TEST(Collapse, SaysNothingOfAFewReplies) {
    const auto fixed = [](int replies) {
        return [replies](ReplyStatistics& s) {
            s.entropy = 0;
            s.replies = replies;
        };
    };
    EXPECT_EQ(said(fixed(7)), "nothing");
    EXPECT_NE(said(fixed(8)), "nothing");
    ReplyStatistics few = healthy, now = healthy;
    few.replies = 3;
    now.entropy = 0;
    EXPECT_FALSE(collapse(few, now, {}).has_value());
    few.replies = 4;
    EXPECT_TRUE(collapse(few, now, {}).has_value());
}

TEST(CollapseLimits, AreCheckedByNameAndRange) {
    const auto message = [](const std::function<void(CollapseLimits&)>& set) -> std::string {
        CollapseLimits limits;
        set(limits);
        try {
            validate(limits);
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message([](auto&) {}), "accepted");
    EXPECT_EQ(message([](auto& l) { l.length_factor = 0; }), "accepted");
    EXPECT_EQ(message([](auto& l) { l.entropy_share = 1.5; }),
              "collapse limits: entropy_share is 1.5; use 0..1");
    EXPECT_EQ(message([](auto& l) { l.repetition_rise = -1; }),
              "collapse limits: repetition_rise is -1; use 0..1");
    EXPECT_EQ(message([](auto& l) { l.length_factor = 0.5; }),
              "collapse limits: length_factor is 0.5; use 1..100");
    EXPECT_EQ(message([](auto& l) { l.eos_fall = std::numeric_limits<double>::quiet_NaN(); }),
              "collapse limits: eos_fall is nan; use 0..1");
    EXPECT_EQ(message([](auto& l) { l.fewest_now = 0; }),
              "collapse limits: fewest_now is 0; use 1..1e+06");
}

TEST(EqualGroups, AreCountedByTheirSpread) {
    const std::vector<double> rewards = {1, 1, 1, 0.5, 0.5, 0.6, 0, 0, 0};
    EXPECT_EQ(equal_groups(rewards, 3).equal, 2);
    EXPECT_EQ(equal_groups(rewards, 3).groups, 3);
    EXPECT_DOUBLE_EQ(equal_groups(rewards, 3).share(), 2.0 / 3);
    EXPECT_EQ(equal_groups(rewards, 9).equal, 0);
    EXPECT_EQ(equal_groups(rewards, 1).equal, 9) << "one reply alone is no better than itself";
    EXPECT_EQ(equal_groups({}, 4).groups, 0);
    EXPECT_EQ(equal_groups({}, 4).share(), 0);
    EXPECT_THROW(equal_groups(rewards, 4), Error);
    EXPECT_THROW(equal_groups(rewards, 0), Error);
}

TEST(EqualGroups, AllowForRounding) {
    const std::vector<double> rounded = {0.3, 0.3 + 0.9e-6}, apart = {0.3, 0.3 + 1.1e-6};
    EXPECT_EQ(equal_groups(rounded, 2).equal, 1);
    EXPECT_EQ(equal_groups(apart, 2).equal, 0);
    const std::vector<double> broken = {std::numeric_limits<double>::quiet_NaN(), 1};
    EXPECT_EQ(equal_groups(broken, 2).equal, 0);
}

TEST(EqualGroups, AreExplained) {
    EXPECT_FALSE(explain({0, 8}).has_value());
    EXPECT_FALSE(explain({0, 0}).has_value());
    EXPECT_EQ(explain({3, 8}).value_or(""),
              "the replies of 3 of 8 groups got equal rewards, and teach nothing: none is better than its "
              "group; raise "
              "the temperature or the group_size, or use a reward that tells such replies apart");
    EXPECT_TRUE(explain({8, 8}).value_or("").starts_with("the replies of all 8 groups got"));
    EXPECT_TRUE(explain({1, 1}).value_or("").starts_with("the replies of the only group got"));
}

}  // namespace
}  // namespace plumbline
