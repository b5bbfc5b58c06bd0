#pragma once
// Ctrl+C: the first one stops the running job at its next micro-step, a second one kills.

#include <stop_token>
#include <thread>

namespace plumbline::cli {

/// Owns the program's SIGINT handler; one object a program. Before a job starts there is nothing to wait
/// for: Ctrl+C then ends the program at once with 130.
class Interrupt {
  public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// From here on Ctrl+C asks this token's owner to stop. Throws Error when no pipe can be made.
    std::stop_token start_job();

  private:
    void end_watch();

    std::stop_source source_;
    std::thread watcher_;  // turns the handler's byte into a stop request
    int write_end_ = -1;
};

}  // namespace plumbline::cli
