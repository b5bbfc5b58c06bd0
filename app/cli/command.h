#pragma once
// The table of commands. Each add_… declares one command with its options and what it does.

#include <functional>
#include <stdexcept>
#include <string>

#include "app/cli/console.h"
#include "app/cli/interrupt.h"
#include "core/api/offline.h"

namespace CLI {
class App;
}

namespace plumbline::cli {

/// The command line is wrong in a way that only reading it whole shows; exit code 2.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// What a running command works with.
struct Work {
    Console& console;
    Interrupt& interrupt;

    /// The lab's handle: Ctrl+C stops it, its progress goes to the console.
    Job job();
};

using Action = std::function<void(Work&)>;

/// What the command line asked for, filled by the command that was given.
struct Invocation {
    std::string command;  // "train dpo"
    OutputOptions output;
    Action action;
};

/// A command of `parent`. `name` is its full name, as errors show it.
CLI::App* add_command(CLI::App& parent, Invocation& invocation, const std::string& name,
                      const std::string& description, Action action);

/// --json and --quiet, which every command has; added last, so that help texts end with them.
void add_output_options(CLI::App& command, Invocation& invocation);

void add_models(CLI::App& app, Invocation& invocation);
void add_info(CLI::App& app, Invocation& invocation);
void add_tokenize(CLI::App& app, Invocation& invocation);
void add_logprobs(CLI::App& app, Invocation& invocation);
void add_generate(CLI::App& app, Invocation& invocation);
void add_reward(CLI::App& app, Invocation& invocation);
void add_train(CLI::App& app, Invocation& invocation);
void add_pretrain_stage(CLI::App& train, Invocation& invocation);
void add_simulate(CLI::App& app, Invocation& invocation);
void add_import(CLI::App& app, Invocation& invocation);
void add_export(CLI::App& app, Invocation& invocation);
void add_replay(CLI::App& app, Invocation& invocation);
void add_check(CLI::App& app, Invocation& invocation);
void add_bench(CLI::App& app, Invocation& invocation);

}  // namespace plumbline::cli
