// bench: how fast this machine does the work.

#include <limits>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/text_table.h"

namespace plumbline::cli {
namespace {

struct NamedBench {
    const char* name;
    BenchWhat what;
    const char* summary;
};

constexpr NamedBench benches[] = {
    {"sample", BenchWhat::sample, "replies to a prompt of 40 tokens, in one batch"},
    {"logprobs", BenchWhat::logprobs, "log-probabilities of one row of 512 tokens, or the context's"},
    {"sft", BenchWhat::sft, "a step of supervised fine-tuning, 8 replies of 55 tokens"},
    {"reward", BenchWhat::reward, "a step of the reward model, 4 pairs of 2 x 55 tokens"},
    {"dpo", BenchWhat::dpo, "a DPO step, 4 pairs of 2 x 55 tokens"},
    {"ipo", BenchWhat::ipo, "the same with IPO's loss"},
    {"cdpo", BenchWhat::cdpo, "the same with cDPO's loss"},
    {"robust-dpo", BenchWhat::robust_dpo, "the same with robust DPO's loss"},
    {"hinge", BenchWhat::hinge, "the same with the hinge loss"},
    {"kto", BenchWhat::kto, "a KTO step, 8 replies of 55 tokens"},
    {"orpo", BenchWhat::orpo, "an ORPO step, 4 pairs of 2 x 55 tokens, no reference"},
    {"simpo", BenchWhat::simpo, "a SimPO step, 4 pairs of 2 x 55 tokens, no reference"},
    {"reinforce", BenchWhat::reinforce, "a REINFORCE step: samples, scores, gradient"},
    {"rloo", BenchWhat::rloo, "an RLOO step: samples, scores, gradient"},
    {"grpo", BenchWhat::grpo, "a GRPO step: samples, scores, gradient"},
    {"ppo", BenchWhat::ppo, "a PPO step: samples, scores, values, one pass"},
    {"click", BenchWhat::click, "a click of a live session, from the vote to the trained policy"},
};

struct BenchOptions {
    std::string what, model;
    BenchConfig config;
    std::uint64_t seed = 0;
    EngineOptions engine;
};

std::string bench_names() {
    std::string out;
    for (const NamedBench& bench : benches) {
        out += (out.empty() ? "" : ", ") + std::string(bench.name);
    }
    return out;
}

BenchWhat find_bench(const std::string& name) {
    for (const NamedBench& bench : benches) {
        if (name == bench.name) {
            return bench.what;
        }
    }
    throw UsageError("'" + name + "' is not measured; choose " + bench_names());
}

void run_bench(const BenchOptions& options, Work& work) {
    const BenchWhat what = find_bench(options.what);
    const BenchResult result = bench(what, options.model, options.config, options.engine, work.job());
    // A click is no stream of tokens: what was not measured is not zero.
    const double tokens_per_s =
        what == BenchWhat::click ? std::numeric_limits<double>::quiet_NaN() : result.tokens_per_s;
    if (work.console.json()) {
        Json row = {
            {"tokens_per_s", tokens_per_s},
            {"step_s", {{"median", result.step_median}, {"min", result.step_min}, {"max", result.step_max}}},
            {"rss_mb", result.rss_mb},
            {"forecast_mb", result.forecast_mb},
            {"threads", result.threads},
            {"dtype", result.dtype}};
        for (const auto& [name, value] : result.extra) {
            row[name] = value;
        }
        work.console.object(row);
        return;
    }
    const TextTable table({{"", Align::left, 14}, {"", Align::left}});
    work.console.line(table.line({"tokens/s", figure(tokens_per_s)}));
    work.console.line(table.line(
        {"step (s)", figure(result.step_median) + " median, " + figure(result.step_min) + " least, " +
                         figure(result.step_max) + " most of " + std::to_string(options.config.repeats)}));
    work.console.line(table.line({"memory", figure(result.rss_mb) + " MiB resident at its peak, " +
                                                figure(result.forecast_mb) + " foretold"}));
    work.console.line(table.line({"threads", std::to_string(result.threads)}));
    work.console.line(table.line({"dtype", result.dtype}));
    for (const auto& [name, value] : result.extra) {
        work.console.line(table.line({name, figure(value)}));
    }
}

}  // namespace

void add_bench(CLI::App& app, Invocation& invocation) {
    const auto options = std::make_shared<BenchOptions>();
    CLI::App* command = add_command(app, invocation, "bench", "Measure speed and memory",
                                    [options](Work& work) { run_bench(*options, work); });
    command->add_option("WHAT", options->what, "What to measure: " + bench_names())
        ->required()
        ->option_text(" ");
    add_model(*command, options->model);
    BenchConfig& config = options->config;
    add_number(*command, "--repeats", config.repeats, 1, 1000, "Measured steps, after one that warms up");
    add_number(*command, "--candidates", config.candidates, 1, 256,
               "Replies of sample and of steps on samples, which need 2");
    add_number(*command, "--max-new-tokens", config.max_new_tokens, 1, 4096, "Tokens of such a reply");
    add_number(*command, "--prompt-tokens", config.prompt_tokens, 1, 65536, "Tokens of the prompt to them");
    add_number(*command, "--pairs", config.pairs, 1, 256,
               "Pairs of a step on pairs; sft and kto take twice as many replies");
    add_number(*command, "--pair-tokens", config.pair_tokens, 2, 65536,
               "Tokens of each reply of a pair, with its prompt");
    add_number(*command, "--lora-rank", config.lora_rank, 1, 256, "Rank of the adapters that are trained");
    add_seed(*command, options->seed, RandomNumbers::none);
    add_engine_options(*command, options->engine);
    add_output_options(*command, invocation);
    std::string footer = "WHAT:\n";
    TextTable table({{"", Align::left, 12}, {"", Align::left}});
    for (const NamedBench& bench : benches) {
        footer += table.line({std::string("  ") + bench.name, bench.summary}) + "\n";
    }
    command->footer(footer);
}

}  // namespace plumbline::cli
