#pragma once
// An engine under test: posts commands, keeps every event, and can answer an event at the very point of its
// emission, so that a test of an interruption does not depend on time.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/api/engine.h"

namespace plumbline::testing {

/// The name of an event's type, for messages.
inline std::string name_of(const Event& event) {
    static const char* const names[] = {
        "SessionOpened",  "SessionClosed", "PromptsChanged",  "ConfigChanged", "SamplingStarted",
        "TokensStreamed", "PairReady",     "SamplingStopped", "LabelRecorded", "RewardFitted",
        "PolicyStepped",  "ClickDone",     "Undone",          "MetricsAdded",  "Evaluated",
        "JobStarted",     "JobProgress",   "JobEnded",        "CommandFailed", "TrainingHalted",
        "ReplayChecked",  "Idle",          "AnswersImported", "AnswersPassedOver", "DataExported",
        "ModelExported"};
    static_assert(std::variant_size_v<EventBody> == std::size(names));
    std::string name = names[event.body.index()];
    if (const auto* failed = std::get_if<CommandFailed>(&event.body)) {
        name += " (" + failed->command + ": " + failed->message + ")";
    } else if (const auto* started = std::get_if<JobStarted>(&event.body)) {
        name += " (" + started->job + ")";
    } else if (const auto* ended = std::get_if<JobEnded>(&event.body)) {
        name += " (" + ended->job + ": " + std::to_string(static_cast<int>(ended->end)) + " " +
                ended->message + ")";
    }
    return name;
}

inline std::string names_of(const std::vector<Event>& events) {
    std::string out, last;
    int times = 0;
    const auto flush = [&] {
        out += times == 0 ? "" : last + (times > 1 ? " x" + std::to_string(times) : "") + "\n";
    };
    for (const Event& event : events) {
        if (std::string name = name_of(event); name != last) {
            flush();
            last = std::move(name);
            times = 0;
        }
        ++times;
    }
    flush();
    return out;
}

template <class Body>
std::vector<Body> all_of(const std::vector<Event>& events) {
    std::vector<Body> out;
    for (const Event& event : events) {
        if (const auto* body = std::get_if<Body>(&event.body)) {
            out.push_back(*body);
        }
    }
    return out;
}

/// Where the first Body is among the events; their number when it is not.
template <class Body>
std::size_t place_of(const std::vector<Event>& events, const std::function<bool(const Body&)>& wanted = {}) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto* body = std::get_if<Body>(&events[i].body);
        if (body != nullptr && (!wanted || wanted(*body))) {
            return i;
        }
    }
    return events.size();
}

/// Used by the test's thread; its hooks run on the engine's. A wait that lasts longer than `patience` throws
/// with the events seen.
class EngineDriver {
  public:
    static constexpr std::chrono::seconds patience{40};

    explicit EngineDriver(const EngineOptions& options) : engine_(options) {
        engine_.set_wakeup([this] { take(); });
    }
    EngineDriver(const EngineDriver&) = delete;
    EngineDriver& operator=(const EngineDriver&) = delete;

    void post(Command command) { engine_.post(std::move(command)); }
    void stop() { engine_.stop(); }
    Snapshot snapshot() const { return engine_.snapshot(); }

    /// The first Body after those already waited for.
    template <class Body>
    Body until(const std::function<bool(const Body&)>& wanted = {}) {
        std::unique_lock lock(mutex_);
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (;;) {
            for (; read_ < events_.size();) {
                const auto* body = std::get_if<Body>(&events_[read_++].body);
                if (body != nullptr && (!wanted || wanted(*body))) {
                    return *body;
                }
            }
            if (arrived_.wait_until(lock, deadline) == std::cv_status::timeout) {
                throw std::runtime_error(std::string("no ") + name_of({0, Body{}}) + " among\n" +
                                         names_of(events_));
            }
        }
    }

    /// Waits until all commands are carried out and nothing runs; the events since the last wait.
    std::vector<Event> idle() {
        const std::size_t from = read_;
        post(WaitIdle{++ticket_});
        until<Idle>([this](const Idle& idle) { return idle.ticket == ticket_; });
        const std::lock_guard lock(mutex_);
        return {events_.begin() + static_cast<std::ptrdiff_t>(from),
                events_.begin() + static_cast<std::ptrdiff_t>(read_)};
    }
    /// Carries out one command to the end.
    std::vector<Event> after(Command command) {
        post(std::move(command));
        return idle();
    }
    /// The message of the failure that a command is to meet; empty: it was carried out.
    std::string failure_of(Command command) {
        const auto failures = all_of<CommandFailed>(after(std::move(command)));
        return failures.empty() ? "" : failures.back().message;
    }
    /// Votes on the pair on the screen, to the end.
    std::vector<Event> vote(Choice choice) { return after(Vote{shown().id, choice}); }

    /// The pair on the screen, as the last PairReady had it.
    Pair shown() const {
        const std::lock_guard lock(mutex_);
        return shown_;
    }

    /// Calls `act` once, on the engine's thread, as the next Body that is `wanted` is emitted.
    template <class Body>
    void when(const std::function<void()>& act, const std::function<bool(const Body&)>& wanted = {}) {
        const std::lock_guard lock(mutex_);
        hook_ = [act, wanted](const Event& event) {
            const auto* body = std::get_if<Body>(&event.body);
            if (body == nullptr || (wanted && !wanted(*body))) {
                return false;
            }
            act();
            return true;
        };
    }

    std::vector<Event> all() const {
        const std::lock_guard lock(mutex_);
        return events_;
    }

  private:
    void take() {
        for (Event& event : engine_.take_events()) {
            std::function<bool(const Event&)> hook;
            {
                const std::lock_guard lock(mutex_);
                if (const auto* ready = std::get_if<PairReady>(&event.body)) {
                    shown_ = ready->pair;
                }
                hook = std::exchange(hook_, {});
            }
            if (hook && !hook(event)) {
                const std::lock_guard lock(mutex_);
                hook_ = hook_ ? hook_ : hook;
            }
            const std::lock_guard lock(mutex_);
            events_.push_back(std::move(event));
            arrived_.notify_all();
        }
    }

    // Protected by mutex_
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Event> events_;
    std::function<bool(const Event&)> hook_;
    Pair shown_;

    // The test's thread
    std::size_t read_ = 0;
    std::uint64_t ticket_ = 0;

    Engine engine_;  // last: its thread ends before the rest goes
};

}  // namespace plumbline::testing
