// A project's policy written out: what it scores is what the session scored.

#include <cmath>

#include "core/api/chat_templates.h"
#include "core/api/export_model.h"
#include "core/store/project_file.h"
#include "tests/lab/lab.h"

namespace plumbline::testing {
namespace {

class ExportProject : public Lab {
  protected:
    /// Three clicks, and replies of the policy as it then is.
    StoredGeneration trained(Weights weights) const {
        SessionConfig config = small_config();
        config.lora.weights = weights;
        config.sampling.temperature = 1;   // the stored log-probabilities are those of a scored text
        {
            LabSession session(project(), config);
            session.click({Choice::left, Choice::right, Choice::left});
            session.show();
        }
        const auto file = ProjectFile::open(project());
        for (const PromptRow& row : file->all_prompts()) {
            prompts_[row.id] = row.text;
        }
        StoredGeneration latest = file->generations().back();
        EXPECT_GT(latest.policy_version, 0);
        return latest;
    }

    /// Of the replies' tokens, the largest difference between the session's log-probabilities and a model's.
    double apart(const StoredGeneration& replies, const std::string& model, const std::string& adapter = {}) const {
        const std::vector<Message> prompt = {{"system", "Hi"}, {"user", prompts_.at(replies.prompt_id)}};
        double out = 0;
        for (const StoredCandidate& reply : replies.candidates) {
            const auto scored = logprobs(model, adapter, {{prompt, reply.ids}}, one_thread(), {});
            for (std::size_t i = 0; i < reply.logprobs.size(); ++i) {
                out = std::max(out, std::abs(scored[0].logprobs[i] - static_cast<double>(reply.logprobs[i])));
            }
        }
        return out;
    }

    std::string write(ModelFormat format, const std::string& type, const std::string& name) const {
        const std::string out = (folder_ / name).string();
        const ExportModelResult result = export_model({project(), "", "", format, type, out}, {});
        EXPECT_GT(result.tensors, 0);
        EXPECT_GT(result.bytes, 0u);
        return out;
    }

    mutable std::map<std::int64_t, std::string> prompts_;
};

TEST_F(ExportProject, AnAdapterScoresAsTheSessionDid) {
    const StoredGeneration replies = trained(Weights::lora);
    EXPECT_GT(apart(replies, TinyModel::path()), 0.01) << "it has learned something";
    EXPECT_LT(apart(replies, TinyModel::path(), write(ModelFormat::peft, "", "adapter")), 1e-4);
    EXPECT_LT(apart(replies, write(ModelFormat::gguf, "f32", "m.gguf")), 1e-4);
    EXPECT_LT(apart(replies, write(ModelFormat::safetensors, "f32", "folder")), 1e-4);
    const double rounded = apart(replies, write(ModelFormat::gguf, "q8_0", "q.gguf"));
    EXPECT_LT(rounded, 0.1);
    EXPECT_GT(rounded, 1e-4) << "eight bits show";
}

TEST_F(ExportProject, AllWeightsScoreAsTheSessionDid) {
    const StoredGeneration replies = trained(Weights::all);
    EXPECT_GT(apart(replies, TinyModel::path()), 0.01);
    EXPECT_LT(apart(replies, write(ModelFormat::gguf, "f32", "m.gguf")), 1e-4);
    EXPECT_LT(apart(replies, write(ModelFormat::safetensors, "f32", "folder")), 1e-4);
    expect_error_form(error_from([&] { write(ModelFormat::peft, "", "adapter"); }), "no adapter");
}

TEST_F(ExportProject, StopsBetweenTensors) {
    trained(Weights::lora);
    std::stop_source stop;
    const Job job{stop.get_token(), [&](double, const std::string&) { stop.request_stop(); }};
    const auto out = folder_ / "m.gguf";
    EXPECT_THROW(export_model({project(), "", "", ModelFormat::gguf, "", out}, job), Stopped);
    EXPECT_FALSE(std::filesystem::exists(out));
}

/// Of a file's bytes and of a folder's.
std::uint64_t bytes_at(const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) {
        return std::filesystem::file_size(path);
    }
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        sum += entry.file_size();
    }
    return sum;
}

TEST_F(ExportProject, OfAnOpenSessionHasItsPolicyAndLetsVotesPass) {
    const std::string gguf = (folder_ / "open.gguf").string(), adapter = (folder_ / "open").string();
    {
        EngineDriver driver(one_thread());
        expect_error_form(driver.failure_of(ExportModel{ModelFormat::gguf, "", gguf}), "no session is open");
        driver.after(new_session());
        driver.vote(Choice::left);
        driver.vote(Choice::right);
        driver.when<JobStarted>([&] { driver.post(Vote{driver.shown().id, Choice::left}); },
                                [](const JobStarted& job) { return job.job == "Writing open.gguf"; });
        const auto before = static_cast<std::ptrdiff_t>(driver.all().size());
        driver.post(ExportModel{ModelFormat::gguf, "f32", gguf});
        driver.until<ModelExported>();   // what waits for idleness would stand before the vote
        driver.idle();
        std::vector<Event> events = driver.all();
        events.erase(events.begin(), events.begin() + before);
        const auto exported = all_of<ModelExported>(events);
        ASSERT_EQ(exported.size(), 1U) << names_of(events);
        EXPECT_EQ(exported[0].result.type, "f32");
        EXPECT_EQ(exported[0].result.bytes, bytes_at(gguf));
        EXPECT_LT(place_of<LabelRecorded>(events), place_of<ModelExported>(events)) << "recorded in its midst";
        EXPECT_GT(place_of<PolicyStepped>(events), place_of<ModelExported>(events)) << "learned after it";
        EXPECT_EQ(all_of<ModelExported>(driver.after(ExportModel{ModelFormat::peft, "", adapter})).size(), 1U);
        expect_error_form(driver.failure_of(ExportModel{ModelFormat::gguf, "", TinyModel::path()}),
                          "is the model that the policy stands on");
        expect_error_form(driver.failure_of(ExportModel{ModelFormat::gguf, "q2", gguf}), "type 'q2'");
    }
    // The third vote is in what was written after it alone.
    const std::vector<ScoreRequest> text = {{std::string("Why?"), std::string(" So")}};
    const double two = logprobs(gguf, "", text, one_thread(), {})[0].sum;
    const double three = logprobs(TinyModel::path(), adapter, text, one_thread(), {})[0].sum;
    EXPECT_GT(std::abs(three - two), 1e-4);
    const std::string after = write(ModelFormat::gguf, "f32", "after.gguf");
    EXPECT_NEAR(three, logprobs(after, "", text, one_thread(), {})[0].sum, 1e-4);
}

TEST_F(ExportProject, OfAnOpenSessionStopsWithoutATrace) {
    EngineDriver driver(one_thread());
    driver.after(new_session());
    for (const ModelFormat format : {ModelFormat::gguf, ModelFormat::safetensors}) {
        driver.when<JobProgress>([&] { driver.stop(); });
        const auto events = driver.after(ExportModel{format, "", (folder_ / "m").string()});
        EXPECT_TRUE(all_of<ModelExported>(events).empty()) << names_of(events);
        EXPECT_EQ(all_of<JobEnded>(events)[0].end, JobEnd::stopped);
        EXPECT_TRUE(all_of<CommandFailed>(events).empty());
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        EXPECT_NE(entry.path().filename().string()[0], 'm') << entry.path();
    }
    EXPECT_EQ(all_of<LabelRecorded>(driver.vote(Choice::left)).size(), 1U);
}

TEST_F(ExportProject, ItsOwnChatTemplateGoesAlong) {
    SessionConfig config = small_config();
    config.chat_template = "{% for m in messages %}[{{ m.content }}]{% endfor %}";
    LabSession(project(), config).click(Choice::left);
    EXPECT_EQ(read_model_template(write(ModelFormat::gguf, "", "m.gguf")).jinja, config.chat_template);
    EXPECT_EQ(read_model_template(write(ModelFormat::safetensors, "", "m")).jinja, config.chat_template);
    const auto adapter = export_model({project(), "", "", ModelFormat::peft, "", folder_ / "adapter"}, {});
    ASSERT_EQ(adapter.notes.size(), 1U);
    EXPECT_NE(adapter.notes[0].find("chat template"), std::string::npos);
}

TEST_F(ExportProject, SizesAreForetold) {
    trained(Weights::lora);
    const ModelInfo model = inspect_model(TinyModel::path(), "f32");
    EXPECT_EQ(merged_bytes(model, ModelFormat::peft, ""), 0);
    const auto foretold = [&](ModelFormat format, const std::string& type, const std::string& name) {
        return static_cast<double>(merged_bytes(model, format, type)) /
               static_cast<double>(bytes_at(write(format, type, name)));
    };
    // The weights alone: the files hold a vocabulary and settings too, which weigh in so small a model.
    EXPECT_NEAR(foretold(ModelFormat::gguf, "f32", "a.gguf"), 0.95, 0.05);
    EXPECT_NEAR(foretold(ModelFormat::safetensors, "f32", "b"), 0.9, 0.1);
    EXPECT_EQ(merged_bytes(model, ModelFormat::gguf, "f32"), 2 * merged_bytes(model, ModelFormat::gguf, "f16"));
}

TEST_F(ExportProject, NamesTypesThatAFormatDoesNotHave) {
    const std::string out = (folder_ / "out").string();
    const auto error = error_from([&] { export_model({"", TinyModel::path(), "", ModelFormat::safetensors, "q8_0", out}, {}); });
    expect_error_form(error, "weights of type 'q8_0' are not written as safetensors; choose f32, f16, bf16");
}

}  // namespace
}  // namespace plumbline::testing
