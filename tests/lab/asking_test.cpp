// How the replies on the screen are chosen, and which labels are kept from training.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

constexpr std::array all_choices = {PairChoice::farthest, PairChoice::uncertainty, PairChoice::information,
                                    PairChoice::margin, PairChoice::random};

/// All four replies on the screen, the chosen two first.
SessionConfig asking(PairChoice choice) {
    SessionConfig config = small_config();
    config.sampling.candidates = 4;
    config.sampling.shown = 4;
    config.sampling.pair_choice = choice;
    config.shuffle_sides = false;
    return config;
}

const std::vector<Choice> six = {Choice::left,  Choice::right, Choice::left,
                                 Choice::right, Choice::left,  Choice::right};

class Asking : public Lab {
  protected:
    /// A pair drawn once the reward model chooses.
    Pair asked(const std::string& name, PairChoice choice) const {
        LabSession session(project(name), asking(choice));
        session.click(six);
        return session.show();
    }
};

TEST_F(Asking, EachWayIsRecordedWithThePairAndReplays) {
    for (const PairChoice choice : all_choices) {
        const std::string name = std::to_string(static_cast<int>(choice));
        SCOPED_TRACE("way " + name);
        std::int64_t pair = 0;
        {
            LabSession session(project(name), asking(choice));
            EXPECT_EQ(session.show().chosen_by, choice);
            session.click(six);
            pair = session.show().id;
            EXPECT_EQ(session.last<PairReady>().pair.chosen_by, choice);
            // Another way from now on; what was asked stays as it was.
            session->change_config(asking(PairChoice::random));
            session->draw(session->current_prompt(), {}, {});
        }
        const auto file = ProjectFile::open(project(name));
        EXPECT_EQ(file->generation(pair).chosen_by, choice);
        EXPECT_EQ(file->generations().back().chosen_by, PairChoice::random);
        std::vector<int> logged;
        for (const StoredEvent& event : file->events()) {
            if (event.kind == "sampled") {
                logged.push_back(nlohmann::json::parse(event.payload).at("chosen_by"));
            }
        }
        ASSERT_EQ(logged.size(), 8U);
        EXPECT_EQ(std::count(logged.begin(), logged.end() - 1, static_cast<int>(choice)), 7);
        EXPECT_EQ(logged.back(), static_cast<int>(PairChoice::random));
    }
    for (const PairChoice choice : all_choices) {
        const ReplayChecked result = replayed(project(std::to_string(static_cast<int>(choice))));
        EXPECT_TRUE(result.equal) << result.first_difference;
    }
}

/// |difference of rewards| of the two asked about, and of all pairs among the four.
std::pair<double, std::vector<double>> margins_of(const Pair& pair) {
    const std::vector<double> r = {*pair.left.reward, *pair.right.reward, *pair.more.at(0).reward,
                                   *pair.more.at(1).reward};
    std::vector<double> all;
    for (std::size_t i = 0; i < r.size(); ++i) {
        for (std::size_t j = i + 1; j < r.size(); ++j) {
            all.push_back(std::abs(r[i] - r[j]));
        }
    }
    return {std::abs(r[0] - r[1]), all};
}

TEST_F(Asking, FarthestAndClosestAreThoseByTheRewardModel) {
    const auto [far, all] = margins_of(asked("far", PairChoice::farthest));
    EXPECT_EQ(far, *std::max_element(all.begin(), all.end()));
    EXPECT_GT(far, *std::min_element(all.begin(), all.end())) << "they differ";
    const auto [close, others] = margins_of(asked("close", PairChoice::margin));
    EXPECT_EQ(close, *std::min_element(others.begin(), others.end()));
}

TEST_F(Asking, AtRandomAsksAboutEveryPairInTime) {
    LabSession session(project(), asking(PairChoice::random));
    session.click(six);
    std::set<std::pair<int, int>> seen;
    int farthest = 0;
    constexpr int draws = 40;
    for (int i = 0; i < draws; ++i) {
        session->show(session->draw(session->current_prompt(), {}, {}));
        const Pair pair = session.last<PairReady>().pair;
        seen.emplace(std::minmax(pair.left.sample, pair.right.sample));
        const auto [margin, all] = margins_of(pair);
        farthest += margin == *std::max_element(all.begin(), all.end());
        session->put_back();
    }
    // Of six pairs none is missed by 40 draws but once in 6 * (5/6)^40, 0.4%; the seed is fixed.
    EXPECT_EQ(seen.size(), 6U);
    EXPECT_LT(farthest, draws / 2) << "and not by the reward";
}

class HeldOut : public Lab {
  protected:
    static SessionConfig config() {
        SessionConfig out = small_config();
        out.reward.heldout_share = 0.4;
        return out;
    }
    /// Labels that no fit took, by what each fit says of itself.
    static std::set<std::int64_t> held_out(const LabSession& session) {
        std::set<std::int64_t> out;
        int before = 0;
        for (const RewardFitted& fitted : all_of<RewardFitted>(session.events())) {
            if (fitted.labels == before) {
                out.insert(fitted.label_id);
            }
            before = fitted.labels;
        }
        return out;
    }
    static std::vector<std::string> reward_hashes(const LabSession& session) {
        std::vector<std::string> out;
        for (const StoredEvent& event : session->file().events()) {
            if (event.kind == "reward") {
                out.push_back(event.weights_hash);
            }
        }
        return out;
    }
    const std::vector<Choice> twelve_ = {Choice::left,  Choice::right, Choice::left,  Choice::left,
                                         Choice::right, Choice::right, Choice::left,  Choice::right,
                                         Choice::left,  Choice::left,  Choice::right, Choice::left};
};

TEST_F(HeldOut, LabelsTeachNobody) {
    LabSession session(project(), config());
    session.click(twelve_);
    const std::set<std::int64_t> kept = held_out(session);
    EXPECT_GE(kept.size(), 2U);
    EXPECT_LE(kept.size(), 8U) << "about 0.4 of twelve";
    EXPECT_EQ(session->labels(), 12);
    EXPECT_EQ(session->policy_steps(), 12 - static_cast<int>(kept.size()));

    // The opposite answer to each of them leaves every fit and weight as it was.
    LabSession opposite(project("opposite"), config());
    for (std::size_t i = 0; i < twelve_.size(); ++i) {
        const bool turn = kept.contains(static_cast<std::int64_t>(i) + 1);
        const Choice other = twelve_[i] == Choice::left ? Choice::right : Choice::left;
        opposite.click(turn ? other : twelve_[i]);
    }
    EXPECT_EQ(reward_hashes(opposite), reward_hashes(session));
    EXPECT_EQ(opposite->weights_hash(), session->weights_hash());

    // And to one that is not held out does not.
    LabSession different(project("different"), config());
    std::int64_t taught = 1;
    while (kept.contains(taught)) {
        ++taught;
    }
    for (std::size_t i = 0; i < twelve_.size(); ++i) {
        const Choice other = twelve_[i] == Choice::left ? Choice::right : Choice::left;
        different.click(static_cast<std::int64_t>(i) + 1 == taught ? other : twelve_[i]);
    }
    EXPECT_NE(reward_hashes(different), reward_hashes(session));
    EXPECT_NE(different->weights_hash(), session->weights_hash());
}

TEST_F(HeldOut, TheSplitIsOneOfLabelsWhateverHappensBetween) {
    std::set<std::int64_t> kept;
    {
        LabSession straight(project("straight"), config());
        straight.click(twelve_);
        kept = held_out(straight);
    }
    std::set<std::int64_t> closed, other_seed;
    for (std::size_t i = 0; i < twelve_.size(); ++i) {  // opened anew for each click
        std::optional<LabSession> session;
        if (i == 0) {
            session.emplace(project("often"), config());
        } else {
            session.emplace(project("often"));
        }
        const int before = (*session)->policy_steps();
        const std::int64_t label = session->click(twelve_[i]);
        if ((*session)->policy_steps() == before) {
            closed.insert(label);
        }
    }
    EXPECT_EQ(closed, kept);

    // An undo takes a number: its row is 4, the next label 5.
    LabSession undone(project("undone"), config());
    undone.click({twelve_[0], twelve_[1], twelve_[2]});
    ASSERT_TRUE(undone->undo());
    for (std::int64_t label = 5; label <= 12; ++label) {
        const int before = undone->policy_steps();
        ASSERT_EQ(undone.click(Choice::left), label);
        EXPECT_EQ(undone->policy_steps() == before, kept.contains(label)) << "label " << label;
    }

    SessionConfig other = config();
    other.seed = 8;
    LabSession seeded(project("seeded"), other);
    seeded.click(twelve_);
    EXPECT_NE(held_out(seeded), kept) << "another seed splits otherwise";
}

TEST_F(HeldOut, AreWhatTheAccuracyIsOf) {
    LabSession session(project(), config());
    for (int i = 0; i < 3; ++i) {
        session.click(twelve_);
    }
    const std::set<std::int64_t> kept = held_out(session);
    ASSERT_GE(kept.size(), 5U);
    double right = 0;
    std::map<std::int64_t, double> said;
    for (const RewardFitted& fitted : all_of<RewardFitted>(session.events())) {
        if (kept.contains(fitted.label_id)) {
            said[fitted.label_id] = *fitted.probability_before;
        }
    }
    for (const auto& [label, probability] : said) {
        right += probability > 0.5 ? 1 : probability == 0.5 ? 0.5 : 0;
    }
    const std::optional<double> accuracy = session.last<RewardFitted>().heldout_accuracy;
    ASSERT_TRUE(accuracy);
    EXPECT_NEAR(*accuracy, right / static_cast<double>(said.size()), 1e-9);
}

TEST_F(HeldOut, ReplayAndCanBeTakenBack) {
    {
        LabSession session(project(), config());
        std::vector<std::string> hashes;
        for (std::size_t i = 0; i < 5; ++i) {
            hashes.push_back(session->weights_hash());
            session.click(twelve_[i]);
        }
        for (std::size_t i = 5; i-- > 0;) {
            ASSERT_TRUE(session->undo());
            EXPECT_EQ(session->weights_hash(), hashes[i]);
        }
        session.click(twelve_);
    }
    const ReplayChecked result = replayed(project());
    EXPECT_TRUE(result.equal) << result.first_difference;
}

TEST_F(HeldOut, AllAnswersSoFarLeaveARewardThatKnowsNothing) {
    SessionConfig all = config();
    all.reward.heldout_share = 0.5;
    // A seed whose first two labels are held out.
    for (all.seed = 0; all.seed < 100; ++all.seed) {
        LabSession session(project("seed" + std::to_string(all.seed)), all);
        session.click({Choice::left, Choice::right});
        if (session->policy_steps() > 0) {
            continue;
        }
        EXPECT_EQ(session.last<RewardFitted>().labels, 0);
        EXPECT_FALSE(session.show().left.reward);
        EXPECT_EQ(session->usable_labels(), 2);
        return;
    }
    ADD_FAILURE() << "of 100 seeds a quarter hold both out";
}

}  // namespace
}  // namespace plumbline::testing
