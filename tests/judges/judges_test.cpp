#include <gtest/gtest.h>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/judge.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

JudgedReply reply(const std::string& text) {
    return {text, 0, true};
}

double score(const std::string& judge, const std::string& text, const JudgeOptions& options = {}) {
    return make_judge(judge, options)->score("", reply(text));
}

bool has(const std::string& judge, const std::string& text, double median = 0) {
    return make_judge(judge, {})->has_property("", reply(text), median);
}

std::string words(const std::string& text) {
    std::string out;
    for (const std::string& word : words_of(text)) {
        out += "[" + word + "]";
    }
    return out;
}

TEST(Words, AreSplitAtAnythingButLettersDigitsAndApostrophes) {
    EXPECT_EQ(words("I don't KNOW"), "[i][don't][know]");
    EXPECT_EQ(words("I don\u2019t, 'really'"), "[i][don't][really]");
    EXPECT_EQ(words("Yes. No!\n"), "[yes][][no][][]");
    EXPECT_EQ(words("Gr\u00fc\u00dfe \u65e5\u672c"), "[gr\u00fc\u00dfe][\u65e5\u672c]");
    EXPECT_EQ(words("' '' \t--"), "");
    EXPECT_EQ(words(""), "");
    EXPECT_EQ(count_words("One, two... three!"), 3);
}

TEST(Phrases, MatchWholeWordsWithinOneSentence) {
    const std::string_view phrases[] = {"happy to", "happy", "thank"};
    EXPECT_EQ(count_phrases("Happy to help, happy as ever.", phrases), 2);
    EXPECT_EQ(count_phrases("thankless unhappy happily", phrases), 0);
    EXPECT_EQ(count_phrases("I am happy. To begin", phrases), 1);
    EXPECT_EQ(count_phrases("happy", phrases), 1);
    EXPECT_EQ(count_phrases("", phrases), 0);
}

TEST(Polite, CountsPoliteWords) {
    EXPECT_EQ(score("polite", "I'm sorry to hear that. Please send it back; I'd be HAPPY TO help."), 3);
    EXPECT_EQ(score("polite", "Thank you. Thanks!"), 2);
    EXPECT_EQ(score("polite", "Send it back."), 0);
    EXPECT_EQ(score("polite", "It was pleasurable, unpleased and thankless."), 0);
    EXPECT_TRUE(has("polite", "You are welcome"));
    EXPECT_FALSE(has("polite", "Send it back."));
}

TEST(Rude, CountsRudeWordsOnly) {
    EXPECT_EQ(score("rude", "Shut up, you idiot. That is not my problem."), 3);
    EXPECT_FALSE(has("rude", "Here is how to deal with it: it's not your fault."));
    EXPECT_TRUE(has("rude", "Who cares?"));
}

TEST(Length, IsRelativeToTheReference) {
    EXPECT_EQ(score("short", "one two three"), -3);
    EXPECT_EQ(score("long", "one two three"), 3);
    EXPECT_TRUE(has("short", "one two three", -4));
    EXPECT_FALSE(has("short", "one two three", -3));
    EXPECT_TRUE(has("long", "one two three", 2));
    EXPECT_FALSE(has("long", "one two three", 3));
}

TEST(Length, TiesWithinATenth) {
    const auto of_words = [](int n) {
        std::string text;
        for (int i = 0; i < n; ++i) {
            text += "word ";
        }
        return reply(text);
    };
    for (const char* name : {"short", "long"}) {
        const auto judge = make_judge(name, {});
        const bool longer = std::string(name) == "long";
        EXPECT_EQ(judge->choose("", of_words(20), of_words(18), 0), Choice::tie) << name;
        EXPECT_EQ(judge->choose("", of_words(18), of_words(20), 0), Choice::tie) << name;
        EXPECT_EQ(judge->choose("", of_words(20), of_words(17), 0), longer ? Choice::left : Choice::right);
        EXPECT_EQ(judge->choose("", of_words(17), of_words(20), 0), longer ? Choice::right : Choice::left);
        EXPECT_EQ(judge->choose("", of_words(0), of_words(0), 0), Choice::tie) << name;
    }
}

TEST(NoFirstPerson, CountsTheModelsWordsForItself) {
    EXPECT_EQ(score("no-first-person", "I think I'm right, and my view is mine."), -4);
    EXPECT_TRUE(has("no-first-person", "Take a fruit, i.e. an apple, in Italy."));
    EXPECT_FALSE(has("no-first-person", "It seems to me."));
}

TEST(Concrete, CountsNumbersMeasuresAndSteps) {
    EXPECT_EQ(score("concrete", "Boil 2 eggs for ten minutes, then cool them."), 4);
    EXPECT_TRUE(has("concrete", "Wait 5 minutes."));
    EXPECT_FALSE(has("concrete", "First of all, it depends."));
    EXPECT_FALSE(has("concrete", "It depends on what you like."));
}

TEST(Keyword, IsAPhraseInAnyCase) {
    JudgeOptions options;
    options.keyword = "Green Tea";
    EXPECT_EQ(score("keyword", "green tea, and GREEN\u2019S tea, and green tea", options), 2);
    EXPECT_EQ(score("keyword", "greentea", options), 0);
    EXPECT_THROW(make_judge("keyword", {}), ConfigError);
    options.keyword = " ?! ";
    EXPECT_THROW(make_judge("keyword", options), ConfigError);
}

TEST(Choose, TakesTheBetterScore) {
    const auto judge = make_judge("polite", {});
    const JudgedReply kind = reply("Please do.");
    const JudgedReply plain = reply("Do it.");
    EXPECT_EQ(judge->choose("", kind, plain, 0), Choice::left);
    EXPECT_EQ(judge->choose("", plain, kind, 0), Choice::right);
    EXPECT_EQ(judge->choose("", plain, plain, 0), Choice::tie);
}

/// Flips among `clicks` choices between a polite and a plain reply.
int flips(double noise, std::uint64_t seed, int clicks) {
    JudgeOptions options;
    options.noise = noise;
    options.seed = seed;
    const auto judge = make_judge("polite", options);
    int count = 0;
    for (int click = 0; click < clicks; ++click) {
        const Choice choice =
            judge->choose("", reply("Please."), reply("Do it."), static_cast<std::uint64_t>(click));
        EXPECT_NE(choice, Choice::tie);
        count += choice == Choice::right ? 1 : 0;
    }
    return count;
}

TEST(Noise, FlipsItsShareOfTheClicks) {
    EXPECT_EQ(flips(0, 1, 1000), 0);
    // 4000 draws at 0.1: mean 400, standard deviation sqrt(4000 * 0.1 * 0.9) = 19; five of them are 95.
    EXPECT_NEAR(flips(0.1, 1, 4000), 400, 95);
    EXPECT_GT(std::abs(flips(0.14, 1, 4000) - 400), 95) << "the bound would not see 0.14";
    EXPECT_EQ(flips(0.1, 7, 500), flips(0.1, 7, 500));
}

TEST(Noise, DependsOnSeedAndClick) {
    JudgeOptions options;
    options.noise = 0.5;
    const auto row = [&](std::uint64_t seed) {
        options.seed = seed;
        const auto judge = make_judge("polite", options);
        std::string out;
        for (std::uint64_t click = 0; click < 64; ++click) {
            out += judge->choose("", reply("Please."), reply("Do it."), click) == Choice::left ? 'L' : 'R';
        }
        return out;
    };
    EXPECT_EQ(row(1), row(1));
    EXPECT_NE(row(1), row(2));
    EXPECT_NE(row(1).substr(1) + "L", row(2)) << "seeds must not be shifts of one sequence";
    EXPECT_NE(row(1).find("LR"), std::string::npos);
}

TEST(Noise, LeavesTiesAlone) {
    JudgeOptions options;
    options.noise = 0.5;
    const auto judge = make_judge("polite", options);
    for (std::uint64_t click = 0; click < 100; ++click) {
        EXPECT_EQ(judge->choose("", reply("Yes."), reply("No."), click), Choice::tie);
    }
}

TEST(Catalogue, MakesEveryJudgeThatItLists) {
    JudgeOptions options;
    options.keyword = "tea";
    for (const CatalogJudge& listed : catalog_judges()) {
        EXPECT_FALSE(listed.summary.empty());
        EXPECT_NE(make_judge(listed.name, options), nullptr) << listed.name;
    }
    EXPECT_EQ(catalog_judges().size(), 7U);
}

TEST(Catalogue, RefusesWhatItDoesNotKnow) {
    try {
        make_judge("nice", {});
        FAIL() << "an unknown judge";
    } catch (const ConfigError& error) {
        EXPECT_STREQ(
            error.what(),
            "judge: there is no judge 'nice'; use one of polite, rude, short, long, no-first-person, "
            "concrete, keyword, or rule: and a rule, e.g. rule:length(20)");
    }
    JudgeOptions options;
    options.noise = 0.6;
    EXPECT_THROW(make_judge("polite", options), ConfigError);
    options.noise = -0.1;
    EXPECT_THROW(make_judge("polite", options), ConfigError);
}

}  // namespace
}  // namespace plumbline
