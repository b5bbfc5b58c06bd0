// train pretrain: a tokenizer and a new model from texts.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

struct PretrainOptions {
    PretrainRequest request;
    std::vector<std::string> assignments;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

constexpr int people_read_every = 50;  // steps; JSON has all

void print_step(const StepMetrics& metrics, const TextTable& table, Console& console) {
    if (console.json()) {
        Json row = {{"step", metrics.step}};
        for (const auto& [name, value] : metrics.values) row[name] = value;
        console.object(row);
        return;
    }
    if (metrics.step == 1) console.line(table.header());
    if (metrics.step == 1 || metrics.step % people_read_every == 0) {
        console.line(table.line({std::to_string(metrics.step), figure(metrics.values.at("loss/next_token")),
                                 figure(metrics.values.at("grad_norm")), figure(metrics.values.at("lr"))}));
    }
}

void print_summary(const PretrainResult& result, const std::filesystem::path& out, Console& console) {
    constexpr std::size_t shown = 5;
    for (std::size_t i = 0; i < result.skipped.size() && i < shown; ++i)
        console.note("skipped: " + result.skipped[i]);
    if (result.skipped.size() > shown) {
        console.note("skipped: " +
                     counted(static_cast<std::int64_t>(result.skipped.size() - shown), "more row"));
    }
    if (console.json()) {
        Json summary = {{"steps", result.steps}};
        for (const auto& [name, value] : result.last) summary[name] = value;
        for (const auto& [name, value] : result.heldout) summary[name] = value;
        summary["parameters"] = result.parameters;
        summary["vocab"] = result.vocabulary;
        summary["out"] = out.string();
        summary["skipped"] = result.skipped;
        console.object({{"summary", summary}});
        return;
    }
    std::string heldout;
    for (const auto& [name, value] : result.heldout) heldout += "; " + name + " " + figure(value);
    console.line("Trained " + counted(result.steps, "step") + heldout + "; a model of " +
                 std::to_string(result.parameters) + " weights and " + std::to_string(result.vocabulary) +
                 " tokens is in " + out.string() + ".");
}

void run_pretrain(const PretrainOptions& options, Work& work) {
    PretrainRequest request = options.request;
    request.config.seed = options.seed;
    assign(request.config, options.assignments);
    validate(request.config);
    const TextTable table({{"step", Align::right, 6},
                           {"loss/next_token", Align::right, 15},
                           {"grad_norm", Align::right, 10},
                           {"lr", Align::right, 10}});
    const PretrainResult result =
        pretrain(request, options.engine, work.job(),
                 [&](const StepMetrics& metrics) { print_step(metrics, table, work.console); });
    print_summary(result, request.out, work.console);
}

}  // namespace

void add_pretrain_stage(CLI::App& train, Invocation& invocation) {
    const auto options = std::make_shared<PretrainOptions>();
    CLI::App* command = add_command(train, invocation, "train pretrain",
                                    "Teach a new model the next token, and its tokenizer, from texts",
                                    [options](Work& work) { run_pretrain(*options, work); });
    command->add_option("NAME", options->request.name, "The new model's name (default: that of the file)");
    command
        ->add_option("--data", options->request.data,
                     "Texts: JSON lines, also .gz, with prompt and response, or text; required")
        ->required()
        ->option_text("FILE");
    command->add_option("--out", options->request.out, "GGUF file to write; required")
        ->required()
        ->option_text("FILE");
    add_config(*command, options->assignments);
    add_seed(*command, options->seed, RandomNumbers::drawn);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
    command->footer("Keys of --config:\n" + key_table(describe(PretrainConfig{})));
}

}  // namespace plumbline::cli
