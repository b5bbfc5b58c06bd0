// Dialogues that the model's chat template refuses are bad rows like any other, whatever is done with them.

#include "core/model/language_model.h"
#include "tests/lab/lab.h"
#include "tests/lab/training.h"

namespace plumbline::testing {
namespace {

const std::string alternating =
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}<{{ m.content }}>{% endfor %}";

using nlohmann::json;

const json good = {{{"role", "user"}, {"content", "Why?"}}};
const json refused = {{{"role", "user"}, {"content", "Why?"}}, {{"role", "user"}, {"content", "Well?"}}};

/// Three lines, the second with a prompt that the template refuses.
std::string lines(const json& more) {
    std::string out;
    for (const json& prompt : {good, refused, good}) {
        json row = more;
        row["prompt"] = prompt;
        out += row.dump() + "\n";
    }
    return out;
}
const json pair = {{"chosen", "Yes."}, {"rejected", "No way."}};
const json labelled = {{"completion", "So."}, {"label", true}};
const json ranked = {{"completions", {"a", "bb", "ccc"}}, {"ranking", {2, 0, 1}}};

class RefusedRows : public Training {
  protected:
    static TrainResult train_with_template(const TrainRequest& request) {
        EngineOptions options = one_thread();
        options.chat_template = alternating;
        return train(request, options, {}, [](const StepMetrics&) {});
    }
    template <class Config>
    void expect_second_line_skipped(const json& row, const std::string& reward = "") const {
        Config config = small<Config>();
        config.steps = 1;
        if constexpr (std::is_base_of_v<OnPolicyConfig, Config>) {
            config.max_new_tokens = 4;
        }
        TrainRequest made = request(config, write("rows.jsonl", lines(row)));
        made.reward = reward;
        const TrainResult result = train_with_template(made);
        ASSERT_EQ(result.skipped.size(), 1U) << Config::stage;
        EXPECT_TRUE(result.skipped[0].starts_with("line 2: ")) << result.skipped[0];
        EXPECT_NE(result.skipped[0].find("roles must alternate"), std::string::npos) << result.skipped[0];
        EXPECT_EQ(result.steps, 1);
    }
};

TEST_F(RefusedRows, AreSkippedByEveryStage) {
    expect_second_line_skipped<SftConfig>({{"completion", "So."}});
    expect_second_line_skipped<RewardConfig>(pair);
    expect_second_line_skipped<RewardConfig>(ranked);
    expect_second_line_skipped<DpoConfig>(pair);
    expect_second_line_skipped<DpoConfig>(ranked);   // three pairs of one line
    expect_second_line_skipped<CdpoConfig>(pair);
    expect_second_line_skipped<RobustDpoConfig>(pair);
    expect_second_line_skipped<IpoConfig>(pair);
    expect_second_line_skipped<HingeConfig>(pair);
    expect_second_line_skipped<OrpoConfig>(pair);
    expect_second_line_skipped<SimpoConfig>(pair);
    expect_second_line_skipped<KtoConfig>(labelled);
    expect_second_line_skipped<KtoConfig>(pair);   // two replies of one line
    expect_second_line_skipped<PpoConfig>({}, "length(3)");
    expect_second_line_skipped<RlooConfig>({}, "length(3)");
    expect_second_line_skipped<GrpoConfig>({}, "length(3)");
    expect_second_line_skipped<ReinforceConfig>({}, "length(3)");
}

TEST_F(RefusedRows, AloneEndTheTraining) {
    for (const json& row : {pair, json::object()}) {
        json only = row;
        only["prompt"] = refused;
        const std::string file = write("rows.jsonl", only.dump() + "\n");
        TrainRequest made = row.empty() ? request(small<RlooConfig>(), file) : request(small<DpoConfig>(), file);
        made.reward = row.empty() ? "length(3)" : "";
        const std::string error = error_from([&] { train_with_template(made); });
        EXPECT_NE(error.find("no row can be used (line 1: "), std::string::npos) << error;
        EXPECT_NE(error.find("roles must alternate"), std::string::npos) << error;
    }
}

TEST_F(RefusedRows, AreAmongTheScoresWithTheirFault) {
    EngineOptions options = one_thread();
    options.chat_template = alternating;
    const std::vector<Message> one = {{"user", "Why?"}}, two = {{"user", "Why?"}, {"user", "Well?"}};
    const auto scores =
        logprobs(TinyModel::path(), "", {{one, std::string("So")}, {two, std::string("So")}}, options, {});
    ASSERT_EQ(scores.size(), 2U);
    EXPECT_EQ(scores[0].fault, "");
    EXPECT_LT(scores[0].sum, 0);
    EXPECT_NE(scores[1].fault.find("roles must alternate"), std::string::npos) << scores[1].fault;
    EXPECT_TRUE(scores[1].ids.empty());
    expect_error_form(error_from([&] { logprobs(TinyModel::path(), "", {{two, std::string("So")}}, options, {}); }),
                      "no row can be used (");
}

class RefusedImports : public Lab {
  protected:
    /// A dialogue that alternates, one that does not, and a text.
    std::string file() const {
        const auto messages = [](const char* second) {
            return json{{{"role", "user"}, {"content", "a"}},
                        {{"role", second}, {"content", "b"}},
                        {{"role", "user"}, {"content", "c"}}};
        };
        std::string text;
        for (const json& prompt : {messages("assistant"), messages("user"), json("Why?")}) {
            text += json{{"prompt", prompt}, {"chosen", "Yes"}, {"rejected", "No"}}.dump() + "\n";
        }
        write_whole(folder_ / "rows.jsonl", text);
        return (folder_ / "rows.jsonl").string();
    }
    static void expect_second_line_skipped(const ImportResult& result) {
        EXPECT_EQ(result.rows, 2);
        EXPECT_EQ(result.skipped, 1);
        ASSERT_EQ(result.reasons.size(), 1U);
        EXPECT_TRUE(result.reasons[0].starts_with("line 2: ")) << result.reasons[0];
        EXPECT_NE(result.reasons[0].find("roles must alternate"), std::string::npos) << result.reasons[0];
    }
};

TEST_F(RefusedImports, AreSkippedWhetherTheProjectIsOpenOrNot) {
    SessionConfig config = small_config();
    config.system_prompt.clear();
    config.chat_template = alternating;
    {
        LabSession session(project(), config);
        expect_second_line_skipped(session->import_answers(file(), {}));
    }
    expect_second_line_skipped(import_preferences(project(), file(), {}));
    EXPECT_EQ(LabSession(project())->imports(), 4);
}

TEST_F(RefusedImports, AreTakenWhenTheModelIsNotThere) {
    const std::string model = (folder_ / "moved.gguf").string();
    std::filesystem::copy_file(TinyModel::path(), model);
    SessionConfig config = small_config();
    config.system_prompt.clear();
    config.chat_template = alternating;
    Session::create({project(), model, config, some_prompts}, LanguageModel::open(model, Precision::f32, {}, {}),
                    project(), [](const EventBody&) {});
    std::filesystem::remove(model);
    EXPECT_EQ(import_preferences(project(), file(), {}).rows, 3);
}

}  // namespace
}  // namespace plumbline::testing
