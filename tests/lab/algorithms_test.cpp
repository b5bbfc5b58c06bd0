// Every algorithm in a live session: it learns, its log replays, undo and reopening are exact.

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

constexpr std::array all_algorithms = {
    Algorithm::dpo,  Algorithm::cdpo, Algorithm::robust_dpo, Algorithm::ipo,        Algorithm::hinge,
    Algorithm::kto,  Algorithm::orpo, Algorithm::simpo,      Algorithm::online_dpo, Algorithm::reinforce,
    Algorithm::rloo, Algorithm::grpo, Algorithm::ppo,        Algorithm::best_of_n};

std::string test_name(const ::testing::TestParamInfo<Algorithm>& each) {
    std::string out(info(each.param).name);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

/// Batches whose replies mostly end, several passes over them where the algorithm has passes.
SessionConfig config_for(Algorithm algorithm, Weights weights, OptimizerKind optimizer) {
    SessionConfig config = small_config();
    config.lora.weights = weights;
    config.lora.lora_rank = 2;
    config.live.algorithm = algorithm;
    config.live.optimizer = optimizer;
    config.live.lr = optimizer == OptimizerKind::sgd ? 0.01 : 1e-4;
    config.live.group_size = 8;
    config.live.epochs = 2;
    config.live.minibatches = 2;
    config.live.kl_limit = 1000;
    config.live.kl_target = 2;
    return config;
}

/// Its latest weights, moments, value head, baseline and KL weight.
std::vector<std::byte> state_of(const LabSession& session) {
    return session->file().latest()->state;
}

class EveryAlgorithm : public Lab, public ::testing::WithParamInterface<Algorithm> {
  protected:
    /// Calls `check(config, project's name)` for both kinds of weights with both optimisers.
    template <class Check>
    void in_every_way(Check check) const {
        for (const Weights weights : {Weights::lora, Weights::all}) {
            for (const OptimizerKind optimizer : {OptimizerKind::adamw, OptimizerKind::sgd}) {
                const std::string way = std::string(weights == Weights::all ? "all" : "lora") +
                                        (optimizer == OptimizerKind::sgd ? " sgd" : " adamw");
                SCOPED_TRACE(way);
                check(config_for(GetParam(), weights, optimizer), way);
            }
        }
    }
    LabSession started(const std::string& name, const SessionConfig& config) const {
        return LabSession(project(name), config, some_prompts, TinyModel::ending_path());
    }
};

TEST_P(EveryAlgorithm, LearnsFromClicksIsTakenBackAndReplays) {
    in_every_way([&](const SessionConfig& config, const std::string& way) {
        {
            LabSession session = started(way, config);
            std::vector<std::string> hashes{session->weights_hash()};
            for (const Choice choice : {Choice::left, Choice::right, Choice::left}) {
                session.click(choice);
                hashes.push_back(session->weights_hash());
                EXPECT_EQ(session.last<PolicyStepped>().algorithm, GetParam());
            }
            EXPECT_EQ(std::set<std::string>(hashes.begin(), hashes.end()).size(), 4U) << "each click teaches";
            EXPECT_EQ(session->policy_steps(), 3);
            const std::vector<std::byte> learned = state_of(session);

            for (const std::size_t before : {2U, 1U}) {
                ASSERT_TRUE(session->undo());
                EXPECT_EQ(session->weights_hash(), hashes[before]);
            }
            // What samples earn depends on the replies drawn since, which an undo does not take back.
            const bool from_labels = info(GetParam()).learns_from != LearnsFrom::samples;
            session.click(Choice::right);
            EXPECT_TRUE(!from_labels || session->weights_hash() == hashes[2]) << "forward again";
            session.click(Choice::left);
            EXPECT_TRUE(!from_labels || session->weights_hash() == hashes[3]);
            EXPECT_EQ(state_of(session).size(), learned.size());
        }
        const ReplayChecked result = replayed(project(way));
        EXPECT_TRUE(result.equal) << result.first_difference;
    });
}

TEST_P(EveryAlgorithm, GoesOnAfterReopeningAsIfNeverClosed) {
    in_every_way([&](const SessionConfig& config, const std::string& way) {
        const std::array choices = {Choice::left, Choice::right, Choice::left};
        LabSession straight = started(way + " straight", config);
        LabSession other = started(way + " other", config);
        for (const Choice choice : choices) {
            straight.click(choice);
        }
        other.click({Choice::right, Choice::left, Choice::right});

        started(way, config).click(choices[0]);
        LabSession(project(way)).click(choices[1]);
        LabSession reopened(project(way));
        reopened.click(choices[2]);
        EXPECT_EQ(reopened->weights_hash(), straight->weights_hash());
        EXPECT_TRUE(state_of(reopened) == state_of(straight))
            << "moments, value head, baseline or KL weight differ";
        EXPECT_FALSE(state_of(reopened) == state_of(other)) << "a different answer is seen";
        ASSERT_TRUE(reopened->undo()) << "over the opening";
        ASSERT_TRUE(reopened->undo());
        ASSERT_TRUE(straight->undo());
        ASSERT_TRUE(straight->undo());
        EXPECT_TRUE(state_of(reopened) == state_of(straight));
    });
}

TEST_P(EveryAlgorithm, LearnsNothingFromClicksOfNoSteps) {
    SessionConfig config = config_for(GetParam(), Weights::lora, OptimizerKind::adamw);
    config.live.steps_per_click = 0;
    LabSession session = started("p", config);
    const std::string hash = session->weights_hash();
    session.click({Choice::left, Choice::right});
    EXPECT_EQ(session->weights_hash(), hash);
    EXPECT_EQ(session->policy_steps(), 0);
    EXPECT_EQ(session.last<RewardFitted>().labels, 2);
}

INSTANTIATE_TEST_SUITE_P(Live, EveryAlgorithm, ::testing::ValuesIn(all_algorithms), test_name);

TEST(AllAlgorithms, AreTested) {
    const auto all = algorithms();
    ASSERT_EQ(all.size(), all_algorithms.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].algorithm, all_algorithms[i]);
    }
}

class ChangedInMidSession : public Lab {
  protected:
    LabSession started(const std::string& name) const {
        return LabSession(project(name), config_for(Algorithm::dpo, Weights::all, OptimizerKind::adamw),
                          some_prompts, TinyModel::ending_path());
    }
    static void change(LabSession& session, Algorithm algorithm, OptimizerKind optimizer) {
        session->change_config(config_for(algorithm, Weights::all, optimizer));
    }
};

TEST_F(ChangedInMidSession, EveryAlgorithmIsHonouredLoggedAndReplayed) {
    std::string hash;
    {
        LabSession session = started("p");
        std::optional<LabSession> several(started("several"));
        OptimizerKind optimizer = OptimizerKind::sgd;
        for (const Algorithm algorithm : all_algorithms) {
            change(session, algorithm, optimizer);
            session.click(Choice::left);
            EXPECT_EQ(session.last<PolicyStepped>().algorithm, algorithm);
            EXPECT_EQ(session.last<PolicyStepped>().lr, session->config().live.lr) << info(algorithm).name;

            change(*several, algorithm, optimizer);
            several->click(Choice::left);
            several.reset();  // closed and opened between any two
            several.emplace(project("several"));
            ASSERT_EQ((*several)->weights_hash(), session->weights_hash()) << info(algorithm).name;
            optimizer = optimizer == OptimizerKind::sgd ? OptimizerKind::adamw : OptimizerKind::sgd;
        }
        EXPECT_TRUE(state_of(*several) == state_of(session));
    }
    std::vector<std::string> settings, steps;
    for (const StoredEvent& event : ProjectFile::open(project())->events()) {
        const auto payload = nlohmann::json::parse(event.payload);
        if (event.kind == "config") {
            settings.push_back(payload.at("algorithm"));
        } else if (event.kind == "policy") {
            steps.push_back(payload.at("algorithm"));
        }
    }
    EXPECT_EQ(settings.size(), all_algorithms.size());
    EXPECT_EQ(steps, settings);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        EXPECT_EQ(steps[i], info(all_algorithms[i]).name);
    }
    const ReplayChecked result = replayed(project());
    EXPECT_TRUE(result.equal) << result.first_difference;
}

TEST_F(ChangedInMidSession, AnotherOptimiserStartsAfreshAndIsTakenBack) {
    std::optional<LabSession> opened(started("p"));
    LabSession& session = *opened;
    session.click({Choice::left, Choice::right});
    const std::vector<std::byte> adam = state_of(session);
    change(session, Algorithm::dpo, OptimizerKind::sgd);
    session.click(Choice::left);
    EXPECT_LT(state_of(session).size(), adam.size()) << "no moments";
    ASSERT_TRUE(session->undo());
    EXPECT_TRUE(state_of(session) == adam) << "the moments are back";
    session.click(Choice::left);
    EXPECT_LT(state_of(session).size(), adam.size()) << "the setting stays";
    const std::vector<std::byte> plain = state_of(session);
    opened.reset();
    opened.emplace(project());
    EXPECT_TRUE(state_of(*opened) == plain);
    ASSERT_TRUE((*opened)->undo());
    EXPECT_TRUE(state_of(*opened) == adam);
}

TEST_F(ChangedInMidSession, WhatTrainsIsFixed) {
    std::optional<LabSession> opened(started("p"));
    LabSession& session = *opened;
    session.click(Choice::left);
    SessionConfig config = session->config();
    config.lora.weights = Weights::lora;
    expect_error_form(error_from([&] { session->change_config(config); }),
                      "change settings: whether all weights");
    config = session->config();
    config.lora.weights = Weights::automatic;  // of so small a model: all
    session->change_config(config);
    session.click(Choice::right);
    opened.reset();
    EXPECT_EQ(LabSession(project())->policy_steps(), 2);
}

TEST_F(ChangedInMidSession, ARewardThatCannotBeReadIsRefused) {
    LabSession session = started("p");
    SessionConfig config = session->config();
    config.live.reward = "kindness";
    expect_error_form(error_from([&] { session->change_config(config); }), "kindness");
    EXPECT_EQ(session->config().live.reward, "model");
    EXPECT_EQ(session->file().config().live.reward, "model");
    expect_error_form(error_from([&] { LabSession(project("q"), config); }), "kindness");
    EXPECT_FALSE(std::filesystem::exists(project("q")));
}

// Fitted anew at once, and so the same with the project closed and opened.
TEST_F(ChangedInMidSession, EverySettingOfTheRewardModelActsAtOnce) {
    const std::vector<std::function<void(SessionConfig&)>> changes = {
        [](SessionConfig& c) { c.reward.ridge = 1; },
        [](SessionConfig& c) { c.reward.length_scale = 5; },
        [](SessionConfig& c) { c.reward.strength_margin = 3; },
        [](SessionConfig& c) { c.reward.ties_as_half = true; },
        [](SessionConfig& c) { c.reward.tie_threshold = 4; },
        [](SessionConfig& c) { c.reward.heldout_share = 0.5; },
    };
    int number = 0;
    for (const auto& change : changes) {
        const std::string name = "change " + std::to_string(++number);
        SCOPED_TRACE(name);
        double before = 0, after = 0;
        std::int64_t pair = 0;
        {
            LabSession session = started(name);
            session.click({Verdict{Choice::left, Strength::much, {}}});
            session.click({Choice::tie, Choice::right, Choice::left, Choice::tie, Choice::right});
            pair = session.show().id;
            before = *session.last<PairReady>().pair.left.reward;
            SessionConfig config = session->config();
            change(config);
            session->change_config(config);
            session->show(pair);
            after = *session.last<PairReady>().pair.left.reward;
        }
        EXPECT_NE(after, before);
        LabSession reopened(project(name));
        reopened->show(pair);
        EXPECT_EQ(*reopened.last<PairReady>().pair.left.reward, after);
    }
}

// A KL weight that was steered belongs to samples alone, and to settings that steer it.
TEST_F(ChangedInMidSession, AFixedKlWeightIsTheOneOfTheSettings) {
    const auto rloo = [](double target) {
        SessionConfig config = config_for(Algorithm::rloo, Weights::all, OptimizerKind::sgd);
        config.live.kl_target = target;
        config.live.group_size = 64;
        config.live.prompts = 3;
        config.live.beta = 0.5;
        return config;
    };
    LabSession session = started("p");
    session->change_config(rloo(1000));
    const auto beta = [&] {
        std::optional<double> out;
        for (const MetricPoint& point : session.last<MetricsAdded>().points) {
            if (point.name == "objective/beta") {
                out = point.value;
            }
        }
        return out;
    };
    // Far below its target: a share of -0.2 * replies / 10000 a step, of one prompt seen and then of two.
    const double first = 0.5 * (1 - 0.2 * 64 / 10000), second = first * (1 - 0.2 * 128 / 10000);
    session.click(Choice::left);
    ASSERT_TRUE(beta());
    EXPECT_NEAR(*beta(), first, 1e-12);
    session.click(Choice::left);
    EXPECT_NEAR(*beta(), second, 1e-12);
    EXPECT_GT(std::abs(*beta() - first), 1e-4) << "a step less is seen";

    const auto dpo_after = [&](bool steered) {
        LabSession fresh = started(steered ? "steered" : "fixed");
        fresh->change_config(rloo(steered ? 1000 : 0));
        fresh.click(Choice::left);
        SessionConfig config = config_for(Algorithm::dpo, Weights::all, OptimizerKind::sgd);
        config.live.kl_target = 1000;
        fresh->change_config(config);
        fresh.click(Choice::left);
        return fresh->weights_hash();
    };
    EXPECT_EQ(dpo_after(true), dpo_after(false)) << "the pairs' beta is not steered";
    session->change_config(rloo(0));
    session.click(Choice::left);
    EXPECT_FALSE(beta());
}

}  // namespace
}  // namespace plumbline::testing
