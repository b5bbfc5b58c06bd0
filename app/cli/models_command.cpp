// models: the catalogue, and one's own entries of it.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "core/api/catalog.h"
#include "core/api/machine_memory.h"

namespace plumbline::cli {
namespace {

std::string amount(std::int64_t bytes) {
    char text[32];
    const double megabytes = static_cast<double>(bytes) / 1e6;
    std::snprintf(text, sizeof text, megabytes < 1 ? "%.0f kB" : megabytes < 1000 ? "%.0f MB" : "%.1f GB",
                  megabytes < 1 ? megabytes * 1000 : megabytes < 1000 ? megabytes : megabytes / 1000);
    return bytes > 0 ? text : "-";
}

std::string count(std::int64_t parameters) {
    return parameters == 0 ? "-" : figure(static_cast<double>(parameters) / 1e6) + " M";
}

const char* word(Fit fit) {
    return fit == Fit::yes ? "yes" : fit == Fit::when_freed ? "when freed" : "no";
}

const char* word(ModelSource source) {
    switch (source) {
        case ModelSource::bundled:
            return "bundled";
        case ModelSource::installed:
            return "installed";
        case ModelSource::own:
            return "own";
        case ModelSource::known:
            break;
    }
    return "known";
}

/// In the dtype that asks for least, where f32 is too much.
std::string fits(const CatalogModel& model, const MachineMemory& memory) {
    if (model.memory_f32 == 0) {
        return "-";
    }
    const Fit f32 = fit(model.memory_f32, memory), bf16 = fit(model.memory_bf16, memory);
    return f32 == Fit::yes ? "yes" : bf16 == Fit::yes ? "in bf16" : word(bf16);
}

void print_json(Console& console, const CatalogModel& model, const MachineMemory& memory) {
    console.object({{"name", model.name},
                    {"path", model.path.string()},
                    {"installed", model.installed},
                    {"parameters", model.parameters},
                    {"licence", model.licence},
                    {"title", model.title},
                    {"source", word(model.source)},
                    {"family", model.family},
                    {"size_bytes", model.size_bytes},
                    {"file_dtype", model.file_dtype},
                    {"memory_f32_bytes", model.memory_f32},
                    {"memory_bf16_bytes", model.memory_bf16},
                    {"fits_f32", word(fit(model.memory_f32, memory))},
                    {"fits_bf16", word(fit(model.memory_bf16, memory))},
                    {"hub_id", model.hub_id},
                    {"how_to_get", model.how_to_get},
                    {"problem", model.problem}});
}

void print_table(Console& console, const std::vector<Column>& columns,
                 const std::vector<std::vector<std::string>>& rows) {
    TextTable table(columns);
    for (const auto& row : rows) {
        table.fit(row);
    }
    console.line(table.header());
    for (const auto& row : rows) {
        console.line(table.line(row));
    }
}

void print_catalogue(Console& console, const std::vector<CatalogModel>& models, const MachineMemory& memory) {
    std::vector<std::vector<std::string>> here, elsewhere;
    std::vector<std::string> notes;
    for (const CatalogModel& model : models) {
        if (!model.problem.empty()) {
            notes.push_back(model.name + ": " + model.problem);
        } else if (model.source != ModelSource::known && !model.installed) {
            notes.push_back(model.name + ": not installed: " + model.how_to_get);
        }
        if (model.source == ModelSource::known) {
            elsewhere.push_back({model.hub_id, count(model.parameters), amount(model.memory_f32),
                                 amount(model.memory_bf16), fits(model, memory), model.licence});
        } else {
            here.push_back({model.name, count(model.parameters),
                            model.file_dtype.empty() ? amount(model.size_bytes)
                                                     : model.file_dtype + ", " + amount(model.size_bytes),
                            amount(model.memory_f32), amount(model.memory_bf16),
                            model.problem.empty() ? fits(model, memory) : "cannot open", model.licence});
        }
    }
    print_table(console,
                {{"name", Align::left}, {"parameters"}, {"file"}, {"f32"}, {"bf16"}, {"fits", Align::left},
                 {"licence", Align::left}},
                here);
    for (const std::string& note : notes) {
        console.line(note);
    }
    console.line("");
    console.line("f32, bf16: memory that a session needs. This machine has " + amount(memory.total) + ", of which " +
                 amount(memory.available) + " can be had now.");
    if (elsewhere.empty()) {
        return;
    }
    console.line("");
    console.line("To fetch by hand:");
    print_table(console,
                {{"at Hugging Face", Align::left}, {"parameters"}, {"f32"}, {"bf16"}, {"fits", Align::left},
                 {"licence", Align::left}},
                elsewhere);
    console.line("");
    console.line("Put its config.json, tokenizer.json, tokenizer_config.json and .safetensors files into a folder");
    console.line("of its name, or a .gguf file of it, into " + (data_folder() / "models").string());
    console.line("What else to know of one: plumbline-cli info NAME, the id in lower case without its owner.");
}

struct ModelsOptions {
    std::vector<std::string> add, remove;
};

void run_models(const ModelsOptions& options, Work& work) {
    for (const std::string& path : options.add) {
        const std::string name = add_own_model(path);
        work.console.json() ? work.console.object({{"added", name}}) : work.console.line("added " + name);
    }
    for (const std::string& name : options.remove) {
        remove_own_model(name);
        work.console.json() ? work.console.object({{"removed", name}})
                            : work.console.line("removed " + name + " from the list; its file stays");
    }
    if (!options.add.empty() || !options.remove.empty()) {
        return;
    }
    const MachineMemory memory = machine_memory();
    const std::vector<CatalogModel> models = catalog_models();
    if (!work.console.json()) {
        print_catalogue(work.console, models, memory);
        return;
    }
    for (const CatalogModel& model : models) {
        print_json(work.console, model, memory);
    }
}

}  // namespace

void add_models(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ModelsOptions>();
    CLI::App* command = add_command(app, invocation, "models", "List the models that are installed or can be",
                                    [options](Work& work) { run_models(*options, work); });
    command->add_option("--add", options->add, "List a .gguf file or a folder where it lies; may be given again")
        ->option_text("PATH")
        ->allow_extra_args(false);
    command->add_option("--remove", options->remove, "Take an added model off the list; its file stays")
        ->option_text("NAME")
        ->allow_extra_args(false);
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
