#include "app/cli/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "app/cli/plain_text.h"
#include "core/api/errors.h"

namespace plumbline::cli {

Console::Console(const OutputOptions& options)
    : options_(options), progress_(progress_style(options.quiet)) {}

bool Console::streams() const {
    return !options_.json && isatty(STDOUT_FILENO) == 1;
}

void Console::object(const Json& object) {
    write(object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Console::line(const std::string& text) {
    write(printable(text) + "\n");
}

void Console::part(const std::string& text) {
    write(printable(text));
}

void Console::note(const std::string& text) {
    if (!options_.quiet) {
        progress_.clear();
        std::fprintf(stderr, "%s\n", one_line(text).c_str());
    }
}

void Console::write(const std::string& text) {
    progress_.clear();
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    if (!written || std::fflush(stdout) != 0) {
        throw Error("write results", "standard output: " + std::generic_category().message(errno) +
                                         "; free space or write to another place");
    }
}

}  // namespace plumbline::cli
