#pragma once
// From the engine's thread to Qt: events become signals on the GUI thread, snapshots are polled.

#include <QObject>
#include <QTimer>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/api/commands.h"
#include "core/api/events.h"
#include "core/api/snapshot.h"

namespace plumbline {
class Engine;
}

namespace plumbline::ui {

/// The calls of an Engine that a window makes. Every one returns at once.
struct EnginePort {
    std::function<void(Command)> post;
    std::function<void()> stop;
    std::function<std::vector<Event>()> take_events;
    std::function<Snapshot()> snapshot;
    std::function<void(std::function<void()>)> set_wakeup;
};

EnginePort port_of(Engine& engine);

/// Owns nothing: the engine must outlive it. Used on the GUI thread; only the wakeup comes from elsewhere.
/// Events of a session that is no longer open (an older run) are dropped. Each event is told twice: first
/// by `event`, which whoever keeps count listens to, then by the signal of its kind.
class EngineBridge : public QObject {
    Q_OBJECT
  public:
    explicit EngineBridge(EnginePort port, QObject* parent = nullptr);
    explicit EngineBridge(Engine& engine, QObject* parent = nullptr);
    ~EngineBridge() override;

    void post(Command command);
    void stop();
    const Snapshot& snapshot() const { return snapshot_; }  // as last polled
    std::uint64_t run() const { return run_; }              // of the latest session seen

    /// Tells one event as if the engine had sent it.
    void deliver(const plumbline::Event& event);
    /// Tells a snapshot if it differs from the last one.
    void show(const plumbline::Snapshot& snapshot);

  Q_SIGNALS:
    void event(const plumbline::Event& event);
    void posted(const plumbline::Command& command);  // before the engine gets it
    void stop_asked();
    void snapshot_changed(const plumbline::Snapshot& snapshot);

    void session_opened(const plumbline::SessionOpened& opened);
    void session_closed();
    void prompts_changed(const plumbline::PromptsChanged& changed);
    void config_changed(const plumbline::ConfigChanged& changed);
    void sampling_started(const plumbline::SamplingStarted& started);
    void tokens_streamed(const plumbline::TokensStreamed& streamed);
    void pair_ready(const plumbline::PairReady& ready);
    void sampling_stopped();
    void label_recorded(const plumbline::LabelRecorded& recorded);
    void reward_fitted(const plumbline::RewardFitted& fitted);
    void policy_stepped(const plumbline::PolicyStepped& stepped);
    void click_done(const plumbline::ClickDone& done);
    void undone(const plumbline::Undone& undone);
    void metrics_added(const plumbline::MetricsAdded& added);
    void evaluated(const plumbline::Evaluated& evaluated);
    void job_started(const plumbline::JobStarted& started);
    void job_progress(const plumbline::JobProgress& progress);
    void job_ended(const plumbline::JobEnded& ended);
    void command_failed(const plumbline::CommandFailed& failed);
    void training_halted(const plumbline::TrainingHalted& halted);
    void answers_imported(const plumbline::AnswersImported& imported);
    void answers_passed_over(const plumbline::AnswersPassedOver& passed);
    void data_exported(const plumbline::DataExported& exported);
    void model_exported(const plumbline::ModelExported& exported);
    void replay_checked(const plumbline::ReplayChecked& checked);
    void idle(const plumbline::Idle& idle);

  private:
    void take();
    void poll();

    /// Shared with the engine's thread, which may still call when the bridge is gone.
    struct Wake;

    EnginePort port_;
    std::shared_ptr<Wake> wake_;
    QTimer poll_timer_;
    Snapshot snapshot_;
    std::uint64_t run_ = 0;
};

}  // namespace plumbline::ui
