// A live session with models of other families than Llama, from Hugging Face folders.

#include "tests/lab/lab.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {
namespace {

class FamilySessions : public Lab, public ::testing::WithParamInterface<const char*> {};

TEST_P(FamilySessions, LearnFromVotesAndReplayToTheLastBit) {
    SessionConfig config = small_config();
    config.lora.weights = Weights::lora;
    NewSession start = new_session(config, {"the hat", "a cat"});
    start.model = golden_path(std::string("families/") + GetParam()).string();
    {
        EngineDriver driver(one_thread(false));
        ASSERT_EQ(driver.failure_of(start), "");
        EXPECT_EQ(all_of<ClickDone>(driver.vote(Choice::left)).size(), 1U);
        EXPECT_EQ(all_of<ClickDone>(driver.vote(Choice::right)).size(), 1U);
        EXPECT_GT(driver.snapshot().policy_steps, 0);
        driver.after(CloseSession{});
    }
    const ReplayChecked checked = replayed(project());
    EXPECT_TRUE(checked.equal) << checked.first_difference;
}

INSTANTIATE_TEST_SUITE_P(All, FamilySessions, ::testing::Values("gpt2", "gpt_neox", "phi3", "gemma2", "olmo2", "opt"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace plumbline::testing
