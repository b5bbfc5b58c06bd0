#include "core/lab/engine_loop.h"

#include <ATen/ATen.h>

#include "core/api/errors.h"
#include "core/lab/machine.h"
#include "core/training/adamw.h"

namespace plumbline {

namespace {

constexpr auto refresh_every = std::chrono::milliseconds(30);

}  // namespace

std::string EngineLoop::words_of(const std::exception& error) {
    const auto* fault = dynamic_cast<const c10::Error*>(&error);
    return fault ? fault->what_without_backtrace() : error.what();
}

EngineLoop::EngineLoop(const EngineOptions& options) : options_(options) {
    snapshot_.device = title_of(find_device(options.device));
    precision_of(options.dtype);
    snapshot_.memory_total = memory_bytes();
    snapshot_.threads = options.threads > 0 ? options.threads : physical_cores();
    snapshot_.text = "Idle, no model loaded";
    thread_ = std::thread([this] { run(); });
}

EngineLoop::~EngineLoop() {
    {
        const std::lock_guard lock(mutex_);
        quitting_ = true;
        job_stop_.request_stop();
    }
    wake_engine_.notify_all();
    thread_.join();
}

void EngineLoop::post(Command command) {
    {
        const std::lock_guard lock(mutex_);
        commands_.push_back(std::move(command));
    }
    wake_engine_.notify_all();
}

void EngineLoop::stop() {
    const std::lock_guard lock(mutex_);
    job_stop_.request_stop();
}

std::vector<Event> EngineLoop::take_events() {
    const std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
}

bool EngineLoop::wait_for_events(int milliseconds) {
    std::unique_lock lock(mutex_);
    return wake_reader_.wait_for(lock, std::chrono::milliseconds(milliseconds), [&] { return !events_.empty(); });
}

Snapshot EngineLoop::snapshot() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
}

void EngineLoop::set_wakeup(std::function<void()> wakeup) {
    const std::lock_guard lock(mutex_);
    wakeup_ = std::move(wakeup);
}

void EngineLoop::emit(EventBody body) {
    std::function<void()> wakeup;
    {
        const std::lock_guard lock(mutex_);
        events_.push_back({run_, std::move(body)});
        wakeup = wakeup_;
    }
    wake_reader_.notify_all();
    if (wakeup) {
        wakeup();
    }
}

void EngineLoop::publish(Activity activity, const std::string& text, double progress) {
    activity_ = activity;
    {
        const std::lock_guard lock(mutex_);
        snapshot_.activity = activity;
        snapshot_.text = text;
        snapshot_.progress = progress;
    }
    refresh_snapshot();
}

void EngineLoop::refresh_snapshot() {
    last_refresh_ = std::chrono::steady_clock::now();
    const std::int64_t resident = resident_bytes();
    const std::lock_guard lock(mutex_);
    snapshot_.run = run_;
    snapshot_.memory_bytes = resident;
    snapshot_.training_paused = paused_;
    if (!stream_.tokens.empty() && (activity_ == Activity::sampling || activity_ == Activity::sampling_ahead)) {
        int tokens = 0;
        for (const int t : stream_.tokens) {
            tokens += t;
        }
        const double seconds = std::chrono::duration<double>(last_refresh_ - stream_.start).count();
        snapshot_.tokens_per_second = seconds > 0.05 ? tokens / seconds : snapshot_.tokens_per_second;
        const double possible = static_cast<double>(stream_.tokens.size()) * session_->config().sampling.max_new_tokens;
        snapshot_.progress = tokens / possible;
    }
    if (!session_) {
        snapshot_.labels = snapshot_.usable_labels = snapshot_.policy_steps = 0;
        snapshot_.pending_clicks = snapshot_.pairs_ahead = 0;
        snapshot_.kl = 0;
        snapshot_.saved_unix_time = 0;
    } else {
        snapshot_.labels = session_->labels();
        snapshot_.usable_labels = session_->usable_labels();
        snapshot_.policy_steps = session_->policy_steps();
        snapshot_.kl = session_->kl();
        snapshot_.pending_clicks = session_->pending_count();
        snapshot_.pairs_ahead = static_cast<int>(session_->waiting_pairs().size());
        snapshot_.saved_unix_time = session_->saved_unix_time();
    }
}

void EngineLoop::run() {
    use_threads(options_.threads);
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (quitting_) {
                break;
            }
            job_stop_ = std::stop_source();   // a Stop stops what runs, not what comes later
        }
        if (take_command() || work()) {
            continue;
        }
        publish(session_ ? Activity::idle : Activity::no_session,
                !session_ ? "Idle, no model loaded" : session_->shown() != 0 ? "Waiting for your vote" : "Idle", -1);
        for (const std::uint64_t ticket : std::exchange(idle_tickets_, {})) {
            emit(Idle{ticket});   // the snapshot says so already
        }
        std::unique_lock lock(mutex_);
        wake_engine_.wait(lock, [&] { return quitting_ || !commands_.empty(); });
    }
    session_.reset();
}

bool EngineLoop::take_command() {
    Command command;
    {
        const std::lock_guard lock(mutex_);
        if (commands_.empty()) {
            return false;
        }
        command = std::move(commands_.front());
        commands_.pop_front();
    }
    carry_out(command);
    return true;
}

// A vote, a pause and new prompts are carried out in the midst of a long job; what else waits in front either ends
// the job or waits for it.
void EngineLoop::beat() {
    for (;;) {
        Command command;
        {
            const std::lock_guard lock(mutex_);
            if (commands_.empty()) {
                break;
            }
            const Command& front = commands_.front();
            const auto* added = std::get_if<AddPrompts>(&front);
            const bool quick = std::holds_alternative<Vote>(front) || std::holds_alternative<PauseTraining>(front) ||
                               (added && !added->go_to_first);
            if (!quick || activity_ == Activity::loading) {
                if (interrupts(front)) {
                    interrupted_ = true;
                    job_stop_.request_stop();
                }
                break;
            }
            command = std::move(commands_.front());
            commands_.pop_front();
        }
        carry_out(command);
        if (learning_imports_ && std::holds_alternative<Vote>(command)) {
            const std::lock_guard lock(mutex_);
            interrupted_ = true;   // the lesson is begun again
            job_stop_.request_stop();
        }
    }
    if (std::chrono::steady_clock::now() - last_refresh_ > refresh_every) {
        refresh_snapshot();
    }
}

bool EngineLoop::interrupts(const Command& command) const {
    if (std::holds_alternative<CloseSession>(command) || std::holds_alternative<NewSession>(command) ||
        std::holds_alternative<OpenSession>(command)) {
        return true;
    }
    if (activity_ == Activity::training) {
        return std::holds_alternative<plumbline::Undo>(command);
    }
    if (activity_ == Activity::sampling || activity_ == Activity::sampling_ahead) {
        return !std::holds_alternative<WaitIdle>(command);
    }
    return false;
}

JobEnd EngineLoop::run_job(const std::string& name, Activity activity,
                           const std::function<void(const Pulse&)>& body, std::string* failure) {
    std::stop_token stop;
    {
        const std::lock_guard lock(mutex_);
        stop = job_stop_.get_token();
    }
    interrupted_ = false;
    const Pulse pulse{[this] { beat(); }, stop};
    publish(activity, name, activity == Activity::training ? -1 : 0);
    emit(JobStarted{name, true});
    JobEnded ended{name, JobEnd::done, ""};
    try {
        body(pulse);
    } catch (const Stopped&) {
        ended.end = JobEnd::stopped;
    } catch (const std::exception& error) {
        ended.end = JobEnd::failed;
        ended.message = words_of(error);
    }
    if (failure) {
        *failure = std::exchange(ended.message, "");
    }
    activity_ = Activity::idle;   // whoever comes next is not in the midst of this job
    emit(ended);
    return ended.end;
}

}  // namespace plumbline
