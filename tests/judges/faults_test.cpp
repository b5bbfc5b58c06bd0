// The faults of simulated people: ties, position, length, tastes that go in circles; rankings, thumbs,
// strength.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/api/errors.h"
#include "core/api/judge.h"

namespace plumbline {
namespace {

JudgedReply reply(const std::string& text) {
    return {text, 0, true};
}

std::unique_ptr<Judge> person(const std::string& name, const std::function<void(JudgeOptions&)>& set) {
    JudgeOptions options;
    options.seed = 3;
    set(options);
    return make_judge(name, options);
}

/// Thirty texts that no rule of politeness tells apart.
std::vector<JudgedReply> plain_texts() {
    std::vector<JudgedReply> out;
    for (int i = 0; i < 30; ++i) {
        out.push_back(reply("Answer number " + std::to_string(i) + "."));
    }
    return out;
}

TEST(TieShare, WidensWhatCountsAsEqual) {
    const JudgedReply two = reply("Thanks. Please do."), three = reply("Thanks. Please do. Sorry.");
    EXPECT_EQ(person("polite", [](auto&) {})->choose("", three, two, 0), Choice::left);
    // The difference of 3 and 2 is a third of the larger.
    EXPECT_EQ(person("polite", [](auto& o) { o.tie_share = 0.34; })->choose("", three, two, 0), Choice::tie);
    EXPECT_EQ(person("polite", [](auto& o) { o.tie_share = 0.33; })->choose("", three, two, 0), Choice::left);
    EXPECT_EQ(person("polite", [](auto& o) { o.tie_share = 0.99; })->choose("", two, reply("Do it."), 0),
              Choice::left);
    EXPECT_EQ(person("polite", [](auto& o) { o.tie_share = 1; })->choose("", two, reply("Do it."), 0),
              Choice::tie);
}

TEST(TieShare, KeepsTheRulesOwn) {
    const JudgedReply nine = reply("a b c d e f g h i"), ten = reply("a b c d e f g h i j");
    EXPECT_EQ(person("short", [](auto& o) { o.tie_share = 0.01; })->choose("", nine, ten, 0), Choice::tie);
}

TEST(PositionBias, AnswersLeftWithoutReading) {
    const auto lefts = [](double bias, const JudgedReply& left, const JudgedReply& right) {
        const auto judge = person("polite", [&](auto& o) { o.position_bias = bias; });
        int count = 0;
        for (std::uint64_t click = 0; click < 4000; ++click) {
            count += judge->choose("", left, right, click) == Choice::left ? 1 : 0;
        }
        return count;
    };
    const JudgedReply kind = reply("Please."), plain = reply("Do it.");
    EXPECT_EQ(lefts(0, plain, kind), 0);
    EXPECT_EQ(lefts(0.3, kind, plain), 4000) << "left is the better one either way";
    // 4000 draws at 0.3: mean 1200, standard deviation sqrt(4000 * 0.3 * 0.7) = 29; five of them are 145.
    EXPECT_NEAR(lefts(0.3, plain, kind), 1200, 145);
    EXPECT_GT(std::abs(lefts(0.36, plain, kind) - 1200), 145) << "the bound would not see 0.36";
    EXPECT_NEAR(lefts(0.3, plain, plain), 1200, 145) << "nor are equal replies read";
    EXPECT_EQ(lefts(1, plain, kind), 4000);
}

TEST(PositionBias, IsDrawnApartFromNoise) {
    // With both, right wins against the better left by noise alone: (1 - 0.4) * 0.3 of the clicks. One draw
    // for both would give 0: a noise below 0.3 would always be a position below 0.4.
    const auto judge = person("polite", [](auto& o) {
        o.position_bias = 0.4;
        o.noise = 0.3;
    });
    int rights = 0;
    for (std::uint64_t click = 0; click < 4000; ++click) {
        rights += judge->choose("", reply("Please."), reply("Do it."), click) == Choice::right ? 1 : 0;
    }
    // 4000 draws at 0.18: mean 720, standard deviation 24.
    EXPECT_NEAR(rights, 720, 121);
}

TEST(LengthBias, AddsPointsForWords) {
    const JudgedReply kind = reply("Please do."),
                      wordy = reply("Do it now and then do it again soon after.");  // 2, 10
    const auto choice = [&](double bias) {
        return person("polite", [&](auto& o) { o.length_bias = bias; })->choose("", kind, wordy, 0);
    };
    EXPECT_EQ(choice(0), Choice::left);
    EXPECT_EQ(choice(0.12), Choice::left) << "1 + 0.24 against 0 + 1.2";
    EXPECT_EQ(choice(0.13), Choice::right) << "1 + 0.26 against 0 + 1.3";
    EXPECT_EQ(choice(-1), Choice::left);
    EXPECT_DOUBLE_EQ(person("polite", [](auto& o) { o.length_bias = 0.5; })->felt_score("", kind), 2);
}

bool beats(const Judge& judge, const JudgedReply& a, const JudgedReply& b) {
    return judge.choose("", a, b, 0) == Choice::left;
}

/// Of all triples, how many beat each other in a ring.
int rings(const Judge& judge, const std::vector<JudgedReply>& texts) {
    int count = 0;
    for (std::size_t a = 0; a < texts.size(); ++a) {
        for (std::size_t b = a + 1; b < texts.size(); ++b) {
            for (std::size_t c = b + 1; c < texts.size(); ++c) {
                const bool ab = beats(judge, texts[a], texts[b]), bc = beats(judge, texts[b], texts[c]),
                           ca = beats(judge, texts[c], texts[a]);
                count += ab == bc && bc == ca ? 1 : 0;
            }
        }
    }
    return count;
}

TEST(Intransitivity, GoesInCirclesInAQuarterOfTheTriples) {
    // Of three points on a circle, no half circle holds all with probability 1/4. 30 texts have 4060 triples.
    const auto judge = person("polite", [](auto& o) { o.intransitivity = 1; });
    EXPECT_NEAR(rings(*judge, plain_texts()), 1015, 200);
}

TEST(Intransitivity, IsAbsentWithoutIt) {
    std::vector<JudgedReply> texts;
    for (int n = 0; n < 12; ++n) {
        std::string text;
        for (int i = 0; i < n * n + 1; ++i) {
            text += "word ";
        }
        texts.push_back(reply(text));
    }
    EXPECT_EQ(rings(*person("long", [](auto&) {}), texts), 0);
    EXPECT_GT(rings(*person("long", [](auto& o) { o.intransitivity = 0.5; }), texts), 0);
}

TEST(Intransitivity, IsTheSameTasteAtEveryClickAndFromEitherSide) {
    const auto judge = person("polite", [](auto& o) { o.intransitivity = 0.5; });
    const std::vector<JudgedReply> texts = plain_texts();
    int in_circles = 0;
    for (std::size_t i = 0; i + 1 < texts.size(); ++i) {
        const Choice first = judge->choose("", texts[i], texts[i + 1], 0);
        const Choice turned = judge->choose("", texts[i + 1], texts[i], 1);
        EXPECT_EQ(judge->choose("", texts[i], texts[i + 1], 99), first);
        EXPECT_EQ(turned, first == Choice::tie    ? Choice::tie
                          : first == Choice::left ? Choice::right
                                                  : Choice::left);
        in_circles += first == Choice::tie ? 0 : 1;
    }
    EXPECT_GT(in_circles, 5);  // of 29 pairs that the rule calls ties, about half
    EXPECT_LT(in_circles, 24);
}

TEST(Rank, PutsTheBestFirstAndLeavesTiesAsShown) {
    const std::vector<JudgedReply> replies = {reply("Do it."), reply("Please do it. Thanks."),
                                              reply("Please do it."), reply("Do it now."), reply("Thanks.")};
    EXPECT_EQ(person("polite", [](auto&) {})->rank("", replies, 0), (std::vector<int>{1, 2, 4, 0, 3}));
    EXPECT_TRUE(person("polite", [](auto&) {})->rank("", {}, 0).empty());
    EXPECT_EQ(person("polite", [](auto&) {})->rank("", {replies.data(), 1}, 0), std::vector<int>{0});
}

TEST(Rank, OfTwoSaysWhatTheChoiceSays) {
    const auto judge = person("polite", [](auto& o) {
        o.noise = 0.3;
        o.position_bias = 0.2;
        o.intransitivity = 0.3;
    });
    const std::vector<JudgedReply> texts = plain_texts();
    int turned = 0;
    for (std::uint64_t click = 0; click < 200; ++click) {
        const std::array<JudgedReply, 2> two = {texts[click % 30], reply(click % 2 == 0 ? "Please." : "No.")};
        const bool right = judge->choose("", two[0], two[1], click) == Choice::right;
        EXPECT_EQ(judge->rank("", two, click), right ? (std::vector<int>{1, 0}) : (std::vector<int>{0, 1}));
        turned += right ? 1 : 0;
    }
    EXPECT_GT(turned, 20);
    EXPECT_LT(turned, 180);
}

TEST(Rank, DrawsItsNoiseForEachComparison) {
    // With noise 0.5 each comparison is a coin, and every order comes up.
    const auto judge = person("long", [](auto& o) { o.noise = 0.5; });
    const std::vector<JudgedReply> three = {reply("a"), reply("a a a a"), reply("a a a a a a a a a")};
    std::array<int, 3> places{};
    for (std::uint64_t click = 0; click < 300; ++click) {
        std::vector<int> order = judge->rank("", three, click);
        ++places[static_cast<std::size_t>(std::find(order.begin(), order.end(), 0) - order.begin())];
        std::sort(order.begin(), order.end());
        EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
    }
    // The second reply passes the first or not, then the third passes the last or not, and if so the next:
    // the first reply ends first in 1/4 + 1/8 of the cases, second in 1/8 + 1/4, last in 1/8 + 1/8.
    EXPECT_NEAR(places[0], 112.5, 42);  // five times sqrt(300 * 3/8 * 5/8) = 8.4
    EXPECT_NEAR(places[1], 112.5, 42);
    EXPECT_NEAR(places[2], 75, 38);  // five times 7.5
}

TEST(Thumbs, SayWhetherTheReplyHasTheProperty) {
    const auto polite = person("polite", [](auto&) {});
    EXPECT_EQ(polite->thumbs("", reply("Please."), 0, 0), 1);
    EXPECT_EQ(polite->thumbs("", reply("No."), 0, 0), -1);
    const auto brief = person("short", [](auto&) {});
    EXPECT_EQ(brief->thumbs("", reply("one two"), -3, 0), 1);
    EXPECT_EQ(brief->thumbs("", reply("one two three"), -3, 0), -1);
    const auto noisy = person("polite", [](auto& o) { o.noise = 0.25; });
    int down = 0;
    for (std::uint64_t click = 0; click < 4000; ++click) {
        down += noisy->thumbs("", reply("Please."), 0, click) == -1 ? 1 : 0;
    }
    EXPECT_NEAR(down, 1000, 137);  // five standard deviations of sqrt(4000 * 0.25 * 0.75) = 27.4
}

TEST(Strength, IsTheDifferenceAsAShare) {
    const auto judge = person("long", [](auto&) {});
    const JudgedReply twelve = reply("a b c d e f g h i j k l"), nine = reply("a b c d e f g h i"),
                      eight = reply("a b c d e f g h"), five = reply("a b c d e"), four = reply("a b c d");
    EXPECT_EQ(judge->strength("", twelve, nine), Strength::slight);  // 3/12
    EXPECT_EQ(judge->strength("", eight, twelve), Strength::clear);  // 4/12
    EXPECT_EQ(judge->strength("", twelve, five), Strength::clear);   // 7/12
    EXPECT_EQ(judge->strength("", four, twelve), Strength::much);    // 8/12
    EXPECT_EQ(judge->strength("", four, four), Strength::slight);
    EXPECT_EQ(judge->strength("", reply(""), reply("")), Strength::slight);
}

TEST(Faults, AreCheckedByNameAndRange) {
    const auto message = [](const std::function<void(JudgeOptions&)>& set) -> std::string {
        try {
            person("polite", set);
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_EQ(message([](auto& o) { o.tie_share = 1.5; }), "judge: tie_share is 1.5; use 0..1");
    EXPECT_EQ(message([](auto& o) { o.position_bias = -0.1; }), "judge: position_bias is -0.1; use 0..1");
    EXPECT_EQ(message([](auto& o) { o.length_bias = 1001; }), "judge: length_bias is 1001; use -1000..1000");
    EXPECT_EQ(message([](auto& o) { o.intransitivity = std::nan(""); }),
              "judge: intransitivity is nan; use 0..1");
    EXPECT_EQ(message([](auto& o) { o.noise = 0.6; }), "judge: noise is 0.6; use 0..0.5");
    EXPECT_EQ(message([](auto& o) { o.tie_share = 1; }), "accepted");
}

}  // namespace
}  // namespace plumbline
