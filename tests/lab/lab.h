#pragma once
// A folder with projects of the tiny model, an engine's driver, and a Session without an engine.

#include <gtest/gtest.h>

#include <memory>

#include "core/lab/session.h"
#include "tests/lab/engine_driver.h"
#include "tests/lab/tiny_lab.h"
#include "tests/store/sample_project.h"

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
    config.live.collapse_guard = 0;   // random weights trained hard do collapse; the guard has tests of its own
    return config;
}

inline const std::vector<std::string> some_prompts = {"Why?", "How so?", "And then?"};

/// A session without an engine: each transition is carried out where the test says so.
class LabSession {
  public:
    LabSession(const std::filesystem::path& project, const SessionConfig& config,
               const std::vector<std::string>& prompts = some_prompts,
               const std::string& model = TinyModel::path()) {
        use_threads(1);
        session_ = Session::create({project.string(), model, config, prompts}, TinyModel::opened_at(model),
                                   project, keep());
    }
    /// Opens a project again.
    explicit LabSession(const std::filesystem::path& project) {
        use_threads(1);
        auto file = ProjectFile::open(project);
        const auto model = TinyModel::opened_at(file->model().path);
        session_ = Session::open(std::move(file), model, keep());
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
    std::int64_t record(const Verdict& verdict) {
        if (session_->shown() == 0) {
            show();
        }
        return session_->record(session_->shown(), verdict, "person");
    }
    std::int64_t record(Choice choice) { return record(Verdict{choice, Strength::clear, {}}); }
    void learn_all() {
        while (const auto label = session_->pending()) {
            session_->learn(*label, {});
        }
    }
    std::int64_t click(const Verdict& verdict) {
        const std::int64_t label = record(verdict);
        learn_all();
        return label;
    }
    std::int64_t click(Choice choice) { return click(Verdict{choice, Strength::clear, {}}); }
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

}  // namespace plumbline::testing
