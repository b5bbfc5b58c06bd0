// Rows of every kind of feedback, and demonstrations.

#include <gtest/gtest.h>

#include <fstream>

#include "core/api/errors.h"
#include "core/formats/demonstrations.h"
#include "core/formats/preferences.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

class FeedbackRows : public ::testing::Test {
  protected:
    std::filesystem::path file(const std::string& text) const {
        std::ofstream(folder_ / "f.jsonl", std::ios::binary) << text;
        return folder_ / "f.jsonl";
    }
    /// The reason that a row beside a good one is skipped for.
    std::string reason(const std::string& row) const {
        const Feedback all =
            read_feedback(file(row + "\n" + R"({"prompt":"p","completion":"c","label":true})" + "\n"));
        EXPECT_EQ(all.rows.size(), 1U) << row;
        return all.skipped.size() == 1 ? all.skipped[0] : "it was not skipped";
    }
    const TempFolder folder_;
};

TEST_F(FeedbackRows, OfAllKindsKeepTheirOrderAndLines) {
    const Feedback all = read_feedback(file(
        R"({"prompt":"p","chosen":"c","rejected":"r","margin":0.5})"
        "\n\n"
        R"({"prompt":"p","chosen":"c","rejected":"r","tie":true,"margin":null})"
        "\n"
        R"({"prompt":"p","completions":["a","b","c","d"],"ranking":[2,0]})"
        "\n"
        R"({"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"x"}],"label":false})"
        "\n"));
    EXPECT_TRUE(all.skipped.empty());
    ASSERT_EQ(all.rows.size(), 4U);
    const auto& pair = std::get<PreferenceRow>(all.rows[0]);
    EXPECT_EQ(pair.margin, 0.5);
    EXPECT_FALSE(pair.tie);
    EXPECT_EQ(pair.line, 1);
    EXPECT_TRUE(std::get<PreferenceRow>(all.rows[1]).tie);
    EXPECT_EQ(std::get<PreferenceRow>(all.rows[1]).line, 3);
    const auto& ranking = std::get<RankingRow>(all.rows[2]);
    EXPECT_EQ(ranking.replies, (std::vector<std::string>{"c", "a", "b", "d"}));
    EXPECT_EQ(ranking.ranked, 2);
    const auto& labelled = std::get<LabelledRow>(all.rows[3]);
    EXPECT_EQ(labelled.reply, "x");
    EXPECT_FALSE(labelled.good);
    EXPECT_EQ(std::get<std::vector<Message>>(labelled.prompt)[0].content, "q");
}

TEST_F(FeedbackRows, ThatAreWrongSayWhy) {
    const std::pair<const char*, const char*> rows[] = {
        {R"({"prompt":"p","chosen":"c","rejected":"r","margin":-1})", "margin is not a number of 0..1000"},
        {R"({"prompt":"p","chosen":"c","rejected":"r","margin":"x"})", "margin is not a number of 0..1000"},
        {R"({"prompt":"p","chosen":"c","rejected":"r","tie":1})", "tie is neither true nor false"},
        {R"({"prompt":"p","completions":["a"],"ranking":[0]})", "completions is not a list of two or more"},
        {R"({"prompt":"p","completions":["a","a"],"ranking":[0]})", "two completions are the same"},
        {R"({"prompt":"p","completions":["a","b"],"ranking":[0,2]})", "ranking has 2, completions are 0..1"},
        {R"({"prompt":"p","completions":["a","b"],"ranking":[1,1]})", "ranking has 1 twice"},
        {R"({"prompt":"p","completions":["a","b"],"ranking":[]})", "ranking is empty"},
        {R"({"prompt":"p","completions":["a","b"]})", "ranking is missing"},
        {R"({"prompt":"p","completions":["a","b"],"ranking":[0.5]})", "which is not a token id"},
        {R"({"completions":["a","b"],"ranking":[0]})", "prompt is missing"},
        {R"({"prompt":"p","completion":"c"})", "label is missing"},
        {R"({"prompt":"p","completion":"c","label":"good"})", "label is neither true nor false"},
        {R"({"prompt":"p","completion":[{"role":"user","content":"x"}],"label":true})", "role \"assistant\""},
    };
    for (const auto& [row, what] : rows) {
        EXPECT_NE(reason(row).find(what), std::string::npos) << row << " -> " << reason(row);
    }
}

TEST_F(FeedbackRows, GiveTheirPairs) {
    const Preferences pairs =
        read_preferences(file(R"({"prompt":"p","completions":["a","b","c"],"ranking":[1]})"
                              "\n"
                              R"({"prompt":"p","chosen":"c","rejected":"r","tie":true})"
                              "\n"
                              R"({"prompt":"p","completion":"c","label":true})"
                              "\n"
                              R"({"prompt":"p","completions":["a","b","c"],"ranking":[2,1,0]})"
                              "\n"));
    std::string found;
    for (const PreferenceRow& row : pairs.rows) {
        found += row.chosen + ">" + row.rejected + " ";
    }
    EXPECT_EQ(found, "b>a b>c c>b c>a b>a ");
    ASSERT_EQ(pairs.skipped.size(), 2U);
    EXPECT_EQ(pairs.skipped[0], "line 2: a tie prefers neither reply");
    EXPECT_EQ(pairs.skipped[1].find("line 3: "), 0U);
}

TEST_F(FeedbackRows, OfDemonstrationsHaveEachShape) {
    const Demonstrations all = read_demonstrations(
        file(R"({"prompt":"p","completion":"a"})"
             "\n"
             R"({"prompt":"p","response":"b"})"
             "\n"
             R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"c"}]})"
             "\n"
             R"({"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"d"}]})"
             "\n"
             R"({"prompt":"p"})"
             "\n"
             R"({"messages":[{"role":"user","content":"q"}]})"
             "\n"
             R"({"messages":[{"role":"assistant","content":"c"}]})"
             "\n"
             "no json\n"));
    std::string replies;
    for (const DemonstrationRow& row : all.rows) {
        replies += row.reply;
    }
    EXPECT_EQ(replies, "abcd");
    EXPECT_EQ(all.rows[3].line, 4);
    ASSERT_EQ(all.skipped.size(), 4U);
    EXPECT_EQ(all.skipped[0], "line 5: completion is missing");
    EXPECT_NE(all.skipped[1].find("\"user\", not \"assistant\""), std::string::npos);
    EXPECT_NE(all.skipped[2].find("nothing before the reply"), std::string::npos);
    EXPECT_THROW(read_demonstrations(file("")), Error);
    EXPECT_THROW(read_demonstrations(file("{}")), Error);
    EXPECT_THROW(read_demonstrations(folder_ / "none"), Error);
}

}  // namespace
}  // namespace plumbline
