#pragma once
// The engine's thread: drains commands between micro-steps, and chooses what to do next when none is left.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/api/engine.h"
#include "core/lab/session.h"

namespace plumbline {

/// Public methods are safe from any thread; everything under "engine thread" belongs to it.
class EngineLoop {
  public:
    explicit EngineLoop(const EngineOptions& options);
    ~EngineLoop();

    void post(Command command);
    void stop();
    std::vector<Event> take_events();
    bool wait_for_events(int milliseconds);
    Snapshot snapshot() const;
    void set_wakeup(std::function<void()> wakeup);

  private:
    // Engine thread
    void run();
    bool take_command();                       // carries out the first of the queue; false: it is empty
    void carry_out(const Command& command);
    void handle(const NewSession& command);
    void handle(const OpenSession& command);
    void handle(const CloseSession& command);
    void handle(const SaveCopy& command);
    void handle(const AddPrompts& command);
    void handle(const RemovePrompt& command);
    void handle(const GoToPrompt& command);
    void handle(const SampleAgain& command);
    void handle(const Vote& command);
    void handle(const Undo& command);
    void handle(const ChangeConfig& command);
    void handle(const PauseTraining& command);
    void handle(const Evaluate& command);
    void handle(const WaitIdle& command);
    void handle(const ImportPreferences& command);
    void handle(const ExportData& command);
    void handle(const ExportModel& command);
    /// Files in or out: of itself it carries out no command in its midst. Throws what it fails with; false: stopped.
    bool exchange(const std::string& name, const std::function<void(const Job&)>& body);

    bool work();                               // one job of the session, by urgency; false: nothing to do
    bool fill_screen();
    bool learn_pending();
    bool learn_imports();
    /// One lesson as a job. A halt, a failure or a Stop pauses training.
    void learn(const std::string& name, std::int64_t label, const std::function<void(const Pulse&)>& body);
    bool draw_ahead();
    void show_or_draw();                       // the current prompt's pair, if one is waiting

    /// Runs `body` as the job under way: JobStarted, then JobEnded with done, stopped or failed. Returns how it ended.
    /// `failure` gets the message of a failed job instead of the event, when given.
    JobEnd run_job(const std::string& name, Activity activity, const std::function<void(const Pulse&)>& body,
                   std::string* failure = nullptr);
    JobEnd draw(std::int64_t prompt, Activity activity);
    static std::string words_of(const std::exception& error);   // for people: without a backtrace
    void beat();                               // between micro-steps: urgent commands, the snapshot
    bool interrupts(const Command& command) const;
    void stream(int sample, const std::string& text, int tokens, bool ended);
    void begin_stream_on_screen();

    std::shared_ptr<const LanguageModel> open_model(const std::string& name_or_path, const std::string& dtype);
    void start(std::unique_ptr<Session> session, bool resumed);
    Session& require_session(const char* operation);
    void emit(EventBody body);
    void publish(Activity activity, const std::string& text, double progress);
    void refresh_snapshot();

    const EngineOptions options_;

    // Protected by mutex_
    mutable std::mutex mutex_;
    std::condition_variable wake_engine_, wake_reader_;
    std::deque<Command> commands_;
    std::vector<Event> events_;
    Snapshot snapshot_;
    std::function<void()> wakeup_;
    std::stop_source job_stop_;
    bool quitting_ = false;

    // Engine thread
    std::shared_ptr<const LanguageModel> model_;      // opened last
    std::filesystem::file_time_type model_written_;   // the latest of its files
    std::unique_ptr<Session> session_;
    std::uint64_t run_ = 0;
    Activity activity_ = Activity::no_session;
    bool paused_ = false;
    bool screen_wanted_ = false;               // the screen has no pair and should get one
    bool ahead_stopped_ = false;               // the person stopped it; any command lets it go on
    bool learning_imports_ = false;            // a vote comes first
    bool interrupted_ = false;                 // by a command, not by the person's Stop
    struct Stream {
        bool on_screen = false;
        std::int64_t prompt = 0;
        std::vector<std::string> texts;
        std::vector<int> tokens;
        std::vector<bool> ended;
        std::chrono::steady_clock::time_point start;
    } stream_;
    std::vector<std::uint64_t> idle_tickets_;
    std::chrono::steady_clock::time_point last_refresh_{};

    std::thread thread_;                       // last: starts when all else is there
};

}  // namespace plumbline
