// export: what a project holds, in the forms that other programs read.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "core/api/export_model.h"

namespace plumbline::cli {
namespace {

struct ExportOptions {
    std::string source, format, type, adapter, out;
};

bool is_project(const std::string& source) {
    return std::filesystem::path(source).extension() == ".plumb";
}

void run_model(const ExportOptions& options, ModelFormat format, Work& work) {
    ExportModelRequest request;
    if (is_project(options.source)) {
        if (!options.adapter.empty()) {
            throw UsageError("--adapter goes with a MODEL; a project has a policy of its own");
        }
        request.project = options.source;
    } else {
        if (format == ModelFormat::peft) throw UsageError("--as peft goes with a project; a model has no adapter");
        request.model = options.source;
        request.adapter = options.adapter;
    }
    request.format = format;
    request.type = options.type;
    request.out = options.out;
    const ExportModelResult result = export_model(request, work.job());
    if (work.console.json()) {
        work.console.object({{"format", options.format},
                             {"type", result.type.empty() ? Json() : Json(result.type)},
                             {"out", options.out},
                             {"tensors", result.tensors},
                             {"bytes", result.bytes},
                             {"notes", result.notes}});
        return;
    }
    for (const std::string& note : result.notes) work.console.note(note);
    work.console.line("Wrote " + counted(result.tensors, "tensor") + (result.type.empty() ? "" : " as " + result.type) +
                      ", " + std::to_string((result.bytes + 500'000) / 1'000'000) + " MB, to " + options.out + ".");
}

void run_data(const ExportOptions& options, DataFormat format, Work& work) {
    if (!options.type.empty() || !options.adapter.empty()) {
        throw UsageError("--type and --adapter go with peft, safetensors and gguf");
    }
    const ExportDataResult result = export_data({options.source, format, options.out}, work.job());
    if (work.console.json()) {
        work.console.object({{"format", options.format}, {"out", options.out}, {"rows", result.rows}, {"skipped", result.skipped}});
        return;
    }
    for (const std::string& reason : result.skipped) work.console.note("left out: " + reason);
    work.console.line("Wrote " + counted(result.rows, "row") + " to " + options.out + ".");
}

/// One line a format: its name in --as, and what writes it.
struct Format {
    const char* name;
    void (*run)(const ExportOptions& options, Work& work);
};
constexpr Format formats[] = {
    {"trl", [](const ExportOptions& o, Work& work) { run_data(o, DataFormat::trl, work); }},
    {"hh", [](const ExportOptions& o, Work& work) { run_data(o, DataFormat::hh, work); }},
    {"csv", [](const ExportOptions& o, Work& work) { run_data(o, DataFormat::csv, work); }},
    {"metrics", [](const ExportOptions& o, Work& work) { run_data(o, DataFormat::metrics, work); }},
    {"script", [](const ExportOptions& o, Work& work) { run_data(o, DataFormat::script, work); }},
    {"peft", [](const ExportOptions& o, Work& work) { run_model(o, ModelFormat::peft, work); }},
    {"safetensors", [](const ExportOptions& o, Work& work) { run_model(o, ModelFormat::safetensors, work); }},
    {"gguf", [](const ExportOptions& o, Work& work) { run_model(o, ModelFormat::gguf, work); }},
};

void run_export(const ExportOptions& options, Work& work) {
    std::string names;
    for (const Format& format : formats) {
        if (options.format == format.name) return format.run(options, work);
        names += (names.empty() ? "" : ", ") + std::string(format.name);
    }
    throw UsageError("--as '" + options.format + "' is not known; choose " + names);
}

}  // namespace

void add_export(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ExportOptions>();
    CLI::App* command = add_command(app, invocation, "export",
                                    "Write a project's answers, curves or policy, or a model with an adapter, for other programs",
                                    [options](Work& work) { run_export(*options, work); });
    command->add_option("PROJECT", options->source, "A project file, NAME.plumb; for model formats also a MODEL")
        ->required()
        ->option_text(" ");
    command
        ->add_option("--as", options->format,
                     "trl: preferences as TRL reads them, JSON lines; hh: as whole dialogues, JSON lines; csv: all answers; "
                     "metrics: the curves, CSV; script: a folder with a TRL script and its data, which repeats the "
                     "training elsewhere; "
                     "peft: the adapter, as peft reads it; safetensors: a merged Hugging Face folder, as transformers "
                     "reads it; gguf: a merged file, as llama.cpp reads it")
        ->required()
        ->option_text("FORMAT");
    command
        ->add_option("--type", options->type,
                     "Type of the weights. gguf: f16 (default), bf16, f32, q8_0, q5_1, q5_0, q4_1, q4_0; "
                     "safetensors: f32 (default), f16, bf16")
        ->option_text("TYPE");
    add_adapter(*command, options->adapter, "With a MODEL: the PEFT folder to work in");
    command->add_option("--out", options->out, "The folder or file to write")->required()->option_text("PATH");
    add_output_options(*command, invocation);
}

}  // namespace plumbline::cli
