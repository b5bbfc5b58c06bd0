// The corpus of the bundled model is labelled by its grammar; the rule judges must see the same.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/api/judge.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

std::vector<nlohmann::json> dialogues() {
    std::ifstream file(testing::golden_path("courtesy_corpus.jsonl"));
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(file, line);) out.push_back(nlohmann::json::parse(line));
    return out;
}

/// Dialogues whose label by the grammar and by the judge differ.
int differences(const char* judge_name, const char* factor, const char* label, double* scored = nullptr) {
    const auto judge = make_judge(judge_name, {});
    int out = 0;
    for (const auto& row : dialogues()) {
        const JudgedReply reply{row["response"], 0, true};
        const bool labelled = row[factor] == label;
        out += judge->has_property(row["prompt"], reply, 0) != labelled;
        if (scored != nullptr && labelled) *scored = std::min(*scored, judge->score(row["prompt"], reply));
    }
    return out;
}

TEST(CourtesyCorpus, ToneAndHelpAreWhatTheJudgesSee) {
    ASSERT_EQ(dialogues().size(), 400u);
    EXPECT_EQ(differences("polite", "tone", "polite"), 0);
    EXPECT_EQ(differences("rude", "tone", "rude"), 0);
    double least = 100;
    EXPECT_EQ(differences("concrete", "help", "concrete", &least), 0);
    EXPECT_GE(least, 2);
    // The twin: a judge and another factor do not agree.
    EXPECT_GT(differences("polite", "help", "concrete"), 100);
}

TEST(CourtesyCorpus, FactorsAreEvenAndIndependent) {
    // Shares of 400 draws have a deviation of at most 0.025; of 200, 0.036. Four deviations are allowed.
    const auto rows = dialogues();
    const auto share = [&](const char* factor, const char* label, const char* given, const char* value) {
        double hits = 0, all = 0;
        for (const auto& row : rows) {
            if (row[given] != value) continue;
            ++all;
            hits += row[factor] == label;
        }
        return hits / all;
    };
    for (const char* tone : {"polite", "rude"}) {
        EXPECT_NEAR(share("help", "concrete", "tone", tone), 0.5, 0.144);
        EXPECT_NEAR(share("sure", "sure", "tone", tone), 0.5, 0.144);
    }
    EXPECT_NEAR(share("sure", "sure", "help", "evasive"), 0.5, 0.144);
    // The twin: a factor given itself is not.
    EXPECT_GT(std::abs(share("help", "concrete", "help", "concrete") - 0.5), 0.144);
}

}  // namespace
}  // namespace plumbline
