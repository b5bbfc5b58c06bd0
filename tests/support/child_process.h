#pragma once
// A program run as people and scripts run it: arguments and standard streams.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace plumbline::testing {

struct ProcessResult {
    int exit_code = -1;  // -1: ended by a signal
    int signal = 0;      // that ended it; 0: none
    std::string out, err;
};

enum class Streams {
    pipes,     // stdout and stderr apart
    terminal,  // both are one terminal of 80 columns; its text comes as `out`
};

/// Whether this machine gives pseudo-terminals: a bare root without /dev/pts does not.
bool terminals_exist();

struct ProcessSetup {
    std::vector<std::string> command;      // program, then arguments
    std::vector<std::string> environment;  // "NAME=value", in place of the same names
    std::string input;                     // on stdin, then its end
    bool open_input = false;               // stdin stays open and silent instead
    std::string out_path;                  // stdout goes to this file instead, such as /dev/full
    Streams streams = Streams::pipes;
};

/// Owns the child: one that still runs at destruction is killed. One thread. Throws std::runtime_error when
/// the child cannot be started.
class ChildProcess {
  public:
    explicit ChildProcess(const ProcessSetup& setup);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    pid_t pid() const { return pid_; }
    void send(int signal) const;
    /// Reads until stdout holds `text`; false when the child ends or `limit` passes before.
    bool reads(const std::string& text, std::chrono::seconds limit = std::chrono::seconds(60));
    /// Whether the child has a handler for `signal`, waiting for it to install one.
    bool handles(int signal, std::chrono::seconds limit = std::chrono::seconds(60)) const;
    /// Reads to the end. A child that outlives `limit` is killed: signal 9.
    ProcessResult wait(std::chrono::seconds limit = std::chrono::seconds(100));

  private:
    bool read_some(
        std::chrono::steady_clock::time_point deadline);  // false: both ended, or the deadline passed

    pid_t pid_ = -1;
    int input_ = -1, out_ = -1, err_ = -1;
    bool reaped_ = false;
    ProcessResult result_;
};

}  // namespace plumbline::testing
