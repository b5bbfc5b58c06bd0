#pragma once
// A folder with the tiny model and projects, an engine's driver, and a Session without an engine.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/lab/machine.h"
#include "core/lab/session.h"
#include "tests/lab/engine_driver.h"
#include "tests/store/sample_project.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline::testing {

/// Three candidates of eight tokens, short prompts: a click takes milliseconds.
inline SessionConfig small_config(std::uint64_t seed = 7) {
    SessionConfig config;
    config.seed = seed;
    config.system_prompt = "Hi";
    config.sampling.candidates = 3;
    config.sampling.max_new_tokens = 8;
    config.lora.weights = Weights::lora;
    config.live.lr = 3e-3;
    config.live.group_size = 2;
    return config;
}

inline EngineOptions one_thread(bool sample_ahead = true) {
    EngineOptions options;
    options.threads = 1;
    options.sample_ahead = sample_ahead;
    return options;
}

inline const std::vector<std::string> some_prompts = {"Why?", "How so?", "And then?"};

/// The tiny model, written and opened once a process.
class TinyModel {
  public:
    static const std::string& path() { return plain().path_; }
    static std::shared_ptr<const LanguageModel> opened() { return plain().model_; }
    /// One whose EOS is likely (that far the opposite of its random row): most replies end within a few
    /// tokens, which policy gradients need.
    static const std::string& ending_path() { return ending().path_; }

  private:
    explicit TinyModel(float eos_scale) : path_((folder_ / "tiny.gguf").string()) {
        const GgufWriter writer = tiny_model(5);
        std::string bytes = writer.bytes();
        const TinySizes sizes;
        constexpr std::size_t eos = 2;  // its row of the tied embedding, the file's first tensor
        for (std::size_t i = 0; i < static_cast<std::size_t>(sizes.hidden); ++i) {
            char* place =
                bytes.data() + writer.places().at("data") + (eos * sizes.hidden + i) * sizeof(float);
            float value = 0;
            std::memcpy(&value, place, sizeof value);
            value *= eos_scale;
            std::memcpy(place, &value, sizeof value);
        }
        write_whole(path_, bytes);
        use_threads(1);
        model_ = LanguageModel::open(path_, Precision::f32, {}, {});
    }
    static const TinyModel& plain() {
        static const TinyModel model(1);
        return model;
    }
    static const TinyModel& ending() {
        static const TinyModel model(-8);
        return model;
    }
    TempFolder folder_;
    std::string path_;
    std::shared_ptr<const LanguageModel> model_;
};

/// A session without an engine: each transition is carried out where the test says so.
class LabSession {
  public:
    LabSession(const std::filesystem::path& project, const SessionConfig& config,
               const std::vector<std::string>& prompts = some_prompts) {
        use_threads(1);
        session_ = Session::create({project.string(), TinyModel::path(), config, prompts},
                                   TinyModel::opened(), project, keep());
    }
    /// Opens a project again.
    explicit LabSession(const std::filesystem::path& project) {
        use_threads(1);
        session_ = Session::open(ProjectFile::open(project), TinyModel::opened(), keep());
    }

    Session* operator->() const { return session_.get(); }
    Session& operator*() const { return *session_; }
    const std::vector<Event>& events() const { return *events_; }
    /// The last Body emitted; a default one when there is none.
    template <class Body>
    Body last() const {
        const auto found = all_of<Body>(*events_);
        return found.empty() ? Body{} : found.back();
    }

    /// Shows the waiting pair of the current prompt, or a new one. Returns it.
    Pair show() {
        const std::int64_t prompt = session_->current_prompt();
        std::int64_t pair = session_->waiting_pair_for(prompt);
        pair = pair != 0 ? pair : session_->draw(prompt, {}, {});
        session_->show(pair);
        return last<PairReady>().pair;
    }
    /// Records a choice for the pair on the screen, without learning it; draws one when there is none.
    std::int64_t record(Choice choice) {
        if (session_->shown() == 0) {
            show();
        }
        return session_->record(session_->shown(), choice, "person");
    }
    void learn_all() {
        while (const auto label = session_->pending()) {
            session_->learn(*label, {});
        }
    }
    std::int64_t click(Choice choice) {
        const std::int64_t label = record(choice);
        learn_all();
        return label;
    }
    void click(const std::vector<Choice>& choices) {
        for (const Choice choice : choices) {
            click(choice);
        }
    }

  private:
    Session::Emit keep() const {
        return [events = events_](EventBody body) { events->push_back({0, std::move(body)}); };
    }
    std::shared_ptr<std::vector<Event>> events_ = std::make_shared<std::vector<Event>>();
    std::unique_ptr<Session> session_;
};

/// A test with a folder of its own.
class Lab : public ::testing::Test {
  protected:
    std::string project(const std::string& name = "p") const {
        return (folder_ / (name + ".plumb")).string();
    }
    NewSession new_session(const SessionConfig& config = small_config(),
                           const std::vector<std::string>& prompts = some_prompts) const {
        return {project(), TinyModel::path(), config, prompts};
    }
    static ReplayChecked replayed(const std::string& path) { return replay_check(path, one_thread(), {}); }

    const TempFolder folder_;
};

/// The text of the exception that `call` throws; empty when it throws none.
template <class Call>
std::string error_from(Call call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "";
}

/// `<operation>: <what>; <what to do>`.
inline void expect_error_form(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << "'" << text << "' does not say '" << part << "'";
    const std::size_t operation = text.find(": ");
    EXPECT_NE(operation, std::string::npos) << text;
    EXPECT_NE(text.find("; ", operation), std::string::npos) << "it does not say what to do: " << text;
}

}  // namespace plumbline::testing
