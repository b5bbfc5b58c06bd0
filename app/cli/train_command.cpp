// train STAGE: one training run on a file, step by step.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

/// What is special about a stage, apart from its settings.
struct Stage {
    const char* name;
    const char* description;
    const char* data;                  // help of --data
    const char* init;                  // help of --init-adapter
    std::vector<const char*> columns;  // metrics that people see; JSON has all
};

template <class Config>
struct TrainOptions {
    TrainRequest request;
    Config config;
    std::vector<std::string> assignments;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

Json summary_of(const TrainResult& result, const std::filesystem::path& out) {
    Json summary = {{"steps", result.steps}};
    for (const auto& [name, value] : result.last) {
        summary[name] = value;
    }
    summary["out"] = out.string();
    summary["skipped"] = result.skipped;
    return summary;
}

TextTable metric_table(const Stage& stage) {
    std::vector<Column> columns = {{"step", Align::right, 6}};
    for (const char* metric : stage.columns) {
        columns.push_back({metric, Align::right, 10});
    }
    return TextTable(columns);
}

void print_step(const StepMetrics& metrics, const Stage& stage, const TextTable& table, Console& console) {
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

void run_train(const Stage& stage, const TrainRequest& request, const EngineOptions& engine, Work& work) {
    Console& console = work.console;
    const TextTable table = metric_table(stage);
    bool headed = console.json();
    const TrainResult result = train(request, engine, work.job(), [&](const StepMetrics& metrics) {
        if (!headed) {
            console.line(table.header());
            headed = true;
        }
        print_step(metrics, stage, table, console);
    });
    for (const std::string& row : result.skipped) {
        console.note("skipped: " + row);
    }
    if (console.json()) {
        console.object({{"summary", summary_of(result, request.out)}});
    } else {
        console.line("Trained " + counted(result.steps, "step") + ", " +
                     counted(static_cast<std::int64_t>(result.skipped.size()), "row") +
                     " skipped; the adapter is in " + request.out.string() + ".");
    }
}

template <class Config>
CLI::App* add_stage(CLI::App& train, Invocation& invocation, const Stage& stage,
                    const std::shared_ptr<TrainOptions<Config>>& options) {
    CLI::App* command = add_command(train, invocation, std::string("train ") + stage.name, stage.description,
                                    [options, stage](Work& work) {
                                        Config config;
                                        config.seed = options->seed;
                                        assign(config, options->assignments);
                                        validate(config);
                                        TrainRequest request = options->request;
                                        request.config = config;
                                        run_train(stage, request, options->engine, work);
                                    });
    add_model(*command, options->request.model);
    command->add_option("--data", options->request.data, stage.data)->required()->option_text("FILE");
    command->add_option("--out", options->request.out, "PEFT folder to write; required")
        ->required()
        ->option_text("DIR");
    command->add_option("--init-adapter", options->request.init_adapter, stage.init)->option_text("DIR");
    return command;
}

template <class Config>
void add_stage_options(CLI::App& command, Invocation& invocation, TrainOptions<Config>& options) {
    add_config(command, options.assignments);
    add_seed(command, options.seed, RandomNumbers::drawn);
    add_engine_options(command, options.engine);
    add_output_options(command, invocation);
    command.footer("Keys of --config:\n" + key_table(describe(Config{})));
}

constexpr const char* policy_init =
    "PEFT folder to start from, also the reference (default: a fresh adapter)";
constexpr const char* pairs_help =
    "Preference pairs: JSON lines or CSV, also .gz, with prompt, chosen and rejected; required";

void add_reward_stage(CLI::App& train, Invocation& invocation) {
    const auto options = std::make_shared<TrainOptions<RewardConfig>>();
    CLI::App* command =
        add_stage<RewardConfig>(train, invocation,
                                {"reward",
                                 "Train a reward model, LoRA and scalar head, on preference pairs",
                                 pairs_help,
                                 "PEFT folder to start from, with its head (default: a fresh one)",
                                 {"loss/reward", "reward/accuracy", "reward/margin", "grad_norm", "lr"}},
                                options);
    add_stage_options(*command, invocation, *options);
}

void add_dpo_stage(CLI::App& train, Invocation& invocation) {
    const auto options = std::make_shared<TrainOptions<DpoConfig>>();
    CLI::App* command = add_stage<DpoConfig>(
        train, invocation,
        {"dpo",
         "Direct preference optimisation of a LoRA adapter on preference pairs",
         pairs_help,
         policy_init,
         {"loss/policy", "rewards/accuracy", "rewards/margin", "logps/chosen", "logps/rejected"}},
        options);
    add_stage_options(*command, invocation, *options);
}

void add_rloo_stage(CLI::App& train, Invocation& invocation) {
    const auto options = std::make_shared<TrainOptions<RlooConfig>>();
    CLI::App* command = add_stage<RlooConfig>(
        train, invocation,
        {"rloo",
         "REINFORCE leave-one-out: train a LoRA adapter on its own replies, scored by a reward model",
         "Prompts, JSON lines with a prompt; required",
         policy_init,
         {"objective/score", "objective/kl", "objective/rlhf_reward", "tokens/eos_rate",
          "tokens/response_length"}},
        options);
    command
        ->add_option("--reward-adapter", options->request.reward_adapter,
                     "PEFT folder of the reward model; required")
        ->required()
        ->option_text("DIR");
    add_stage_options(*command, invocation, *options);
}

constexpr const char* stages = "pretrain, reward, dpo or rloo";

/// Stages of other versions: known by name, refused with the list of those that are here.
void add_absent_stage(CLI::App& train, const std::string& name) {
    CLI::App* command = train.add_subcommand(name);
    command->group("");
    command->set_help_flag();
    command->prefix_command();
    command->callback([] { throw UsageError(std::string("not in this version; choose ") + stages); });
}

}  // namespace

void add_train(CLI::App& app, Invocation& invocation) {
    CLI::App* train = app.add_subcommand("train", "Train an adapter or a reward model on a file");
    train->require_subcommand(0, 1);
    add_pretrain_stage(*train, invocation);
    add_reward_stage(*train, invocation);
    add_dpo_stage(*train, invocation);
    add_rloo_stage(*train, invocation);
    for (const char* name : {"sft", "ipo", "cdpo", "robust-dpo", "hinge", "kto", "orpo", "simpo",
                             "ppo", "grpo", "reinforce"}) {
        add_absent_stage(*train, name);
    }
    train->footer("`plumbline-cli train STAGE --help` lists the stage's options and settings.");
    train->allow_extras();
    train->callback([train] {
        if (train->get_subcommands().empty()) {
            const std::vector<std::string> rest = train->remaining();
            throw UsageError(rest.empty() ? std::string("there is no stage; choose ") + stages
                                          : "there is no stage '" + rest.front() + "'; choose " + stages);
        }
    });
}

}  // namespace plumbline::cli
