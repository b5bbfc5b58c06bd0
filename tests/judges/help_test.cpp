// The help on judges keeps up with the catalogues, and its examples can be typed.

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "core/api/catalog.h"
#include "core/api/judge.h"
#include "core/judges/reward_rules.h"

namespace plumbline {
namespace {

std::string help() {
    std::ifstream file(PLUMBLINE_SOURCE_DIR "/resources/help/judges.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(JudgesHelp, HasARowForEveryJudgeAndRule) {
    const std::string text = help();
    for (const CatalogJudge& judge : catalog_judges()) {
        EXPECT_NE(text.find("| `" + judge.name + "` |"), std::string::npos) << judge.name;
    }
    for (const CatalogRule& rule : catalog_rules()) {
        const std::string row = rule.name == "format" ? "| `format(json)` |" : "| `" + rule.usage + "` |";
        EXPECT_NE(text.find(row), std::string::npos) << rule.usage;
    }
}

TEST(JudgesHelp, HasExamplesThatParse) {
    const std::string text = help();
    int examples = 0;
    const std::regex block("\n    (keyword.*)\n"), judge("`--judge '([^']*)'`");
    for (std::sregex_iterator it(text.begin(), text.end(), block); it != std::sregex_iterator();
         ++it, ++examples) {
        EXPECT_NO_THROW(parse_reward_mix((*it)[1].str())) << (*it)[1];
    }
    for (std::sregex_iterator it(text.begin(), text.end(), judge); it != std::sregex_iterator();
         ++it, ++examples) {
        EXPECT_NO_THROW(make_judge((*it)[1].str(), {})) << (*it)[1];
    }
    EXPECT_EQ(examples, 2);
}

}  // namespace
}  // namespace plumbline
