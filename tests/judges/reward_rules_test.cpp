// Each rule by values that follow from its definition; the text of a reward and its mistakes.

#include "core/judges/reward_rules.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "core/api/catalog.h"
#include "core/api/errors.h"
#include "core/api/judge.h"

namespace plumbline {
namespace {

RuleInput input(const std::string& text) {
    RuleInput out;
    out.text = text;
    out.tokens = 5;
    return out;
}

double score(const std::string& mix, const std::string& text) {
    return parse_reward_mix(mix).score(input(text)).total;
}

TEST(Lexicon, CountsWholeWordsInAnyCase) {
    EXPECT_EQ(score("keyword(sorry)", "Sorry, so sorry. Sorrydom."), 2);
    EXPECT_EQ(score("keyword(\"green tea\")", "Green tea! A green. Tea?"), 1);
    EXPECT_EQ(score("lexicon(please, thank you, thank)", "Thank you, please. I thank you."), 3);
    EXPECT_EQ(score("lexicon_share(please)", "Please do so, please."), 0.5);
    EXPECT_EQ(score("lexicon_share(please)", ""), 0);
    EXPECT_THROW(parse_reward_mix("keyword(\"?!\")"), ConfigError);
}

TEST(LengthTarget, FallsOnBothSides) {
    EXPECT_EQ(score("length(4)", "one two three four"), 0);
    EXPECT_EQ(score("length(4)", "one two three"), -0.25);
    EXPECT_EQ(score("length(4)", "one two three four five"), -0.25);
    EXPECT_EQ(score("length(4)", ""), -1);
}

TEST(Regex, IsFoundOrCounted) {
    EXPECT_EQ(score(R"(regex("^[A-Z]"))", "Yes."), 1);
    EXPECT_EQ(score(R"(regex("^[A-Z]"))", "no."), 0);
    EXPECT_EQ(score(R"(regex("^$"))", ""), 1);
    EXPECT_EQ(score(R"(regex_count("\d+"))", "1, 22 and 333"), 3);
    EXPECT_EQ(score(R"(regex_count("\"\w+\""))", "say \"yes\" or \"no\""), 2);
    EXPECT_EQ(score(R"(regex_count("\\"))", R"(a\b\c)"), 2);
    EXPECT_EQ(score(R"(regex("\p{Lu}"))", "\u00dcber"), 1);
}

TEST(Regex, CountsEmptyMatchesOnceAPlace) {
    EXPECT_EQ(score(R"(regex_count("x*"))", "axb"), 4);  // "", "x", "", and "" at the end
    EXPECT_EQ(score(R"~(regex_count("(?=\w)"))~", "\u00fcber"), 4);
    EXPECT_EQ(score(R"~(regex_count("a\K"))~", "aa"), 2);
}

TEST(Regex, TakesTextThatIsNoUtf8) {
    EXPECT_EQ(score(R"(regex_count("b"))", "ab\xE2\x82"), 1);
    EXPECT_EQ(score(R"(regex_count("b"))",
                    "\xFF"
                    "b\xC3"
                    "b"),
              2);
}

TEST(Regex, GivesUpRatherThanHang) {
    const RewardMix mix = parse_reward_mix(R"(regex("^(a+)+$"))");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_THROW(mix.score(input(std::string(60, 'a') + "!")), Error);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Repetition, IsTheShareOfRunsSeenBefore) {
    // "a b a b a b": pairs ab ba ab ba ab, of which 3 of 5 came before.
    EXPECT_EQ(score("repetition(2)", "a b a b a b"), -0.6);
    EXPECT_EQ(score("repetition(2)", "A b. A B a, b!"), -0.6)
        << "case and ends of sentences make no difference";
    EXPECT_EQ(score("repetition", "one two three four"), 0);
    EXPECT_EQ(score("repetition", "no no no no no"), -2.0 / 3);  // the default is 3: three runs, two repeated
    EXPECT_EQ(score("repetition(3)", "no no"), 0);
    EXPECT_EQ(score("repetition(1)", ""), 0);
}

TEST(Format, ChecksItsKind) {
    EXPECT_EQ(score("format(json)", R"({"a": [1, 2.5, "x"]})"), 1);
    EXPECT_EQ(score("format(json)", R"({"a": })"), 0);
    EXPECT_EQ(score("format(json)", ""), 0);
    for (const char* text : {"Yes.", "Really?\n", "\"Go!\"", "(It is.)", "Well\u2026", "\u201cYes.\u201d"}) {
        EXPECT_EQ(score("format(punctuation)", text), 1) << text;
    }
    for (const char* text : {"Yes", "", "Go, ", "\"\"", "Yes. And"}) {
        EXPECT_EQ(score("format(punctuation)", text), 0) << text;
    }
    for (const char* text : {"It costs 3.5 pounds.", "See example.com!", "no end", "Really?! "}) {
        EXPECT_EQ(score("format(one_sentence)", text), 1) << text;
    }
    for (const char* text : {"Yes. No.", "One\nTwo", "", " ... "}) {
        EXPECT_EQ(score("format(one_sentence)", text), 0) << text;
    }
    RuleInput cut = input("Yes");
    cut.ended = false;
    EXPECT_EQ(parse_reward_mix("format(ended)").score(cut).total, 0);
    EXPECT_EQ(score("format(ended)", "Yes"), 1);
}

TEST(JudgeRule, IsAPersonsScore) {
    EXPECT_EQ(score("judge(polite)", "Thanks, please."), 2);
    EXPECT_EQ(score("judge(short)", "one two three"), -3);
    EXPECT_THROW(parse_reward_mix("judge(nice)"), ConfigError);
    EXPECT_THROW(parse_reward_mix("judge(keyword)"), ConfigError);
    EXPECT_THROW(parse_reward_mix("judge(\"rule:length(3)\")"), ConfigError);
}

TEST(MeasuredRules, TakeTheNumbersOfOthers) {
    const RewardMix mix = parse_reward_mix("model*2 + likelihood");
    EXPECT_TRUE(mix.needs_model());
    EXPECT_TRUE(mix.needs_likelihood());
    EXPECT_FALSE(parse_reward_mix("length(3)").needs_model());
    EXPECT_FALSE(parse_reward_mix("length(3)").needs_likelihood());
    RuleInput measured = input("Yes");
    EXPECT_THROW(mix.score(measured, 1.0), Error);
    measured.mean_reference_logprob = -0.75;
    EXPECT_THROW(mix.score(measured), Error);
    EXPECT_EQ(mix.score(measured, 1.5).total, 2.25);
    measured.tokens = 0;
    EXPECT_EQ(mix.score(measured, 1.5).total, 3) << "no tokens have no mean";
}

TEST(RewardMix, SumsWeightsAndClipsEachPart) {
    const RewardMix mix =
        parse_reward_mix(R"(keyword(sorry)*1 + length(20)*-0.5[-1,1] + regex("^[A-Z]")*0.3 + model*1)");
    // Two words of 20: -18/20 * -0.5 = 0.45.
    const RewardScore scored = mix.score(input("Sorry, sorry"), -1.25);
    ASSERT_EQ(scored.parts.size(), 4U);
    EXPECT_EQ(mix.names(), (std::vector<std::string>{"keyword", "length", "regex", "model"}));
    EXPECT_EQ(scored.parts[0].name, "keyword");
    EXPECT_DOUBLE_EQ(scored.parts[0].value, 2);
    EXPECT_DOUBLE_EQ(scored.parts[1].value, 0.45);
    EXPECT_DOUBLE_EQ(scored.parts[2].value, 0.3);
    EXPECT_DOUBLE_EQ(scored.parts[3].value, -1.25);
    EXPECT_DOUBLE_EQ(scored.total, 1.5);
}

TEST(RewardMix, ClipsWhatThePartAdds) {
    EXPECT_EQ(score("keyword(a)*3[-1,2]", "a"), 2) << "3 is above 2";
    EXPECT_EQ(score("keyword(a)*3[-1,3]", "a"), 3);
    EXPECT_EQ(score("2 * length(1)[-1.5, 0] + keyword(a)", "a a a"), 1.5);  // -2 * 2 clipped to -1.5, and 3
    EXPECT_EQ(score("-keyword(a)[-2,0]", "a a a"), -2);
}

TEST(RewardMix, ReadsSignsSpacesAndBothOrders) {
    EXPECT_EQ(score("keyword(a)*2", "a"), 2);
    EXPECT_EQ(score("2*keyword(a)", "a"), 2);
    EXPECT_EQ(score("-keyword(a)", "a"), -1);
    EXPECT_EQ(score("keyword(b) - keyword(a)*2", "a"), -2);
    EXPECT_EQ(score("keyword(b) - -2*keyword(a)", "a"), 2);
    EXPECT_EQ(score("  keyword ( a )\n*\t+1e-1 [ -1 , +1 ] ", "a"), 0.1);
    EXPECT_EQ(score("lexicon(a, b, c)", "a b c"), 3);
    EXPECT_EQ(score("lexicon(\"a,b\", \"c)\")", "a b c"), 2)
        << "the phrase a b, and c; three without the quotes";
}

TEST(RewardMix, NamesEqualRulesApart) {
    EXPECT_EQ(parse_reward_mix("keyword(a) + keyword(b) + length(3) + keyword(c)").names(),
              (std::vector<std::string>{"keyword", "keyword_2", "length", "keyword_3"}));
}

TEST(RewardMix, RefusesWhatIsNotFinite) {
    const RewardMix mix = parse_reward_mix("keyword(a) + model[-1,1]");
    for (const double bad :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        try {
            mix.score(input("a"), bad);
            FAIL() << bad;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find("part model is"), std::string::npos) << error.what();
        }
    }
}

std::string mistake(const std::string& text) {
    try {
        parse_reward_mix(text);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "accepted";
}

TEST(RewardMix, TellsThePlaceOfAMistake) {
    const std::string rules =
        "use one of keyword, lexicon, lexicon_share, length, regex, regex_count, repetition, format, judge, "
        "likelihood, "
        "model";
    EXPECT_EQ(mistake(""), "reward: there is no rule at the end (character 1); " + rules);
    EXPECT_EQ(mistake("keyword(a) + lenght(3)"),
              "reward: there is no rule at 'lenght(3)' (character 14); " + rules);
    EXPECT_EQ(mistake("keyword(a) +"), "reward: there is no rule at the end (character 13); " + rules);
    EXPECT_EQ(mistake("keyword(a) keyword(b)"),
              "reward: + or - is missing before 'keyword(b)' (character 12); join the terms by + or -");
    EXPECT_EQ(mistake("keyword(\u00fc)*x"),
              "reward: a number of -1000000..1000000 is missing at 'x' (character 12); write one");
    EXPECT_EQ(mistake("3 keyword(a)"),
              "reward: * is missing between the weight and 'keyword(a)' (character 3); correct it");
    EXPECT_EQ(mistake("keyword(a"), "reward: ) is missing before the end (character 10); correct it");
    EXPECT_EQ(mistake("regex(\"a)"),
              "reward: the quote is not closed that opens '\"a)' (character 7); close it");
    EXPECT_EQ(mistake("keyword(a)[1 2]"),
              "reward: a comma is missing between the bounds, before '2]' (character 14); correct it");
    EXPECT_EQ(mistake("keyword(a)[1,2"),
              "reward: ] is missing after the bounds, before the end (character 15); correct it");
    EXPECT_EQ(mistake("keyword(a)[2,1]"),
              "reward: the lower bound is above the upper one in '2,1]' (character 12); swap them");
    EXPECT_EQ(
        mistake("keyword(a,b)"),
        "reward: the rule keyword has 2 arguments at 'keyword(a,b)' (character 1); write keyword(WORDS)");
    EXPECT_EQ(mistake("length"),
              "reward: the rule length has 0 arguments at 'length' (character 1); write length(WORDS)");
    EXPECT_EQ(mistake("lexicon(a,,b)"),
              "reward: an argument is missing before ',b)' (character 11); write a word, or any text between "
              "quotes");
    EXPECT_EQ(mistake("length(1.5)"), "reward: length(1.5) is not a whole number of 1..100000; correct it");
    EXPECT_EQ(mistake("length(0)"), "reward: length(0) is not a whole number of 1..100000; correct it");
    EXPECT_EQ(mistake("format(xml)"),
              "reward: there is no format 'xml'; use one of json, punctuation, one_sentence, ended");
    EXPECT_EQ(
        mistake("regex(\"a(\")"),
        "reward: the pattern 'a(' is wrong at its character 3 (missing closing parenthesis); correct it");
    EXPECT_NE(mistake("keyword(a)*nan"), "accepted");
    EXPECT_NE(mistake("keyword(a)*inf"), "accepted");
    EXPECT_NE(mistake("keyword(a)*1e7"), "accepted");
}

TEST(RewardMix, BoundsItsSize) {
    std::string many = "keyword(a)";
    for (int i = 1; i < 64; ++i) {
        many += "+keyword(a)";
    }
    EXPECT_EQ(mistake(many), "accepted");
    EXPECT_NE(mistake(many + "+keyword(a)").find("more than 64 terms"), std::string::npos);
    EXPECT_NE(mistake("keyword(" + std::string(20000, 'a') + ")").find("20009 bytes"), std::string::npos);
}

TEST(RuleJudge, ComparesByTheSum) {
    const auto judge = make_judge("rule:keyword(tea) - 0.1*length(2)", {});
    const JudgedReply tea{"Green tea.", 2, true}, milk{"Fresh milk.", 2, true};
    EXPECT_EQ(judge->choose("", tea, milk, 0), Choice::left);
    EXPECT_EQ(judge->choose("", milk, tea, 0), Choice::right);
    EXPECT_EQ(judge->choose("", milk, milk, 0), Choice::tie);
    EXPECT_TRUE(judge->has_property("", tea, 0));
    EXPECT_FALSE(judge->has_property("", tea, 1)) << "no more than the reference's median";
    EXPECT_EQ(make_judge("rule:format(ended)", {})->choose("", {"Tea", 1, false}, {"Tea", 1, true}, 0),
              Choice::right);
}

TEST(RuleJudge, SeesOnlyTheReply) {
    EXPECT_THROW(make_judge("rule:model", {}), ConfigError);
    EXPECT_THROW(make_judge("rule:keyword(a) + likelihood", {}), ConfigError);
    EXPECT_THROW(make_judge("rule:", {}), ConfigError);
    EXPECT_THROW(make_judge("rule:nonsense", {}), ConfigError);
}

TEST(RuleCatalogue, ListsWhatCanBeWritten) {
    const std::vector<CatalogRule> rules = catalog_rules();
    EXPECT_EQ(rules.size(), 11U);
    for (const CatalogRule& rule : rules) {
        EXPECT_TRUE(rule.usage.starts_with(rule.name)) << rule.usage;
        EXPECT_FALSE(rule.summary.empty());
        EXPECT_EQ(mistake(rule.name + "(a,b,c,d,\"").find("there is no rule"), std::string::npos)
            << rule.name;
    }
}

}  // namespace
}  // namespace plumbline
