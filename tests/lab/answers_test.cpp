// Every kind of answer, to two replies, three and six: recorded, read again, in words, taken back, replayed;
// and what each of them trains.

#include <cmath>

#include <nlohmann/json.hpp>

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

struct Answer {
    Verdict verdict;
    int shown = 2;
    std::string words;
};

const std::vector<Answer>& answers() {
    static const std::vector<Answer> all = {
        {{Choice::left, Strength::slight, {}}, 2, "A slightly over B"},
        {{Choice::right, Strength::clear, {}}, 2, "B over A"},
        {{Choice::right, Strength::much, {}}, 2, "B far over A"},
        {{Choice::tie}, 2, "Tie"},
        {{Choice::both_bad}, 2, "Both bad"},
        {{Choice::skip}, 2, "Skipped"},
        {{Choice::ranking, Strength::clear, {1}}, 2, "B is best"},
        {{Choice::thumbs, Strength::clear, {1, -1}}, 2, "A good, B bad"},
        {{Choice::thumbs, Strength::clear, {0, 1}}, 2, "B good"},
        {{Choice::ranking, Strength::clear, {2, 0, 1}}, 3, "C over A over B"},
        {{Choice::ranking, Strength::clear, {2, 0}}, 3, "C over A"},
        {{Choice::ranking, Strength::clear, {1}}, 3, "B is best"},
        {{Choice::thumbs, Strength::clear, {0, -1, 1}}, 3, "B bad, C good"},
        {{Choice::ranking, Strength::clear, {5, 0, 3, 1, 2, 4}}, 6, "F over A over D over B over C over E"},
        {{Choice::ranking, Strength::clear, {4, 1}}, 6, "E over B over the rest"},
        {{Choice::ranking, Strength::clear, {3}}, 6, "D is best"},
        {{Choice::thumbs, Strength::clear, {1, 0, 0, -1, -1, 1}}, 6, "A good, D bad, E bad, F good"},
    };
    return all;
}

SessionConfig showing(int shown, Algorithm algorithm = Algorithm::dpo) {
    SessionConfig config = small_config();
    config.sampling.candidates = std::max(3, shown);
    config.sampling.shown = shown;
    config.live.algorithm = algorithm;
    return config;
}

class Answers : public Lab {};

TEST_F(Answers, AreRecordedReadAgainAndReplayed) {
    for (const int shown : {2, 3, 6}) {
        SCOPED_TRACE(std::to_string(shown) + " shown");
        const std::string path = project(std::to_string(shown));
        std::vector<Answer> given;
        std::string hash;
        {
            LabSession session(path, showing(shown));
            for (const Answer& answer : answers()) {
                if (answer.shown == shown) {
                    const Pair pair = session.show();
                    EXPECT_EQ(2 + pair.more.size(), static_cast<std::size_t>(shown));
                    session.click(answer.verdict);
                    given.push_back(answer);
                    EXPECT_EQ(session.last<LabelRecorded>().row.text, answer.words);
                    EXPECT_EQ(session.last<LabelRecorded>().choice, answer.verdict.choice);
                }
            }
            hash = session->weights_hash();
        }
        const std::vector<StoredLabel> rows = ProjectFile::open(path)->labels();
        ASSERT_EQ(rows.size(), given.size());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            EXPECT_EQ(rows[i].verdict, given[i].verdict) << given[i].words;
        }
        const ReplayChecked result = replayed(path);
        EXPECT_TRUE(result.equal) << result.first_difference;

        LabSession reopened(path);
        EXPECT_EQ(reopened->weights_hash(), hash);
        reopened->announce(true);
        const std::vector<HistoryRow> history = reopened.last<SessionOpened>().history;
        ASSERT_EQ(history.size(), given.size());
        for (std::size_t i = 0; i < history.size(); ++i) {
            EXPECT_EQ(history[i].text, given[i].words);
        }
    }
}

TEST_F(Answers, AreTakenBackToTheLastBit) {
    int number = 0;
    for (const Answer& answer : answers()) {
        SCOPED_TRACE(answer.words);
        LabSession session(project(std::to_string(++number)), showing(answer.shown, Algorithm::kto));
        session.click({Choice::left, Choice::right});
        const Pair before = session.show();
        const std::string hash = session->weights_hash();
        const std::vector<std::byte> state = session->file().latest()->state;
        session.click(answer.verdict);
        ASSERT_TRUE(session->undo());
        EXPECT_EQ(session.last<Undone>().row.text, answer.words);
        EXPECT_EQ(session->weights_hash(), hash);
        EXPECT_TRUE(session->file().latest()->state == state);
        EXPECT_EQ(session->labels(), 2);
        EXPECT_EQ(session->shown(), before.id);
        EXPECT_EQ(*session.last<PairReady>().pair.right.reward, *before.right.reward);
    }
}

// A ranking states each place over all below it: so many predictions, which count as a pair's do.
TEST_F(Answers, RankingsAreForetoldPairByPair) {
    const Verdict ranking{Choice::ranking, Strength::clear, {2, 0, 1, 3}};
    const Verdict best{Choice::ranking, Strength::clear, {1}};
    const auto points = [](LabSession& session, const std::string& name) {
        std::vector<double> out;
        for (const MetricPoint& point : session.last<MetricsAdded>().points) {
            if (point.name == name) {
                out.push_back(point.value);
            }
        }
        return out;
    };
    SessionConfig config = showing(4);
    config.sampling.candidates = 4;
    const auto run = [&](const std::string& name, bool reopened) {
        auto session = std::make_unique<LabSession>(project(name), config);
        session->show();
        session->click(ranking);
        EXPECT_EQ(points(*session, "reward/predicted"), std::vector<double>(6, 0.5)) << "it knows nothing";
        EXPECT_NEAR(points(*session, "reward/loss").at(0), std::log(2.0), 1e-12);
        EXPECT_NEAR(session->last<RewardFitted>().loss_before, std::log(24.0), 1e-9) << "of 4! rankings";
        EXPECT_EQ(points(*session, "reward/accuracy"), std::vector<double>{0.5});
        session->show();
        session->click(best);
        const std::vector<double> second = points(*session, "reward/predicted");
        EXPECT_EQ(second.size(), 3U);
        double sum = 6 * std::log(2.0);
        for (const double p : second) {
            EXPECT_NE(p, 0.5);
            sum -= std::log(p);
        }
        EXPECT_NEAR(points(*session, "reward/loss").at(0), sum / 9, 1e-9);
        if (reopened) {
            session.reset();
            session = std::make_unique<LabSession>(project(name));
        }
        session->show();
        session->click(best);
        return points(*session, "reward/loss").at(0);
    };
    EXPECT_EQ(run("in two sittings", true), run("in one", false));
}

// Each answer teaches the reward model what it says.
TEST_F(Answers, MoveTheRewardsAsTheySay) {
    const auto rewards_after = [&](const Verdict& verdict, int shown) {
        static int number = 0;
        SessionConfig config = showing(shown);
        config.live.steps_per_click = 0;
        LabSession session(project("rewards" + std::to_string(++number)), config);
        const std::int64_t pair = session.show().id;
        session.click(verdict);
        session->show(pair);
        const Pair after = session.last<PairReady>().pair;
        std::vector<double> out{*after.left.reward, *after.right.reward};
        for (const Candidate& c : after.more) {
            out.push_back(*c.reward);
        }
        return out;
    };
    const auto margin = [&](Strength strength) {
        const auto rewards = rewards_after({Choice::left, strength, {}}, 2);
        return rewards[0] - rewards[1];
    };
    EXPECT_GT(margin(Strength::slight), 0);
    EXPECT_GT(margin(Strength::clear), margin(Strength::slight));
    EXPECT_GT(margin(Strength::much), margin(Strength::clear));

    const auto ranked = rewards_after({Choice::ranking, Strength::clear, {2, 0, 1}}, 3);
    EXPECT_GT(ranked[2], ranked[0]);
    EXPECT_GT(ranked[0], ranked[1]);
    const auto best = rewards_after({Choice::ranking, Strength::clear, {4}}, 6);
    for (const std::size_t place : {0U, 1U, 2U, 3U, 5U}) {
        EXPECT_GT(best[4], best[place]);
    }
    const auto partial = rewards_after({Choice::ranking, Strength::clear, {4, 1}}, 6);
    for (const std::size_t place : {0U, 2U, 3U, 5U}) {
        EXPECT_GT(partial[1], partial[place]);
    }
    const auto thumbs = rewards_after({Choice::thumbs, Strength::clear, {-1, 1, 0}}, 3);
    EXPECT_GT(thumbs[1], thumbs[0]);
    const auto bad = rewards_after({Choice::both_bad}, 2);
    const auto tie = rewards_after({Choice::tie}, 2);
    EXPECT_LT(bad[0] + bad[1], tie[0] + tie[1]) << "both bad is below a tie";
}

const std::vector<std::pair<Verdict, std::string>> wrong_for_three = {
    {{Choice::ranking, Strength::clear, {0, 3}}, "ranks reply 3"},
    {{Choice::ranking, Strength::clear, {-1}}, "ranks reply -1"},
    {{Choice::ranking, Strength::clear, {1, 1}},
     "ranks reply 1, which is not one of the 3 shown or comes twice"},
    {{Choice::ranking, Strength::clear, {0, 1, 2, 0}}, "comes twice"},
    {{Choice::ranking, Strength::clear, {}}, "ranks no reply"},
    {{Choice::thumbs, Strength::clear, {1, -1}}, "needs a thumb, 1, -1 or 0, for each of the 3 replies"},
    {{Choice::thumbs, Strength::clear, {1, -1, 0, 0}}, "for each of the 3 replies"},
    {{Choice::thumbs, Strength::clear, {2, 0, 0}}, "needs a thumb"},
    {{Choice::thumbs, Strength::clear, {0, 0, 0}}, "needs a thumb"},
    {{Choice::thumbs, Strength::clear, {}}, "needs a thumb"},
    {{Choice::left, Strength::clear, {0}}, "has places"},
    {{Choice::tie, Strength::clear, {0, 1}}, "has places"},
};

TEST_F(Answers, ThatDoNotFitAreRefusedAndNothingIsLost) {
    EngineDriver driver(one_thread());
    driver.after(new_session(showing(3)));
    driver.vote(Choice::left);
    const Pair pair = driver.shown();
    for (const auto& [verdict, words] : wrong_for_three) {
        expect_error_form(driver.failure_of(Vote{pair.id, verdict}), words);
        EXPECT_EQ(driver.shown().id, pair.id);
    }
    EXPECT_EQ(driver.snapshot().labels, 1);
    EXPECT_EQ(driver.failure_of(Vote{pair.id, {Choice::ranking, Strength::clear, {2, 0, 1}}}), "");
    EXPECT_EQ(driver.snapshot().labels, 2);
    EXPECT_NE(driver.shown().id, pair.id);
    driver.after(CloseSession{});
    EXPECT_TRUE(replayed(project()).equal);
}

/// What opening a project says after a change behind its back; `checks` off, as a tool that is not SQLite
/// may.
class DamagedAnswers : public Lab {
  protected:
    std::string damaged(const std::string& sql) const {
        const std::string path = project("damaged");
        std::filesystem::remove(path);
        std::filesystem::copy_file(project(), path);
        run_sql(path, "PRAGMA ignore_check_constraints = ON; DROP TRIGGER labels_stay; " + sql);
        return error_from([&] { LabSession opened(path); });
    }
};

TEST_F(DamagedAnswers, AreToldOnOpening) {
    {
        LabSession session(project(), showing(3));
        session.click(Verdict{Choice::ranking, Strength::clear, {2, 0, 1}});
        session.click(Verdict{Choice::thumbs, Strength::clear, {1, -1, 0}});
        session.click(Verdict{Choice::left, Strength::much, {}});
    }
    EXPECT_EQ(damaged(""), "") << "undamaged it opens";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"UPDATE labels SET places = '2 0 2' WHERE id = 1", "label 1 ranks reply 2"},
        {"UPDATE labels SET places = '2 0 7' WHERE id = 1", "label 1 ranks reply 7"},
        {"UPDATE labels SET places = '-1' WHERE id = 1", "label 1 ranks reply -1"},
        {"UPDATE labels SET places = '' WHERE id = 1", "label 1 ranks no reply"},
        {"UPDATE labels SET places = '2 zero' WHERE id = 1", "damaged"},
        {"UPDATE labels SET places = '99999999999999999999' WHERE id = 1", "damaged"},
        {"UPDATE labels SET places = '1 -1' WHERE id = 2", "label 2 needs a thumb"},
        {"UPDATE labels SET places = '1 -1 5' WHERE id = 2", "label 2 needs a thumb"},
        {"UPDATE labels SET places = '0' WHERE id = 3", "label 3 has places"},
        {"UPDATE labels SET strength = 'vast' WHERE id = 3", "damaged"},
        {"UPDATE labels SET choice = 'applause' WHERE id = 3", "damaged"},
        {"UPDATE labels SET choice = 'thumbs' WHERE id = 3", "label 3 needs a thumb"},
        {"UPDATE generations SET more_ids = '' WHERE id = 1", "label 1 ranks reply 2"},
        {"UPDATE generations SET more_ids = '77' WHERE id = 1", "pair 1 shows reply 77"},
        {"UPDATE generations SET more_ids = 'x' WHERE id = 1", "damaged"},
        {"UPDATE generations SET right_id = left_id WHERE id = 1", "twice"},
    };
    for (const auto& [sql, words] : cases) {
        const std::string said = damaged(sql);
        EXPECT_NE(said, "") << sql;
        expect_error_form(said, words);
    }
}

TEST_F(DamagedAnswers, InTheLogAreADifference) {
    {
        LabSession session(project(), showing(3));
        session.click(Verdict{Choice::ranking, Strength::clear, {2, 0, 1}});
        session.click(Verdict{Choice::thumbs, Strength::clear, {1, -1, 0}});
    }
    EXPECT_TRUE(replayed(project()).equal);
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"[2,0,1]", "[2,0,1000000]"},
                                                          {"[2,0,1]", "[-7,0,1]"},
                                                          {"[1,-1,0]", "[1]"},
                                                          {"[1,-1,0]", "\"x\""},
                                                          {"\"strength\":1", "\"strength\":9"},
                                                          {"\"choice\":5", "\"choice\":-1"}}) {
        const std::string path = project("log");
        std::filesystem::remove(path);
        std::filesystem::copy_file(project(), path);
        run_sql(path, "DROP TRIGGER events_stay; UPDATE events SET payload = replace(payload, '" + from +
                          "', '" + to + "') WHERE kind = 'label'");
        const ReplayChecked result = replayed(path);
        EXPECT_FALSE(result.equal) << to;
        EXPECT_NE(result.first_difference.find("(label): "), std::string::npos) << result.first_difference;
    }
}

class WhatTrains : public Lab {
  protected:
    /// Policy steps that one answer makes, after two answers that made some. 0 goes with the weights unmoved.
    int steps(Algorithm algorithm, const Verdict& verdict, int shown = 2) {
        SessionConfig config = showing(shown, algorithm);
        config.live.lr = 1e-4;
        LabSession session(project(std::to_string(++number_)), config, some_prompts,
                           TinyModel::ending_path());
        session.click({Choice::left, Choice::right});
        const int before = session->policy_steps();
        EXPECT_EQ(before, 2);
        const std::string hash = session->weights_hash();
        session.click(verdict);
        const int made = session->policy_steps() - before;
        // Of samples that earn the same, a step teaches nothing; answers always do.
        if (made == 0 || info(algorithm).learns_from != LearnsFrom::samples) {
            EXPECT_EQ(session->weights_hash() != hash, made > 0);
        }
        return made;
    }
    int number_ = 0;
};

TEST_F(WhatTrains, ATieOrSkipNeverMovesThePolicy) {
    for (const AlgorithmInfo& each : algorithms()) {
        EXPECT_EQ(steps(each.algorithm, {Choice::tie}), 0) << each.name;
        EXPECT_EQ(steps(each.algorithm, {Choice::skip}), 0) << each.name;
    }
}

TEST_F(WhatTrains, ThumbsAndBothBadTrainFromRepliesAndNotFromPairs) {
    const Verdict good{Choice::thumbs, Strength::clear, {1, 0}},
        bad{Choice::thumbs, Strength::clear, {-1, -1}};
    for (const AlgorithmInfo& each : algorithms()) {
        const int expected = each.learns_from == LearnsFrom::pairs ? 0 : 1;
        EXPECT_EQ(steps(each.algorithm, {Choice::both_bad}), expected) << each.name;
        EXPECT_EQ(steps(each.algorithm, good), expected) << each.name;
        EXPECT_EQ(steps(each.algorithm, bad), expected) << each.name;
    }
}

TEST_F(WhatTrains, ARankingAndThumbsBothWaysTrainEveryAlgorithm) {
    for (const AlgorithmInfo& each : algorithms()) {
        EXPECT_EQ(steps(each.algorithm, {Choice::ranking, Strength::clear, {2, 0, 1}}, 3), 1) << each.name;
        EXPECT_EQ(steps(each.algorithm, {Choice::ranking, Strength::clear, {1}}, 3), 1) << each.name;
        EXPECT_EQ(steps(each.algorithm, {Choice::thumbs, Strength::clear, {1, 0, -1}}, 3), 1) << each.name;
    }
}

TEST_F(WhatTrains, ARankingOfTwoIsThePair) {
    SessionConfig config = showing(2);
    LabSession pair(project("pair"), config), ranking(project("ranking"), config),
        other(project("other"), config);
    pair.click(Choice::right);
    ranking.click(Verdict{Choice::ranking, Strength::clear, {1}});
    other.click(Verdict{Choice::ranking, Strength::clear, {0}});
    EXPECT_EQ(ranking->weights_hash(), pair->weights_hash());
    EXPECT_NE(other->weights_hash(), pair->weights_hash());
    const Pair by_pair = pair.show(), by_ranking = ranking.show();
    EXPECT_NEAR(*by_ranking.left.reward, *by_pair.left.reward, 1e-9);
    EXPECT_GT(std::abs(*other.show().left.reward - *by_pair.left.reward), 1e-6);
}

class NothingToLearn : public Lab {};

TEST_F(NothingToLearn, AllTiesLeaveThePolicyAndGiveFiniteRewards) {
    for (const Algorithm algorithm : {Algorithm::dpo, Algorithm::kto, Algorithm::rloo, Algorithm::ppo}) {
        const std::string path = project(std::string(info(algorithm).name));
        {
            LabSession session(path, showing(2, algorithm));
            const std::string hash = session->weights_hash();
            session.click(std::vector<Choice>(6, Choice::tie));
            EXPECT_EQ(session->weights_hash(), hash);
            EXPECT_EQ(session->usable_labels(), 6);
            EXPECT_EQ(session.last<RewardFitted>().labels, 6);
            EXPECT_FALSE(session.last<RewardFitted>().heldout_accuracy) << "nothing was preferred";
            for (const MetricPoint& point : session->file().metrics()) {
                EXPECT_TRUE(std::isfinite(point.value)) << point.name;
            }
            EXPECT_TRUE(std::isfinite(*session.show().left.reward));
            EXPECT_TRUE(std::isfinite(*session.last<PairReady>().pair.left.reward_sd));
        }
        EXPECT_TRUE(replayed(path).equal);
    }
}

TEST_F(NothingToLearn, AllSkipsAreNoLabelsToLearn) {
    {
        LabSession session(project(), showing(2));
        const std::string hash = session->weights_hash();
        session.click(std::vector<Choice>(4, Choice::skip));
        EXPECT_EQ(session->weights_hash(), hash);
        EXPECT_EQ(session->labels(), 4);
        EXPECT_EQ(session->usable_labels(), 0);
        EXPECT_FALSE(session.show().left.reward) << "it knows nothing";
        EXPECT_TRUE(session->file().metrics().empty());
    }
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_F(NothingToLearn, ZeroLabelsEvaluateReopenAndReplay) {
    {
        LabSession session(project(), showing(2));
        const Evaluated result = session->evaluate({"none", {"Who?"}, 2, 3}, {}, {});
        EXPECT_EQ(result.replies.size(), 2U);
        EXPECT_NEAR(result.kl, 0, 1e-3) << "no step was made";
        EXPECT_FALSE(session->pending());
        EXPECT_FALSE(session->undo());
    }
    EXPECT_EQ(LabSession(project())->labels(), 0);
    EXPECT_TRUE(replayed(project()).equal);
}

// The first answers are held out or say nothing of order: samples are scored by a model that knows nothing.
TEST_F(NothingToLearn, AFirstAnswerOfBothBadTrainsSamplesWithoutHarm) {
    for (const Algorithm algorithm :
         {Algorithm::rloo, Algorithm::grpo, Algorithm::online_dpo, Algorithm::best_of_n}) {
        LabSession session(project(std::string(info(algorithm).name)), showing(2, algorithm), some_prompts,
                           TinyModel::ending_path());
        session.click(Choice::both_bad);
        EXPECT_EQ(session->policy_steps(), 1) << info(algorithm).name;
        EXPECT_TRUE(std::isfinite(session.last<PolicyStepped>().loss));
    }
}

}  // namespace
}  // namespace plumbline::testing
