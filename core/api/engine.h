#pragma once
// Start here: the engine behind window and command line. Commands in, events and snapshots out.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/api/commands.h"
#include "core/api/events.h"
#include "core/api/snapshot.h"

namespace plumbline {

struct EngineOptions {
    int threads = 0;               // arithmetic threads; 0: physical cores
    std::string device = "auto";   // auto, cpu, cuda, cuda:i
    std::string dtype = "f32";     // f32, bf16: of the frozen products
    std::string chat_template;     // Jinja text for one-shot work, in place of the model's own; empty: that
    bool sample_ahead = true;      // draw the next pair while the person reads; false: only when asked
    std::int64_t memory_limit = 0; // bytes; work that would need more is refused; 0: what the system has free
};

/// Owns one thread, which owns every tensor, the optimiser and the database. All methods may be called
/// from any thread and return at once, the destructor apart: it stops what runs and joins.
class Engine {
  public:
    explicit Engine(const EngineOptions& options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void post(Command command);
    /// Stops the running job at its next micro-step; what is committed stays. Commands after it go on.
    void stop();
    /// All events since the last call, in order. One reader.
    std::vector<Event> take_events();
    /// Blocks until there is an event or `milliseconds` are over; for programs without an event loop.
    bool wait_for_events(int milliseconds);
    Snapshot snapshot() const;
    /// Called on the engine's thread whenever events become available; must return at once.
    void set_wakeup(std::function<void()> wakeup);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace plumbline
