// simulate: the window's own loop with a simulated person who clicks.

#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/input_file.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"
#include "core/api/catalog.h"
#include "core/api/judge.h"
#include "core/api/recommended.h"

namespace plumbline::cli {
namespace {

struct SimulateOptions {
    SimulateRequest request;
    std::string prompts, heldout, algorithm;
    std::vector<std::string> assignments;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

Json json_of(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json json_of(const Share& share) {
    return {{"share", share.share}, {"low", share.low}, {"high", share.high}, {"n", share.n}};
}

std::string shown(const std::optional<double>& value) {
    return value ? figure(*value) : "-";
}

std::string shown(const Share& share) {
    return percentage(share.share) + " (" + percentage(share.low) + " to " + percentage(share.high) + ")";
}

SimulateRequest request_of(const SimulateOptions& options) {
    SimulateRequest request = options.request;
    request.config.seed = options.seed;
    if (!options.algorithm.empty()) {
        set_field(request.config, "algorithm", options.algorithm);
    }
    // The settings measured for this algorithm and a model of this size, then those that the user gives.
    const ModelInfo model = inspect_model(request.model, options.engine.dtype);
    assign(request.config, options.assignments);
    recommend(request.config, model.parameters);
    assign(request.config, options.assignments);
    validate(request.config);
    request.judge_options.seed = request.config.seed;
    // Wrong names and values are told before the model is read.
    make_judge(request.judge, request.judge_options);
    if (!options.prompts.empty()) {
        request.prompts = prompts_of_file(options.prompts);
    }
    if (!options.heldout.empty()) {
        request.heldout = prompts_of_file(options.heldout);
    }
    return request;
}

void print_click(const SimulatedClick& click, const TextTable& table, Console& console) {
    if (console.json()) {
        console.object({{"click", click.click},
                        {"seconds", click.seconds},
                        {"reward_loss", json_of(click.reward_loss)},
                        {"reward_accuracy", json_of(click.reward_accuracy)},
                        {"kl", json_of(click.kl)}});
    } else {
        console.line(table.line({std::to_string(click.click), figure(click.seconds), shown(click.reward_loss),
                                 shown(click.reward_accuracy), shown(click.kl)}));
    }
}

void print_result(const SimulateResult& result, const SimulateRequest& request, Console& console) {
    if (console.json()) {
        console.object({{"before", json_of(result.before)},
                        {"after", json_of(result.after)},
                        {"kl", result.kl},
                        {"reference_nll", {{"before", result.nll_before}, {"after", result.nll_after}}},
                        {"ties", result.ties},
                        {"clicks", result.clicks}});
        return;
    }
    const std::string property =
        request.judge == "keyword" ? "with '" + request.judge_options.keyword + "'" : request.judge;
    console.line("");
    console.line("Held-out replies judged " + property + ": " + shown(result.before) + " before, " +
                 shown(result.after) + " after " + counted(result.clicks, "click") + ", of " +
                 std::to_string(result.after.n) +
                 " replies (95% intervals). KL from the reference: " + figure(result.kl) +
                 " nats a reply. Their surprise to the reference: " + figure(result.nll_before) + " nats a token before, " +
                 figure(result.nll_after) + " after. Ties, not counted as clicks: " + std::to_string(result.ties) + ".");
    if (result.clicks < request.clicks) {
        console.line("It ended early: the last 50 pairs were ties, so the policy leaves this judge nothing to prefer.");
    }
}

void run_simulate(const SimulateOptions& options, Work& work) {
    const SimulateRequest request = request_of(options);
    Console& console = work.console;
    const TextTable table({{"click", Align::right, 5},
                           {"seconds", Align::right, 8},
                           {"reward loss"},
                           {"reward accuracy"},
                           {"KL (nats)", Align::right, 10}});
    bool headed = console.json();
    const auto on_click = [&](const SimulatedClick& click) {
        if (!headed) {
            console.line(table.header());
            headed = true;
        }
        print_click(click, table, console);
        console.progress(static_cast<double>(click.click) / request.clicks,
                         "click " + std::to_string(click.click) + " of " + std::to_string(request.clicks));
    };
    const auto on_event = [&](const Event& event) {
        if (const auto* progress = std::get_if<JobProgress>(&event.body)) {
            console.progress(progress->fraction, progress->job);
        }
    };
    print_result(simulate(request, options.engine, work.job(), on_click, on_event), request, console);
}

std::string judge_table() {
    TextTable table({{"", Align::left}, {"", Align::left}});
    std::string out;
    for (const CatalogJudge& judge : catalog_judges()) {
        table.fit({"  " + judge.name, ""});
    }
    for (const CatalogJudge& judge : catalog_judges()) {
        out += table.line({"  " + judge.name, judge.summary}) + "\n";
    }
    return out;
}

std::string rule_table() {
    TextTable table({{"", Align::left}, {"", Align::left}});
    std::string out;
    for (const CatalogRule& rule : catalog_rules()) {
        table.fit({"  " + rule.usage, ""});
    }
    for (const CatalogRule& rule : catalog_rules()) {
        if (rule.name != "model" && rule.name != "likelihood") {  // a person does not see them
            out += table.line({"  " + rule.usage, rule.summary}) + "\n";
        }
    }
    return out;
}

/// What people are like who click.
void add_faults(CLI::App& command, JudgeOptions& judge) {
    const auto add = [&](const char* name, double& value, const char* help) {
        command.add_option(name, value, help)->option_text("X");
    };
    add("--noise", judge.noise, "Probability of a flipped click, 0..0.5 (default 0)");
    add("--tie-share", judge.tie_share,
        "Scores that differ by at most this share of the larger one tie, 0..1 (default 0)");
    add("--position-bias", judge.position_bias,
        "Probability of choosing left without reading, 0..1 (default 0)");
    add("--length-bias", judge.length_bias, "Points that each word adds to a score, -1000..1000 (default 0)");
    add("--intransitivity", judge.intransitivity,
        "Share of pairs judged by a taste that goes in circles, 0..1 (default 0)");
}

std::string algorithm_table() {
    TextTable table({{"", Align::left}, {"", Align::left}});
    std::string out;
    for (const AlgorithmInfo& algorithm : algorithms()) {
        table.fit({"  " + std::string(algorithm.name), ""});
    }
    for (const AlgorithmInfo& algorithm : algorithms()) {
        out += table.line({"  " + std::string(algorithm.name), std::string(algorithm.summary)}) + "\n";
    }
    return out;
}

}  // namespace

void add_simulate(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<SimulateOptions>();
    SimulateRequest& request = options->request;
    CLI::App* command =
        add_command(app, invocation, "simulate",
                    "Run a session in which a simulated person clicks, and compare before and after",
                    [options](Work& work) { run_simulate(*options, work); });
    add_model(*command, request.model);
    command->add_option("--judge", request.judge, "Who clicks, one of the lists below; required")
        ->required()
        ->option_text("J");
    add_number(*command, "--clicks", request.clicks, 0, 100000, "Clicks; ties are not counted");
    command->add_option("--algorithm", options->algorithm, "How the policy learns, one of the list below (default dpo)")
        ->option_text("A");
    command
        ->add_option("--prompts", options->prompts,
                     "Prompts of the session, one a line (default: the bundled ones)")
        ->option_text("FILE");
    command
        ->add_option("--heldout", options->heldout,
                     "Prompts of the evaluation, one a line (default: the bundled held-out ones)")
        ->option_text("FILE");
    add_number(*command, "--samples", request.heldout_samples, 1, 1000, "Replies a held-out prompt");
    command
        ->add_option("--project", request.project,
                     "Project file to write, which must not exist (default: none)")
        ->option_text("FILE");
    add_faults(*command, request.judge_options);
    command->add_option("--keyword", request.judge_options.keyword, "The word that the judge keyword prefers")
        ->option_text("W");
    add_config(*command, options->assignments);
    add_seed(*command, options->seed, RandomNumbers::drawn);
    add_chat_template(*command, options->request.config.chat_template);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
    command->footer("Judges:\n" + judge_table() + "\nAlgorithms:\n" + algorithm_table() +
                    "\nor rule: and a sum of these, e.g. 'rule:keyword(sorry) - 0.5*length(20)':\n" +
                    rule_table() + "\nKeys of --config:\n" + key_table(describe(SessionConfig{})));
}

}  // namespace plumbline::cli
