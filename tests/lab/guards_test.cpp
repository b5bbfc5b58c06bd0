// What keeps training sound: non-finite numbers stop it with the weights as they were, the KL brake holds it
// near its start.

#include <array>
#include <cmath>
#include <cstring>

#include "core/training/adamw.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class Guards : public Lab {};

/// Ten a step on every weight: activations overflow within some steps.
// With LoRA's products so loud that a few steps of a high rate are beyond what floats hold.
SessionConfig loud_config() {
    SessionConfig config = small_config();
    config.lora.lora_alpha = 4096;
    config.live.lr = 1e-6;
    return config;
}

void explode(EngineDriver& driver, Algorithm algorithm) {
    SessionConfig config = loud_config();
    config.live.algorithm = algorithm;
    config.live.lr = 10;
    config.live.steps_per_click = 64;
    config.live.kl_limit = 1000;
    driver.after(ChangeConfig{config});
}

class NonFiniteTraining : public Lab, public ::testing::WithParamInterface<Algorithm> {};

TEST_P(NonFiniteTraining, HaltsWithTheLastGoodWeights) {
    EngineDriver driver(one_thread(false));
    driver.after(new_session(loud_config()));
    driver.vote(Choice::left);
    explode(driver, GetParam());
    const Pair pair = driver.shown();
    const auto events = driver.vote(Choice::right);
    const auto halted = all_of<TrainingHalted>(events);
    ASSERT_EQ(halted.size(), 1U) << names_of(events);
    EXPECT_EQ(halted[0].label_id, 2);
    expect_error_form(halted[0].message, "train: the ");
    EXPECT_NE(halted[0].message.find("not finite"), std::string::npos) << halted[0].message;
    EXPECT_TRUE(all_of<ClickDone>(events).empty());
    EXPECT_LT(all_of<PolicyStepped>(events).size(), 64U);
    EXPECT_TRUE(driver.snapshot().training_paused);
    EXPECT_EQ(driver.snapshot().pending_clicks, 1) << "the label stays";
    EXPECT_EQ(driver.snapshot().policy_steps, 1);

    // Undo, gentler settings, and on.
    EXPECT_EQ(all_of<Undone>(driver.after(Undo{})).size(), 1U);
    EXPECT_EQ(driver.shown().id, pair.id);
    driver.after(ChangeConfig{loud_config()});
    driver.after(PauseTraining{false});
    EXPECT_EQ(all_of<ClickDone>(driver.vote(Choice::right)).size(), 1U);
    driver.after(CloseSession{});

    LabSession straight(project("straight"), loud_config());
    straight.click({Choice::left, Choice::right});
    EXPECT_EQ(LabSession(project())->weights_hash(), straight->weights_hash()) << "nothing of it is left";
    EXPECT_TRUE(replayed(project()).equal);
}

INSTANTIATE_TEST_SUITE_P(All, NonFiniteTraining, ::testing::Values(Algorithm::dpo, Algorithm::rloo),
                         [](const auto& each) { return each.param == Algorithm::dpo ? "Dpo" : "Rloo"; });

TEST_F(Guards, AHaltedVoteIsLearnedWithGentlerSettings) {
    EngineDriver driver(one_thread(false));
    driver.after(new_session(loud_config()));
    explode(driver, Algorithm::dpo);
    ASSERT_EQ(all_of<TrainingHalted>(driver.vote(Choice::left)).size(), 1U);
    driver.after(ChangeConfig{loud_config()});
    EXPECT_EQ(all_of<ClickDone>(driver.after(PauseTraining{false})).size(), 1U);
    EXPECT_EQ(driver.snapshot().policy_steps, 1);
}

// The first weight of a norm is not a number: the file is refused. It is a huge one: what is computed with it is none.
TEST_F(Guards, AModelWhoseNumbersAreNotFiniteSaysSo) {
    const GgufWriter writer = tiny_model(5);
    std::string bytes = writer.bytes();
    const float one = 1, huge = 3e38f, bad = std::nanf("");
    const std::string one_bytes(reinterpret_cast<const char*>(&one), 4);
    const std::size_t norm = bytes.find(one_bytes + one_bytes + one_bytes, writer.places().at("data"));
    ASSERT_NE(norm, std::string::npos);
    const std::string path = (folder_ / "nan.gguf").string();
    NewSession start = new_session();
    start.model = path;
    std::memcpy(bytes.data() + norm, &bad, 4);
    write_whole(path, bytes);
    EngineDriver driver(one_thread());
    expect_error_form(driver.failure_of(start), "holds a value that is not finite");

    std::memcpy(bytes.data() + norm, &huge, 4);
    write_whole(path, bytes);
    const auto events = driver.after(start);
    EXPECT_TRUE(all_of<PairReady>(events).empty());
    EXPECT_EQ(all_of<SamplingStopped>(events).size(), 1U) << names_of(events);
    std::string message;
    for (const JobEnded& ended : all_of<JobEnded>(events)) {
        message = ended.end == JobEnd::failed ? ended.message : message;
    }
    expect_error_form(message, "not a finite number");
}

TEST_F(Guards, AKlThatIsNotFiniteCannotReachTheWeights) {
    LabSession session(project(), small_config());
    Learner learner(session->model(), small_config());
    PreferencePair pair;
    pair.chosen = join({1, 40, 41}, {50, 51, 2});
    pair.rejected = join({1, 40, 41}, {60, 2});
    pair.reference_chosen = -15;
    pair.reference_rejected = -10;
    const auto step = [&](double kl) {
        return learner.step_pairs(std::array{pair}, small_config().live, kl, {});
    };
    const std::string hash = learner.weights_hash();
    EXPECT_THROW(step(std::nan("")), NonFinite);
    EXPECT_THROW(step(INFINITY), NonFinite);
    EXPECT_EQ(learner.weights_hash(), hash);
    EXPECT_EQ(learner.policy_steps(), 0);
    step(0);
    EXPECT_NE(learner.weights_hash(), hash);
}

class KlBrake : public Lab {
  protected:
    /// A session whose policy has moved away from the reference.
    std::unique_ptr<LabSession> moved() {
        config_.live.lr = 0.03;
        config_.live.kl_limit = 1000;
        auto session = std::make_unique<LabSession>(project(), config_);
        for (int i = 0; i < 4; ++i) {
            session->click(Choice::left);
        }
        session->show();
        EXPECT_GT((*session)->kl(), 0.2);
        return session;
    }
    SessionConfig config_ = small_config();
};

std::vector<float> floats_of(const Session& session) {
    const auto state = session.file().latest()->state;
    constexpr std::size_t header = 80;  // behind it weights, moments and the value head's
    std::vector<float> out((state.size() - header) / sizeof(float));
    std::memcpy(out.data(), state.data() + header, out.size() * sizeof(float));
    return out;
}

TEST_F(KlBrake, SlowsFromHalfOfTheLimitOn) {
    const auto session = moved();
    const double kl = (*session)->kl();
    for (const double share : {0.4, 0.6, 0.75, 0.95}) {
        config_.live.kl_limit = std::max(kl / share, 0.1);
        (*session)->change_config(config_);
        session->click(Choice::left);
        const PolicyStepped step = session->last<PolicyStepped>();
        EXPECT_NEAR(step.lr, 0.03 * std::min(1.0, 2 * (1 - share)), 1e-12)
            << "at " << share << " of the limit";
        if (share > 0.5) {
            EXPECT_NE(step.note.find("slowed to "), std::string::npos) << step.note;
        } else {
            EXPECT_EQ(step.note, "");
        }
        (*session)->undo();
    }
}

TEST_F(KlBrake, ShrinksTheAdapterAboveTheLimit) {
    const auto session = moved();
    const double kl = (*session)->kl();
    config_.live.kl_limit = std::max(0.1, kl / 1.1);
    const double factor = config_.live.kl_limit / kl;
    ASSERT_GT(factor, 0.8);
    (*session)->change_config(config_);
    const std::vector<float> before = floats_of(**session);
    session->click(Choice::left);
    const PolicyStepped step = session->last<PolicyStepped>();
    EXPECT_NE(step.note.find("shrunk towards the reference by 0.91"), std::string::npos) << step.note;
    EXPECT_EQ(step.lr, 0);
    const std::vector<float> after = floats_of(**session);
    ASSERT_EQ(after.size(), before.size());
    const auto count = [&](double times) {  // entries that were kept, that were multiplied, and others
        std::array<int, 3> out{};
        for (std::size_t i = 0; i < before.size(); ++i) {
            const bool multiplied = std::abs(after[i] - times * before[i]) <= 2e-7 * std::abs(before[i]);
            ++out[before[i] == after[i] ? 0 : multiplied ? 1 : 2];
        }
        return out;
    };
    const auto [kept, shrunk, other] = count(factor);
    EXPECT_EQ(other, 0);
    EXPECT_GT(shrunk, 1000) << "every B";
    EXPECT_GT(kept, 2 * shrunk) << "every A and the moments";
    EXPECT_GT(count(factor + 1e-6)[2], shrunk / 2) << "a millionth off is seen";

    // Far above it, a fifth at most in one step; and step by step back under the limit.
    config_.live.kl_limit = 0.1;
    (*session)->change_config(config_);
    session->click(Choice::left);
    EXPECT_NE(session->last<PolicyStepped>().note.find("by 0.80"), std::string::npos);
    int clicks = 0;
    while (!session->last<PolicyStepped>().note.empty() && ++clicks < 40) {
        session->click(Choice::left);
    }
    EXPECT_LT(clicks, 40) << session->last<PolicyStepped>().note;
    EXPECT_LT((*session)->kl(), 0.1);
}

}  // namespace
}  // namespace plumbline::testing
