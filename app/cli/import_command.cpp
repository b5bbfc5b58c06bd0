// import: answers from a file into a project.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/input_file.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

struct ImportOptions {
    std::string project, preferences, model;
    EngineOptions engine;
};

void run_import(const ImportOptions& options, Work& work) {
    const Job job = work.job();
    if (!options.model.empty()) create_project(options.project, options.model, options.engine, job);
    const InputFile file(options.preferences);
    const ImportResult result = import_preferences(options.project, file.path(), job);
    Console& console = work.console;
    if (console.json()) {
        console.object({{"rows", result.rows}, {"skipped", result.reasons}, {"skipped_rows", result.skipped}});
        return;
    }
    console.clear_progress();
    for (const std::string& reason : result.reasons) console.note("skipped: " + reason);
    const auto listed = static_cast<std::int64_t>(result.reasons.size());
    if (result.skipped > listed) console.note("skipped: " + counted(result.skipped - listed, "more row"));
    console.line("Imported " + counted(result.rows, "row") + " into " + options.project + ", skipped " +
                 counted(result.skipped, "row") + ". They are learned when the project is opened.");
}

}  // namespace

void add_import(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ImportOptions>();
    CLI::App* command =
        add_command(app, invocation, "import", "Make labels of a preference file: JSON lines or CSV, also .gz",
                    [options](Work& work) { run_import(*options, work); });
    command->add_option("PROJECT", options->project, "A project file, NAME.plumb")->required()->option_text(" ");
    command->add_option("--preferences", options->preferences, "The file; - is standard input")
        ->required()
        ->option_text("FILE");
    command
        ->add_option("--model", options->model,
                     "Make PROJECT, with this model: a .gguf file, a folder, or a name of `models`")
        ->option_text("MODEL");
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
