#include "app/cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>

#include "app/cli/exit_codes.h"
#include "core/api/errors.h"

namespace plumbline::cli {
namespace {

// A handler has no argument of its own. -1: no job runs.
std::atomic<int> job_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may only use lock-free atomics");

void handle_interrupt(int) {
    const int saved_errno = errno;
    const int pipe_end = job_pipe.load();
    if (pipe_end < 0) {
        _exit(exit_interrupted);
    }
    const char byte = 'c';
    // Nothing can be done about a failed write here; the second Ctrl+C still kills.
    [[maybe_unused]] const ssize_t written = write(pipe_end, &byte, 1);
    errno = saved_errno;
}

}  // namespace

Interrupt::Interrupt() {
    struct sigaction action {};
    action.sa_handler = handle_interrupt;
    sigemptyset(&action.sa_mask);
    action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;  // the second one has the default action
    sigaction(SIGINT, &action, nullptr);
}

Interrupt::~Interrupt() {
    end_watch();
}

std::stop_token Interrupt::start_job() {
    if (watcher_.joinable()) {
        return source_.get_token();
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw Error("start", "no pipe can be opened; close other programs and try again");
    }
    write_end_ = ends[1];
    watcher_ = std::thread([this, read_end = ends[0]] {
        char byte = 0;
        ssize_t got = 0;
        do {
            got = read(read_end, &byte, 1);
        } while (got < 0 && errno == EINTR);
        if (got == 1) {
            source_.request_stop();
        }
        close(read_end);
    });
    job_pipe = write_end_;
    return source_.get_token();
}

void Interrupt::end_watch() {
    if (!watcher_.joinable()) {
        return;
    }
    job_pipe = -1;
    close(write_end_);  // the watcher reads the end of the pipe
    watcher_.join();
}

}  // namespace plumbline::cli
