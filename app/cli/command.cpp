#include "app/cli/command.h"

#include <CLI/CLI.hpp>

namespace plumbline::cli {

Job Work::job() {
    Job out;
    out.stop = interrupt.start_job();
    out.progress = [this](double fraction, const std::string& what) { console.progress(fraction, what); };
    return out;
}

CLI::App* add_command(CLI::App& parent, Invocation& invocation, const std::string& name,
                      const std::string& description, Action action) {
    const std::size_t space = name.rfind(' ');
    CLI::App* command =
        parent.add_subcommand(space == std::string::npos ? name : name.substr(space + 1), description);
    command->callback([&invocation, name, action = std::move(action)] {
        invocation.command = name;
        invocation.action = action;
    });
    return command;
}

void add_output_options(CLI::App& command, Invocation& invocation) {
    command.add_flag("--json", invocation.output.json, "Results as JSON, one object a line");
    command.add_flag("--quiet", invocation.output.quiet, "No progress and no notes");
}

}  // namespace plumbline::cli
