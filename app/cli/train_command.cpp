// train STAGE: one training run on a file, step by step. train_stages.h has what differs between stages.

#include <limits>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "app/cli/train_stages.h"
#include "core/api/errors.h"

namespace plumbline::cli {
namespace {

struct TrainOptions {
    TrainRequest request;  // all but its config
    std::vector<std::string> assignments;
    std::uint64_t seed = 0;
    bool seed_given = false;
    EngineOptions engine;
};

Json summary_of(const TrainResult& result, const TrainRequest& request) {
    Json summary = {{"steps", result.steps}};
    for (const auto& [name, value] : result.last) {
        summary[name] = value;
    }
    summary["out"] = request.out.string();
    summary["skipped"] = result.skipped;
    if (!result.notes.empty()) {
        summary["notes"] = result.notes;
    }
    if (request.resume) {
        summary["resumed_from"] = result.resumed_from;
        Json& changed = summary["changed"] = Json::object();
        for (const ChangedSetting& setting : result.changed) {
            changed[setting.key] = {setting.before, setting.now};
        }
    }
    if (!result.ended_by.empty()) {
        summary["ended_by"] = result.ended_by;
    }
    return summary;
}

TextTable metric_table(const StageText& stage) {
    std::vector<Column> columns = {{"step", Align::right, 6}};
    for (const char* metric : stage.columns) {
        columns.push_back({metric, Align::right, 10});
    }
    return TextTable(columns);
}

void print_step(const StepMetrics& metrics, const StageText& stage, const TextTable& table,
                Console& console) {
    if (console.json()) {
        Json row = {{"step", metrics.step}};
        for (const auto& [name, value] : metrics.values) {
            row[name] = value;
        }
        console.object(row);
        return;
    }
    std::vector<std::string> row = {std::to_string(metrics.step)};
    for (const char* metric : stage.columns) {
        const auto value = metrics.values.find(metric);
        row.push_back(value == metrics.values.end() ? "-" : figure(value->second));
    }
    console.line(table.line(row));
}

void print_end(const TrainResult& result, const TrainRequest& request, Console& console) {
    for (const std::string& row : result.skipped) {
        console.note("skipped: " + row);
    }
    for (const ChangedSetting& setting : result.changed) {
        console.note("changed: " + setting.key + " was '" + setting.before + "', is '" + setting.now + "'");
    }
    for (const std::string& note : result.notes) {
        console.note("note: " + note);
    }
    if (!result.ended_by.empty()) {
        console.note("stopped by a guard: " + result.ended_by);
    }
    if (console.json()) {
        console.object({{"summary", summary_of(result, request)}});
        return;
    }
    const bool whole = request.out.extension() == ".gguf";
    console.line("Trained " + counted(result.steps, "step") + ", " +
                 counted(static_cast<std::int64_t>(result.skipped.size()), "row") + " skipped; the " +
                 (whole ? "model" : "adapter") + " is in " + request.out.string() + ".");
}

void run_train(const StageText& stage, const TrainRequest& request, const EngineOptions& engine, Work& work) {
    Console& console = work.console;
    const TextTable table = metric_table(stage);
    bool headed = console.json();
    try {
        const TrainResult result = train(request, engine, work.job(), [&](const StepMetrics& metrics) {
            if (!headed) {
                console.line(table.header());
                headed = true;
            }
            print_step(metrics, stage, table, console);
        });
        print_end(result, request, console);
    } catch (const Stopped&) {
        const std::filesystem::path state = training_state_file(request.out, ".safetensors");
        if (std::filesystem::exists(state)) {
            console.note("the state is in " + state.string() + "; the same command with --resume goes on");
        }
        throw;
    }
}

/// What a stopped training was asked for, unless the command line says otherwise.
template <class Config>
void take_saved(Config& config, TrainRequest& request, EngineOptions& engine) {
    const SavedTraining saved = read_saved_training(request.out);
    if (saved.stage != Config::stage) {
        throw UsageError(request.out.string() + " holds a stopped `train " + saved.stage +
                         "`; choose that stage or another --out");
    }
    for (const auto& [key, value] : saved.settings) {
        set_field(config, key, value);
    }
    const auto take = [](auto& member, const std::string& value) {
        if (member.empty()) {
            member = value;
        }
    };
    take(request.init_adapter, saved.init_adapter);
    take(request.reward_adapter, saved.reward_adapter);
    take(request.reward, saved.reward);
    take(engine.chat_template, saved.chat_template);
}

template <class Config>
void run_stage(const StageText& stage, const TrainOptions& options, Work& work) {
    TrainRequest request = options.request;
    EngineOptions engine = options.engine;
    Config config;
    if (request.resume) {
        take_saved(config, request, engine);
    }
    if (options.seed_given || !request.resume) {
        config.seed = options.seed;
    }
    assign(config, options.assignments);
    validate(config);
    request.config = config;
    run_train(stage, request, engine, work);
}

void add_reward_options(CLI::App& command, TrainRequest& request) {
    command
        .add_option(
            "--reward", request.reward,
            "What replies are scored by: a sum of rules such as 'keyword(thanks) + -0.5*length(20)', with "
            "`model` for --reward-adapter's score (default: that score alone)")
        ->option_text("SPEC");
    command.add_option("--reward-adapter", request.reward_adapter, "PEFT folder of a reward model")
        ->option_text("DIR");
}

void add_file_options(CLI::App& command, const StageText& stage, TrainRequest& request) {
    const bool reward_model = stage.name == "reward";
    command.add_option("--data", request.data, data_help(stage.data))->required()->option_text("FILE");
    command
        .add_option("--out", request.out,
                    reward_model
                        ? "PEFT folder to write; required"
                        : "PEFT folder to write, or a .gguf file: then every weight trains; required")
        ->required()
        ->option_text("PATH");
    command
        .add_option("--init-adapter", request.init_adapter,
                    reward_model ? "PEFT folder to start from, with its head (default: a fresh one)"
                                 : "PEFT folder to start from, also the reference (default: a fresh adapter)")
        ->option_text("DIR");
    if (draws_samples(stage)) {
        add_reward_options(command, request);
    }
    add_number(command, "--checkpoint-every", request.checkpoint_every, 0, std::numeric_limits<int>::max(),
               "Steps between saved states, which --resume goes on from; 0: one when it is stopped or fails")
        ->description(
            "Steps between saved states for --resume; 0: one when it is stopped or fails (default 0)");
    command.add_flag(
        "--resume", request.resume,
        "Go on from the state saved with --out, with its settings where --config gives no others");
}

std::string footer_of(const StageText& stage, const std::string& keys) {
    std::string words = "plumbline-cli train " + std::string(stage.name) + " smollm2-135m-instruct";
    words += " --data data.jsonl --out trained";
    if (draws_samples(stage)) {
        words += " --reward 'keyword(thanks)'";
    }
    return "Keys of --config:\n" + keys + "\nExample:\n  " + words + " " + std::string(stage.example) +
           "\nwith lines such as\n  " + data_example(stage.data) + "\n";
}

template <class Config>
void add_stage(CLI::App& train, Invocation& invocation) {
    const StageText& stage = stage_text(Config::stage);
    const auto options = std::make_shared<TrainOptions>();
    CLI::App* command =
        add_command(train, invocation, "train " + std::string(stage.name), std::string(stage.summary),
                    [options, &stage](Work& work) { run_stage<Config>(stage, *options, work); });
    add_model(*command, options->request.model);
    add_file_options(*command, stage, options->request);
    add_config(*command, options->assignments);
    add_seed(*command, options->seed, RandomNumbers::drawn);
    command->parse_complete_callback(
        [command, options] { options->seed_given = command->count("--seed") > 0; });
    add_chat_template(*command, options->engine.chat_template);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
    command->footer(footer_of(stage, key_table(describe(Config{}))));
}

template <class... Configs>
void add_stages(CLI::App& train, Invocation& invocation, const std::variant<Configs...>*) {
    (add_stage<Configs>(train, invocation), ...);
}

}  // namespace

void add_train(CLI::App& app, Invocation& invocation) {
    CLI::App* train = app.add_subcommand("train", "Train an adapter, a model or a reward model on a file");
    train->require_subcommand(0, 1);
    add_pretrain_stage(*train, invocation);
    add_stages(*train, invocation, static_cast<const StageConfig*>(nullptr));
    train->footer("`plumbline-cli train STAGE --help` lists the stage's options and settings.");
    train->allow_extras();
    train->callback([train] {
        if (train->get_subcommands().empty()) {
            const std::vector<std::string> rest = train->remaining();
            throw UsageError(rest.empty()
                                 ? "there is no stage; choose " + stage_list()
                                 : "there is no stage '" + rest.front() + "'; choose " + stage_list());
        }
    });
}

}  // namespace plumbline::cli
