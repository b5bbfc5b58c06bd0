// plumbline-cli: the window's work for scripts.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "app/cli/command.h"
#include "app/cli/exit_codes.h"
#include "app/cli/plain_text.h"
#include "core/api/errors.h"

namespace plumbline::cli {
namespace {

using AddCommand = void (*)(CLI::App&, Invocation&);
constexpr AddCommand commands[] = {add_models,   add_info,   add_tokenize, add_logprobs,
                                   add_generate, add_reward, add_train,    add_simulate,
                                   add_import,   add_export, add_replay,   add_check,
                                   add_bench};

void print_error(const std::string& message) {
    std::fprintf(stderr, "error: %s\n", one_line(message).c_str());
}

/// The innermost command that was recognised, and its full name: "train dpo"; empty when none was.
std::pair<const CLI::App*, std::string> command_given(const CLI::App& app) {
    std::string name;
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        name += (name.empty() ? "" : " ") + at->get_name();
    }
    return {at, name};
}

int usage_error(const CLI::App& app, std::string what) {
    const auto [command, name] = command_given(app);
    if (const std::vector<std::string> rest = command->remaining(); !rest.empty()) {
        what = (name.empty() ? "there is no command '" : "there is no argument '") + rest.front() + "'";
    }
    print_error((name.empty() ? "" : name + ": ") + what + "; see plumbline-cli " + name +
                (name.empty() ? "" : " ") + "--help");
    return exit_usage;
}

/// An exception that was not made for people: its first line, with the command as the operation.
std::string unforeseen(const std::string& command, const std::exception& error) {
    const std::string text = error.what();
    const std::string line = text.substr(0, text.find('\n'));
    return line.find(": ") == std::string::npos ? command + ": " + line : line;
}

int run(const Invocation& invocation, Interrupt& interrupt) {
    Console console(invocation.output);
    Work work{console, interrupt};
    try {
        invocation.action(work);
        return exit_done;
    } catch (const Stopped&) {
        console.note("stopped; what was committed is kept");
        return exit_interrupted;
    } catch (const UsageError& error) {
        console.clear_progress();
        print_error(invocation.command + ": " + error.what());
        return exit_usage;
    } catch (const ConfigError& error) {
        console.clear_progress();
        print_error(error.what());
        return exit_usage;
    } catch (const std::bad_alloc&) {
        console.clear_progress();
        print_error(
            invocation.command +
            ": the memory is used up; choose --dtype bf16, fewer or shorter replies, or a smaller model");
        return exit_failed;
    } catch (const std::exception& error) {
        console.clear_progress();
        print_error(unforeseen(invocation.command, error));
        return exit_failed;
    }
}

int main_with(int argc, char** argv) {
    Interrupt interrupt;
    Invocation invocation;
    CLI::App app("Plumbline: hands-on RLHF with a small language model, without the window", "plumbline-cli");
    app.require_subcommand(0, 1);
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->label("Subcommands", "Commands");
    app.get_formatter()->label("Positionals", "Arguments");
    app.set_help_flag("-h,--help", "Print this text");
    app.set_version_flag("--version", std::string("plumbline-cli ") + PLUMBLINE_VERSION, "Print the version");
    for (const AddCommand add : commands) {
        add(app, invocation);
    }
    app.footer(
        "`plumbline-cli COMMAND --help` lists a command's options. Exit codes: 0 done, 1 failed,\n"
        "2 wrong usage, 130 interrupted.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::fputs(app.help().c_str(), stdout);
        return exit_done;
    } catch (const CLI::CallForVersion& version) {
        std::printf("%s\n", version.what());
        return exit_done;
    } catch (const CLI::ParseError& error) {
        return usage_error(app, error.what());
    } catch (const UsageError& error) {
        print_error(command_given(app).second + ": " + error.what());
        return exit_usage;
    } catch (const ConfigError& error) {
        print_error(error.what());
        return exit_usage;
    }
    if (!invocation.action) {
        return usage_error(app, "there is no command");
    }
    return run(invocation, interrupt);
}

}  // namespace
}  // namespace plumbline::cli

int main(int argc, char** argv) {
    try {
        return plumbline::cli::main_with(argc, argv);
    } catch (const std::exception& error) {
        plumbline::cli::print_error(error.what());
        return plumbline::cli::exit_failed;
    }
}
