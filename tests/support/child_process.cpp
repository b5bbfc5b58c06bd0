#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace plumbline::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Ends {
    int read = -1, write = -1;
};

Ends make_pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        throw std::runtime_error("no pipe can be made");
    }
    return {ends[0], ends[1]};
}

Ends make_terminal() {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = 80;
    Ends ends;
    if (openpty(&ends.read, &ends.write, nullptr, nullptr, &size) != 0) {
        throw std::runtime_error("no terminal can be made");
    }
    fcntl(ends.read, F_SETFD, FD_CLOEXEC);
    fcntl(ends.write, F_SETFD, FD_CLOEXEC);
    return ends;
}

int file_with(const std::string& text) {
    const int file = memfd_create("input", MFD_CLOEXEC);
    if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw std::runtime_error("the input cannot be kept");
    }
    lseek(file, 0, SEEK_SET);
    return file;
}

std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
    std::vector<std::string> out = changes;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        const std::string name = text.substr(0, text.find('=') + 1);
        if (std::none_of(changes.begin(), changes.end(),
                         [&](const std::string& change) { return change.starts_with(name); })) {
            out.push_back(text);
        }
    }
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

void close_if_open(int& file) {
    if (file >= 0) {
        close(file);
        file = -1;
    }
}

}  // namespace

bool terminals_exist() {
    int ends[2];
    if (openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) != 0) {
        return false;
    }
    close(ends[0]);
    close(ends[1]);
    return true;
}

ChildProcess::ChildProcess(const ProcessSetup& setup) {
    Ends in;
    if (setup.open_input) {
        in = make_pipe();
        input_ = in.write;
    } else {
        in.read = file_with(setup.input);
    }
    const bool terminal = setup.streams == Streams::terminal;
    Ends out = terminal ? make_terminal() : make_pipe();
    Ends err = terminal ? Ends() : make_pipe();
    out_ = out.read;
    err_ = err.read;

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
    if (setup.out_path.empty()) {
        posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
    } else {
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, setup.out_path.c_str(), O_WRONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&actions, terminal ? out.write : err.write, STDERR_FILENO);
    std::vector<std::string> command = setup.command;
    std::vector<std::string> environment = environment_with(setup.environment);
    const int failed = posix_spawn(&pid_, command.at(0).c_str(), &actions, nullptr, pointers(command).data(),
                                   pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    close_if_open(in.read);
    close_if_open(out.write);
    close_if_open(err.write);
    if (failed != 0) {
        reaped_ = true;
        throw std::runtime_error(command[0] + " cannot be started");
    }
}

ChildProcess::~ChildProcess() {
    if (!reaped_) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close_if_open(input_);
    close_if_open(out_);
    close_if_open(err_);
}

void ChildProcess::send(int signal) const {
    kill(pid_, signal);
}

bool ChildProcess::read_some(Clock::time_point deadline) {
    std::array<pollfd, 2> files = {pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if ((out_ < 0 && err_ < 0) || left <= 0) {
        return false;
    }
    poll(files.data(), files.size(), static_cast<int>(left));
    const auto take = [](const pollfd& file, int& end, std::string& text) {
        if ((file.revents & (POLLIN | POLLHUP | POLLERR)) == 0) {
            return;
        }
        std::array<char, 1 << 14> chunk;
        const ssize_t got = read(end, chunk.data(), chunk.size());
        if (got > 0) {
            text.append(chunk.data(), static_cast<std::size_t>(got));
        } else {
            close_if_open(end);  // a terminal ends with EIO
        }
    };
    take(files[0], out_, result_.out);
    take(files[1], err_, result_.err);
    return true;
}

bool ChildProcess::reads(const std::string& text, std::chrono::seconds limit) {
    const auto deadline = Clock::now() + limit;
    while (result_.out.find(text) == std::string::npos) {
        if (!read_some(deadline)) {
            return false;
        }
    }
    return true;
}

bool ChildProcess::handles(int signal, std::chrono::seconds limit) const {
    const auto deadline = Clock::now() + limit;
    for (; Clock::now() < deadline; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
        std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("SigCgt:") &&
                (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0) {
                return true;
            }
        }
    }
    return false;
}

ProcessResult ChildProcess::wait(std::chrono::seconds limit) {
    const auto deadline = Clock::now() + limit;
    while (read_some(deadline)) {
    }
    if (out_ >= 0 || err_ >= 0) {
        kill(pid_, SIGKILL);
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    reaped_ = true;
    if (WIFEXITED(status)) {
        result_.exit_code = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
        result_.signal = WTERMSIG(status);
    }
    return result_;
}

}  // namespace plumbline::testing
