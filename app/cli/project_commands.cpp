// replay and check: is a project file what it says?

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "core/api/errors.h"

namespace plumbline::cli {
namespace {

struct ReplayOptions {
    std::string project;
    bool check = false;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

void run_replay(const ReplayOptions& options, Work& work) {
    const ReplayChecked result = replay_check(options.project, options.engine, work.job());
    const Json difference = result.first_difference.empty() ? Json(nullptr) : Json(result.first_difference);
    if (work.console.json()) {
        work.console.object(
            {{"equal", result.equal}, {"events", result.events}, {"first_difference", difference}});
    } else if (result.equal) {
        work.console.line("Equal: " + std::to_string(result.events) +
                          " events give the same rows and weights, to the last bit.");
    }
    if (!result.equal) {
        throw Error("replay", options.project + " differs at " + result.first_difference +
                                  "; use the machine, --threads and --dtype it was made with");
    }
}

void run_check(const std::string& project, Work& work) {
    const CheckResult result = check_project(project);
    if (work.console.json()) {
        work.console.object({{"ok", result.ok}, {"problems", result.problems}});
    } else if (result.ok) {
        work.console.line("ok");
    } else {
        for (const std::string& problem : result.problems) {
            work.console.line(problem);
        }
    }
    if (!result.ok) {
        const auto count = static_cast<std::int64_t>(result.problems.size());
        throw Error("check", project + " has " + counted(count, "problem") + "; go back to a copy of it");
    }
}

void add_project(CLI::App& command, std::string& project) {
    command.add_option("PROJECT", project, "A project file, NAME.plumb")->required()->option_text(" ");
}

}  // namespace

void add_replay(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ReplayOptions>();
    CLI::App* command = add_command(app, invocation, "replay",
                                    "Run a project's event log again and compare the weights' hashes",
                                    [options](Work& work) { run_replay(*options, work); });
    add_project(*command, options->project);
    command->add_flag("--check", options->check, "Compare with the log; exit 1 when they differ; required")
        ->required();
    add_seed(*command, options->seed, RandomNumbers::none);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
}

void add_check(CLI::App& app, Invocation& invocation) {
    const auto project = std::make_shared<std::string>();
    CLI::App* command =
        add_command(app, invocation, "check", "Look for damage in a project file; exit 1 when there is any",
                    [project](Work& work) { run_check(*project, work); });
    add_project(*command, *project);
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
