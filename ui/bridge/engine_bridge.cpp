#include "ui/bridge/engine_bridge.h"

#include <mutex>
#include <utility>

namespace plumbline::ui {

namespace {

constexpr int poll_milliseconds = 33;

bool same(const Snapshot& a, const Snapshot& b) {
    return a.run == b.run && a.activity == b.activity && a.text == b.text && a.progress == b.progress &&
           a.tokens_per_second == b.tokens_per_second && a.memory_bytes == b.memory_bytes &&
           a.memory_total == b.memory_total && a.device == b.device && a.threads == b.threads &&
           a.labels == b.labels && a.usable_labels == b.usable_labels && a.policy_steps == b.policy_steps &&
           a.kl == b.kl && a.pending_clicks == b.pending_clicks && a.pairs_ahead == b.pairs_ahead &&
           a.training_paused == b.training_paused && a.saved_unix_time == b.saved_unix_time;
}

struct Tell {
    EngineBridge& bridge;
    void operator()(const SessionOpened& e) const { Q_EMIT bridge.session_opened(e); }
    void operator()(const SessionClosed&) const { Q_EMIT bridge.session_closed(); }
    void operator()(const PromptsChanged& e) const { Q_EMIT bridge.prompts_changed(e); }
    void operator()(const ConfigChanged& e) const { Q_EMIT bridge.config_changed(e); }
    void operator()(const SamplingStarted& e) const { Q_EMIT bridge.sampling_started(e); }
    void operator()(const TokensStreamed& e) const { Q_EMIT bridge.tokens_streamed(e); }
    void operator()(const PairReady& e) const { Q_EMIT bridge.pair_ready(e); }
    void operator()(const SamplingStopped&) const { Q_EMIT bridge.sampling_stopped(); }
    void operator()(const LabelRecorded& e) const { Q_EMIT bridge.label_recorded(e); }
    void operator()(const RewardFitted& e) const { Q_EMIT bridge.reward_fitted(e); }
    void operator()(const PolicyStepped& e) const { Q_EMIT bridge.policy_stepped(e); }
    void operator()(const ClickDone& e) const { Q_EMIT bridge.click_done(e); }
    void operator()(const Undone& e) const { Q_EMIT bridge.undone(e); }
    void operator()(const MetricsAdded& e) const { Q_EMIT bridge.metrics_added(e); }
    void operator()(const Evaluated& e) const { Q_EMIT bridge.evaluated(e); }
    void operator()(const JobStarted& e) const { Q_EMIT bridge.job_started(e); }
    void operator()(const JobProgress& e) const { Q_EMIT bridge.job_progress(e); }
    void operator()(const JobEnded& e) const { Q_EMIT bridge.job_ended(e); }
    void operator()(const CommandFailed& e) const { Q_EMIT bridge.command_failed(e); }
    void operator()(const TrainingHalted& e) const { Q_EMIT bridge.training_halted(e); }
    void operator()(const ReplayChecked& e) const { Q_EMIT bridge.replay_checked(e); }
    void operator()(const Idle& e) const { Q_EMIT bridge.idle(e); }
    void operator()(const AnswersImported& e) const { Q_EMIT bridge.answers_imported(e); }
    void operator()(const AnswersPassedOver& e) const { Q_EMIT bridge.answers_passed_over(e); }
    void operator()(const DataExported& e) const { Q_EMIT bridge.data_exported(e); }
    void operator()(const ModelExported& e) const { Q_EMIT bridge.model_exported(e); }
};

}  // namespace

struct EngineBridge::Wake {
    std::mutex mutex;
    EngineBridge* bridge = nullptr;  // protected by mutex; null once the bridge is gone
    bool queued = false;             // protected by mutex
};

EngineBridge::EngineBridge(EnginePort port, QObject* parent)
    : QObject(parent), port_(std::move(port)), wake_(std::make_shared<Wake>()) {
    wake_->bridge = this;
    if (port_.set_wakeup) {
        // One queued call at a time: a burst of tokens wakes the window once.
        port_.set_wakeup([wake = wake_] {
            const std::lock_guard lock(wake->mutex);
            if (wake->bridge && !std::exchange(wake->queued, true)) {
                QMetaObject::invokeMethod(wake->bridge, &EngineBridge::take, Qt::QueuedConnection);
            }
        });
    }
    poll_timer_.setInterval(poll_milliseconds);
    connect(&poll_timer_, &QTimer::timeout, this, &EngineBridge::poll);
    if (port_.snapshot) {
        poll_timer_.start();
        QMetaObject::invokeMethod(this, &EngineBridge::poll, Qt::QueuedConnection);
    }
}

EngineBridge::~EngineBridge() {
    {
        const std::lock_guard lock(wake_->mutex);
        wake_->bridge = nullptr;
    }
    if (port_.set_wakeup) {
        port_.set_wakeup({});
    }
}

void EngineBridge::post(Command command) {
    Q_EMIT posted(command);
    if (port_.post) {
        port_.post(std::move(command));
    }
}

void EngineBridge::stop() {
    Q_EMIT stop_asked();
    if (port_.stop) {
        port_.stop();
    }
}

void EngineBridge::take() {
    {
        // Cleared before reading: an event that arrives meanwhile queues another call.
        const std::lock_guard lock(wake_->mutex);
        wake_->queued = false;
    }
    if (!port_.take_events) {
        return;
    }
    for (const Event& e : port_.take_events()) {
        deliver(e);
    }
}

void EngineBridge::poll() {
    show(port_.snapshot());
}

void EngineBridge::deliver(const Event& e) {
    if (e.run < run_ && e.run != 0) {
        return;
    }
    if (e.run > run_) {
        run_ = e.run;
    }
    Q_EMIT event(e);
    std::visit(Tell{*this}, e.body);
}

void EngineBridge::show(const Snapshot& snapshot) {
    if (same(snapshot, snapshot_)) {
        return;
    }
    snapshot_ = snapshot;
    Q_EMIT snapshot_changed(snapshot_);
}

}  // namespace plumbline::ui
