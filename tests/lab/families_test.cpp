// A live session with models of other families than Llama, from Hugging Face folders.

#include "tests/lab/lab.h"
#include "tests/support/golden_file.h"

namespace plumbline::testing {
namespace {

class FamilySessions : public Lab, public ::testing::WithParamInterface<std::tuple<const char*, Weights>> {};

TEST_P(FamilySessions, LearnFromVotesAndReplayToTheLastBit) {
    const auto [model, weights] = GetParam();
    SessionConfig config = small_config();
    config.lora.weights = weights;
    NewSession start = new_session(config, {"the hat", "a cat"});
    start.model = golden_path(std::string("families/") + model).string();
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

std::string name_of_case(const ::testing::TestParamInfo<FamilySessions::ParamType>& one) {
    return std::get<0>(one.param) + std::string(std::get<1>(one.param) == Weights::all ? "_all" : "_lora");
}
INSTANTIATE_TEST_SUITE_P(All, FamilySessions,
                         ::testing::Combine(::testing::Values("gpt2", "gpt_neox", "phi3", "gemma2", "gemma3", "qwen3",
                                                              "olmo2", "opt"),
                                            ::testing::Values(Weights::lora, Weights::all)),
                         name_of_case);

}  // namespace
}  // namespace plumbline::testing
