#include "app/cli/input_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/api/errors.h"

namespace plumbline::cli {
namespace {

[[noreturn]] void fail(const std::string& operation, int error) {
    throw Error(operation,
                "standard input: " + std::generic_category().message(error) + "; give a file instead");
}

void copy_all(int from, int to) {
    std::array<char, 1 << 16> chunk;
    while (true) {
        const ssize_t got = read(from, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            fail("read standard input", errno);
        }
        if (got == 0) {
            return;
        }
        for (ssize_t done = 0; done < got;) {
            const ssize_t put = write(to, chunk.data() + done, static_cast<std::size_t>(got - done));
            if (put < 0) {
                fail("read standard input", errno);
            }
            done += put;
        }
    }
}

/// What `read` makes of the file; its errors speak of standard input, not of the copy's path.
template <class Read>
auto read_named(const std::string& name, Read read) {
    const InputFile input(name);
    try {
        return read(input.path());
    } catch (const Error& error) {
        const std::string text = error.what();
        const std::size_t at = text.find(input.path().string());
        const std::size_t colon = text.find(": ");
        if (name != "-" || at == std::string::npos || colon > at) {
            throw;
        }
        const std::string rest = text.substr(at + input.path().string().size());
        throw Error(text.substr(0, colon), text.substr(colon + 2, at - colon - 2) + "standard input" + rest);
    }
}

}  // namespace

InputFile::InputFile(const std::string& name) : path_(name) {
    if (name != "-") {
        return;
    }
    memory_ = memfd_create("standard input", MFD_CLOEXEC);
    if (memory_ < 0) {
        fail("read standard input", errno);
    }
    try {
        copy_all(STDIN_FILENO, memory_);
    } catch (...) {
        close(memory_);
        throw;
    }
    path_ = "/proc/self/fd/" + std::to_string(memory_);
}

InputFile::~InputFile() {
    if (memory_ >= 0) {
        close(memory_);
    }
}

std::vector<ScoreRequest> score_requests(const std::string& name) {
    return read_named(name, read_score_requests);
}

std::vector<std::string> json_texts(const std::string& name) {
    return read_named(name, read_texts);
}

std::vector<std::string> prompts_of_file(const std::string& name) {
    return read_named(name, read_prompt_texts);
}

std::string text_of_file(const std::string& operation, const std::string& name) {
    const InputFile input(name);
    std::ifstream file(input.path(), std::ios::binary);
    std::string text(std::size_t{1} << 20, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const bool is_whole = file.eof();
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.empty()) {
        throw Error(operation, name + ": it cannot be read or is empty; give a text file");
    }
    if (!is_whole) {
        throw Error(operation, name + ": it is over 1 MiB; give a text file");
    }
    return text;
}

}  // namespace plumbline::cli
