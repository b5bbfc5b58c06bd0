#pragma once
// One-shot work without a session: what the command line offers besides the live loop. Every function runs
// on the caller's thread, reports through Progress, ends early with Stopped, and throws Error.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/api/stage_configs.h"
#include "core/api/engine.h"
#include "core/api/events.h"

namespace plumbline {

struct Job {
    std::stop_token stop;
    std::function<void(double fraction, const std::string& what)> progress;  // may be empty
};

/// Reads the header only.
ModelInfo inspect_model(const std::string& model, const std::string& dtype);

struct Message { std::string role, content; };
/// A prompt and its response, as text, as messages, or as ids; text parts are tokenized apart and joined.
struct ScoreRequest {
    std::variant<std::string, std::vector<Message>, std::vector<int>> prompt;
    std::variant<std::string, std::vector<int>> response;
};
/// Reads JSON lines of the contract; throws Error with the line number.
std::vector<ScoreRequest> read_score_requests(const std::filesystem::path& file);

struct TokenizeResult { std::vector<int> ids; std::string text; };
std::vector<TokenizeResult> tokenize(const std::string& model, const std::vector<std::string>& texts);
/// The "text" of each JSON line; throws Error with the line number.
std::vector<std::string> read_texts(const std::filesystem::path& file);

struct LogprobsResult { std::vector<int> ids; std::vector<double> logprobs; double sum = 0; };
/// Log-probabilities of the response tokens (temperature 1), nats. `adapter`: PEFT folder or empty.
std::vector<LogprobsResult> logprobs(const std::string& model, const std::string& adapter,
                                     const std::vector<ScoreRequest>& requests, const EngineOptions& options,
                                     const Job& job);

struct GenerateRequest {
    std::string prompt;
    bool chat = false;
    std::string system_prompt;    // with chat; empty: the template's own default
    int n = 1;
    std::uint64_t seed = 0;
    SamplingConfig sampling;      // candidates is not used
};
struct GenerateResult {
    int sample = 0;
    std::string text;
    std::vector<int> ids;
    std::vector<double> logprobs;  // at the sampling temperature, before truncation; nats
    Finish finish{};
};
/// `on_text(sample, part)` streams whole UTF-8 characters as they come; may be empty.
std::vector<GenerateResult> generate(const std::string& model, const std::string& adapter,
                                     const GenerateRequest& request, const EngineOptions& options, const Job& job,
                                     const std::function<void(int, const std::string&)>& on_text);

struct RewardResult { double reward = 0; std::vector<double> token_rewards; };
/// token_rewards: the head's value at each response token (the reward of that prefix).
std::vector<RewardResult> rewards(const std::string& model, const std::string& adapter,
                                  const std::vector<ScoreRequest>& requests, const EngineOptions& options,
                                  const Job& job);

/// One training step's metrics by name, `step` apart.
struct StepMetrics { int step = 0; std::map<std::string, double> values; };
struct TrainRequest {
    std::string model;
    std::filesystem::path data;          // JSONL: prompt, chosen, rejected; rloo: prompt
    std::filesystem::path init_adapter;  // PEFT folder or empty
    std::filesystem::path reward_adapter;  // rloo: the reward model's PEFT folder
    std::filesystem::path out;           // PEFT folder to write
    std::variant<RewardConfig, DpoConfig, RlooConfig> config;
};
struct TrainResult { int steps = 0; std::map<std::string, double> last; std::vector<std::string> skipped; };
TrainResult train(const TrainRequest& request, const EngineOptions& options, const Job& job,
                  const std::function<void(const StepMetrics&)>& on_step);

struct Share { double share = 0, low = 0, high = 0; int n = 0; };  // Wilson interval, 95%
Share wilson(int hits, int n);
struct SimulateRequest {
    std::string model, judge;
    JudgeOptions judge_options;
    int clicks = 20;
    std::vector<std::string> prompts;          // empty: bundled
    std::vector<std::string> heldout;          // empty: bundled
    int heldout_samples = 6;                   // a prompt
    std::filesystem::path project;             // empty: a temporary one
    SessionConfig config;
};
struct SimulatedClick {
    int click = 0;
    double seconds = 0;
    std::optional<double> reward_loss, reward_accuracy, kl;
};
struct SimulateResult {
    Share before, after;
    double kl = 0;                                  // on the held-out replies, nats a reply
    std::vector<EvaluatedReply> replies_before, replies_after;
    int ties = 0;
};
/// The window's own loop with a judge that clicks. `on_event` sees every event (may be empty).
SimulateResult simulate(const SimulateRequest& request, const EngineOptions& options, const Job& job,
                        const std::function<void(const SimulatedClick&)>& on_click,
                        const std::function<void(const Event&)>& on_event);

/// Runs the project's event log again and compares the weights' hashes.
ReplayChecked replay_check(const std::filesystem::path& project, const EngineOptions& options, const Job& job);

struct CheckResult { bool ok = false; std::vector<std::string> problems; };
CheckResult check_project(const std::filesystem::path& project);

enum class BenchWhat { sample, logprobs, reward, dpo, rloo, click };
struct BenchResult {
    double tokens_per_s = 0;
    double step_median = 0, step_min = 0, step_max = 0;   // seconds
    double rss_mb = 0;
    int threads = 0;
    std::string dtype;
    std::map<std::string, double> extra;                  // click: label_ms, next_pair_ms
};
BenchResult bench(BenchWhat what, const std::string& model, int repeats, int candidates, int max_new_tokens,
                  const EngineOptions& options, const Job& job);

}  // namespace plumbline
