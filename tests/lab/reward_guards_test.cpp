// What keeps learning from samples sound: replies that collapse halt it, groups of equal rewards are told,
// and a rule alone is a reward.

#include <algorithm>
#include <cmath>

#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

/// Enough replies a click for the guard to speak.
SessionConfig many_replies(Algorithm algorithm) {
    SessionConfig config = small_config();
    config.sampling.candidates = 8;
    config.live.algorithm = algorithm;
    config.live.prompts = 2;
    config.live.group_size = 4;
    config.live.lr = 3e-4;
    config.live.kl_limit = 1000;
    config.live.collapse_guard = 1;
    return config;
}

class Collapse : public Lab, public ::testing::WithParamInterface<Algorithm> {};

// A guard so strict that the first drift of the replies counts.
TEST_P(Collapse, HaltsInWordsWithTheWeightsAsBeforeTheClick) {
    {
        EngineDriver driver(one_thread(false));
        NewSession start = new_session(many_replies(GetParam()));
        start.model = TinyModel::ending_path();
        driver.after(start);
        driver.vote(Choice::left);
        driver.vote(Choice::right);
        ASSERT_EQ(driver.snapshot().policy_steps, 2) << "with the usual guard";
        SessionConfig strict = many_replies(GetParam());
        strict.live.collapse_guard = 0.01;
        driver.after(ChangeConfig{strict});
        const auto events = driver.vote(Choice::left);
        const auto halted = all_of<TrainingHalted>(events);
        ASSERT_EQ(halted.size(), 1U) << names_of(events);
        EXPECT_EQ(halted[0].label_id, 3);
        expect_error_form(halted[0].message, "train: the policy has collapsed: the replies ");
        EXPECT_NE(halted[0].message.find("the weights are as before this vote"), std::string::npos);
        EXPECT_TRUE(all_of<ClickDone>(events).empty());
        EXPECT_TRUE(driver.snapshot().training_paused);
        EXPECT_EQ(driver.snapshot().pending_clicks, 1) << "the vote stays";
        EXPECT_EQ(driver.snapshot().policy_steps, 2);

        driver.after(Undo{});
        driver.after(ChangeConfig{many_replies(GetParam())});
        driver.after(CloseSession{});
    }
    {
        LabSession straight(project("straight"), many_replies(GetParam()), some_prompts,
                            TinyModel::ending_path());
        straight.click({Choice::left, Choice::right});
        LabSession reopened(project());
        EXPECT_EQ(reopened->weights_hash(), straight->weights_hash()) << "nothing of the halt is left";
        reopened.click(Choice::left);
        EXPECT_EQ(reopened->policy_steps(), 3) << "on with the usual guard";
    }
    EXPECT_TRUE(replayed(project()).equal);
}

TEST_P(Collapse, IsNotLookedForWhereTheGuardIsOff) {
    SessionConfig config = many_replies(GetParam());
    config.live.collapse_guard = 0;
    config.live.lr = 0.3;  // whatever becomes of it
    LabSession session(project(), config, some_prompts, TinyModel::ending_path());
    for (int i = 0; i < 4; ++i) {
        EXPECT_NO_THROW(session.click(Choice::left)) << "click " << i + 1;
    }
}

INSTANTIATE_TEST_SUITE_P(From, Collapse, ::testing::Values(Algorithm::dpo, Algorithm::kto, Algorithm::rloo),
                         [](const auto& each) {
                             return each.param == Algorithm::dpo   ? "Pairs"
                                    : each.param == Algorithm::kto ? "Replies"
                                                                   : "Samples";
                         });

/// With the guard as it comes: a rate at which the policy soon writes one and the same reply is found out.
TEST_F(Lab, ARealCollapseIsFound) {
    SessionConfig config = many_replies(Algorithm::rloo);
    config.live.lr = 3e-3;
    LabSession session(project(), config, some_prompts, TinyModel::ending_path());
    std::string words, good;
    for (int i = 0; i < 12 && words.empty(); ++i) {
        good = session->weights_hash();
        words = error_from([&] { session.click(Choice::left); });
    }
    EXPECT_NE(words.find("the policy has collapsed"), std::string::npos) << words;
    EXPECT_EQ(session->weights_hash(), good);
}

class EqualGroup : public Lab, public ::testing::WithParamInterface<Algorithm> {
  protected:
    static SessionConfig equal(Algorithm algorithm) {
        SessionConfig config = small_config();
        config.live.algorithm = algorithm;
        config.live.group_size = 4;
        config.live.reward = "keyword(never written by it)";
        config.live.missing_eos_reward = 0;  // as much as a reply that ends
        return config;
    }
    LabSession started(const SessionConfig& config, const std::string& name = "p") const {
        return LabSession(project(name), config, some_prompts, TinyModel::ending_path());
    }
};

TEST_P(EqualGroup, SaysThatItTeachesNothing) {
    LabSession session = started(equal(GetParam()));
    const std::string hash = session->weights_hash();
    session.click(Choice::left);
    const std::string note = session.last<PolicyStepped>().note;
    EXPECT_NE(note.find("got equal rewards, and teach nothing"), std::string::npos) << note;
    EXPECT_EQ(session->weights_hash(), hash) << "before the policy has left the reference nothing moves it";
    EXPECT_EQ(session->policy_steps(), 1);

    // A reward that tells replies apart says nothing of the kind, and teaches.
    SessionConfig apart = equal(GetParam());
    apart.live.reward = "length(3)";
    apart.live.missing_eos_reward = -1;
    apart.live.group_size = 16;
    LabSession taught = started(apart, "apart");
    const std::string before = taught->weights_hash();
    taught.click(Choice::left);
    EXPECT_EQ(taught.last<PolicyStepped>().note, "");
    EXPECT_NE(taught->weights_hash(), before);
}

std::string test_name(const ::testing::TestParamInfo<Algorithm>& each) {
    std::string out(info(each.param).name);
    std::replace(out.begin(), out.end(), '-', '_');
    return out;
}

INSTANTIATE_TEST_SUITE_P(Of, EqualGroup,
                         ::testing::Values(Algorithm::rloo, Algorithm::grpo, Algorithm::online_dpo,
                                           Algorithm::best_of_n),
                         test_name);

class RuleReward : public Lab {
  protected:
    /// Mean words and tokens of the replies to some prompts.
    struct Lengths {
        double words = 0, tokens = 0, ended = 0;
    };
    static Lengths lengths(LabSession& session) {
        const Evaluated result = session->evaluate({"lengths", some_prompts, 64, 5}, {}, {});
        Lengths out;
        const auto n = static_cast<double>(result.replies.size());
        for (const EvaluatedReply& reply : result.replies) {
            out.tokens += reply.reply.tokens / n;
            out.ended += reply.reply.ended / n;
            bool inside = false;
            for (const char c : reply.reply.text) {
                const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
                out.words += (!space && !inside) / n;
                inside = !space;
            }
        }
        return out;
    }
    Lengths trained(const std::string& reward, const std::string& name, int clicks = 5) const {
        SessionConfig config = small_config();
        config.sampling.max_new_tokens = 16;
        config.lora.weights = Weights::all;
        config.live.algorithm = Algorithm::rloo;
        config.live.reward = reward;
        config.live.prompts = 3;
        config.live.group_size = 16;
        config.live.steps_per_click = 4;
        config.live.lr = 1e-3;
        config.live.beta = 0;
        config.live.kl_limit = 1000;
        config.live.missing_eos_reward = -4;   // below any score: replies stay ones that end
        LabSession session(project(name), config, some_prompts, TinyModel::ending_path());
        for (int i = 0; i < clicks; ++i) {
            session.click(Choice::left);
        }
        return lengths(session);
    }
};

TEST_F(RuleReward, MovesTheMeanLengthWithRloo) {
    const Lengths before = trained("length(5)", "before", 0), after = trained("length(5)", "after");
    const Lengths brief = trained("length(1)", "short");
    EXPECT_GT(after.words, brief.words + 0.1) << "towards five words";
    EXPECT_GT(after.tokens, brief.tokens + 1);
    EXPECT_LT(brief.tokens, before.tokens - 1) << "and away from it by another rule";
}

}  // namespace
}  // namespace plumbline::testing
