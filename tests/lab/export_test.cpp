// A project's policy written out: what it scores is what the session scored.

#include <cmath>

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

TEST_F(ExportProject, NamesTypesThatAFormatDoesNotHave) {
    const std::string out = (folder_ / "out").string();
    const auto error = error_from([&] { export_model({"", TinyModel::path(), "", ModelFormat::safetensors, "q8_0", out}, {}); });
    expect_error_form(error, "weights of type 'q8_0' are not written as safetensors; choose f32, f16, bf16");
}

}  // namespace
}  // namespace plumbline::testing
