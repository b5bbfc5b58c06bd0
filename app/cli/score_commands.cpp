// logprobs and reward: what a model says of given responses.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/input_file.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

struct ScoreOptions {
    std::string model, adapter, file;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

/// Results in the order of the rows. What could not be scored stands among them as JSON, and on stderr.
template <class Result, class Print>
void print_results(const std::vector<ScoreRequest>& requests, const std::vector<Result>& results,
                   const TextTable& table, Console& console, const Print& print) {
    if (!console.json()) {
        console.line(table.header());
    }
    std::int64_t skipped = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (results[i].fault.empty()) {
            print(i + 1, results[i]);
            continue;
        }
        ++skipped;
        console.note("skipped: line " + std::to_string(requests[i].line) + ": " + results[i].fault);
        if (console.json()) {
            console.object({{"line", requests[i].line}, {"skipped", results[i].fault}});
        }
    }
    if (skipped > 0) {
        console.note("skipped " + counted(skipped, "row") + " of " + std::to_string(results.size()));
    }
}

void run_logprobs(const ScoreOptions& options, Work& work) {
    const std::vector<ScoreRequest> requests = score_requests(options.file);
    const auto results = logprobs(options.model, options.adapter, requests, options.engine, work.job());
    const TextTable table({{"row", Align::right, 5},
                           {"tokens"},
                           {"sum (nats)", Align::right, 12},
                           {"a token", Align::right, 10}});
    print_results(requests, results, table, work.console, [&](std::size_t row, const LogprobsResult& result) {
        if (work.console.json()) {
            work.console.object({{"ids", result.ids}, {"logprobs", result.logprobs}, {"sum", result.sum}});
        } else {
            work.console.line(
                table.line({std::to_string(row), std::to_string(result.ids.size()), figure(result.sum),
                            figure(result.sum / static_cast<double>(result.ids.size()))}));
        }
    });
}

void run_reward(const ScoreOptions& options, Work& work) {
    const std::vector<ScoreRequest> requests = score_requests(options.file);
    const auto results = rewards(options.model, options.adapter, requests, options.engine, work.job());
    const TextTable table({{"row", Align::right, 5}, {"tokens"}, {"reward", Align::right, 10}});
    print_results(requests, results, table, work.console, [&](std::size_t row, const RewardResult& result) {
        if (work.console.json()) {
            work.console.object({{"reward", result.reward}, {"token_rewards", result.token_rewards}});
        } else {
            work.console.line(table.line(
                {std::to_string(row), std::to_string(result.token_rewards.size()), figure(result.reward)}));
        }
    });
}

void add_requests(CLI::App& command, std::string& file) {
    command
        .add_option("--jsonl", file,
                    R"(JSON lines of {"prompt","response"}, {"messages","response"} or )"
                    R"({"prompt_ids","response_ids"}; - is standard input; required)")
        ->required()
        ->option_text("FILE");
}

void add_score_options(CLI::App& command, ScoreOptions& options, Invocation& invocation) {
    add_seed(command, options.seed, RandomNumbers::none);
    add_chat_template(command, options.engine.chat_template);
    add_engine_options(command, options.engine);
    add_output_options(command, invocation);
}

}  // namespace

void add_logprobs(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ScoreOptions>();
    CLI::App* command = add_command(app, invocation, "logprobs",
                                    "Per-token log-probabilities of responses, in nats, at temperature 1",
                                    [options](Work& work) { run_logprobs(*options, work); });
    add_model(*command, options->model);
    add_requests(*command, options->file);
    add_adapter(*command, options->adapter, "PEFT folder of a LoRA adapter to score with");
    add_score_options(*command, *options, invocation);
}

void add_reward(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<ScoreOptions>();
    CLI::App* command =
        add_command(app, invocation, "reward", "A reward model's scores of responses, token by token",
                    [options](Work& work) { run_reward(*options, work); });
    add_model(*command, options->model);
    add_adapter(*command, options->adapter, "PEFT folder of the reward model, with its head; required")
        ->required();
    add_requests(*command, options->file);
    add_score_options(*command, *options, invocation);
}

}  // namespace plumbline::cli
