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

#include "core/api/bench_config.h"
#include "core/api/pretrain_config.h"
#include "core/api/stage_configs.h"
#include "core/api/engine.h"
#include "core/api/events.h"

namespace plumbline {

struct Job {
    std::stop_token stop;
    std::function<void(double fraction, const std::string& what)> progress;  // may be empty
};

/// Reads the header only. `chat_template`: Jinja text in place of the model's; empty: the model's.
ModelInfo inspect_model(const std::string& model, const std::string& dtype, const std::string& chat_template = {});

struct Message { std::string role, content; };
/// A prompt and its response, as text, as messages, or as ids; text parts are tokenized apart and joined.
struct ScoreRequest {
    std::variant<std::string, std::vector<Message>, std::vector<int>> prompt;
    std::variant<std::string, std::vector<int>> response;
    int line = 0;          // of a file
    std::string fault{};   // why it is none; empty: it is one
};
/// Reads JSON lines of the contract, the bad ones as requests with a fault; throws Error when there are no lines.
std::vector<ScoreRequest> read_score_requests(const std::filesystem::path& file);

struct TokenizeResult { std::vector<int> ids; std::string text; };
std::vector<TokenizeResult> tokenize(const std::string& model, const std::vector<std::string>& texts);
/// The "text" of each JSON line; throws Error with the line number.
std::vector<std::string> read_texts(const std::filesystem::path& file);

/// Prompts of a file, also packed with gzip: JSON lines or CSV with a text "prompt", or plain text, one a line. Blank
/// lines are left out. Throws Error with the line number for the first bad row, and for a file without prompts.
std::vector<std::string> read_prompt_texts(const std::filesystem::path& file);

struct LogprobsResult {
    std::vector<int> ids;
    std::vector<double> logprobs;
    double sum = 0;
    std::string fault{};   // why the request could not be scored; empty: it was
};
/// Log-probabilities of the response tokens (temperature 1), nats, a result a request. `adapter`: PEFT folder or empty.
/// Requests that the model's template, vocabulary or context refuses have a fault; throws Error when all do.
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

struct RewardResult {
    double reward = 0;
    std::vector<double> token_rewards;
    std::string fault{};   // as for log-probabilities
};
/// token_rewards: the head's value at each response token (the reward of that prefix). Faults as for log-probabilities.
std::vector<RewardResult> rewards(const std::string& model, const std::string& adapter,
                                  const std::vector<ScoreRequest>& requests, const EngineOptions& options,
                                  const Job& job);

/// One training step's metrics by name, `step` apart.
struct StepMetrics { int step = 0; std::map<std::string, double> values; };
struct TrainRequest {
    std::string model;
    std::filesystem::path data;            // JSON lines: demonstrations, pairs, labelled replies or prompts
    std::filesystem::path init_adapter;    // PEFT folder or empty
    std::filesystem::path reward_adapter;  // stages of samples: the reward model's PEFT folder, or empty
    std::string reward;                    // the same: a sum of rules as parse_reward_mix reads it; empty: the model's
    std::filesystem::path out;             // PEFT folder to write, or a .gguf file: then every weight trains
    StageConfig config;
    int checkpoint_every = 0;              // steps between saved states; 0: one when it is stopped or fails
    bool resume = false;                   // go on from the state saved with `out`
};
/// A setting that a resumed training has otherwise than the stopped one.
struct ChangedSetting { std::string key, before, now; };
struct TrainResult {
    int steps = 0;                         // of the weights that were written
    std::map<std::string, double> last;    // metrics of the last step
    std::vector<std::string> skipped;      // rows of the data
    std::vector<std::string> notes;        // what others will make of the file, in words
    int resumed_from = 0;                  // steps done before
    std::vector<ChangedSetting> changed;
    std::string ended_by;                  // what a guard saw, in words; empty: it ran to its end
};
/// What was asked for when a training was stopped.
struct SavedTraining {
    std::string stage;
    int steps = 0;                                 // done
    std::map<std::string, std::string> settings;   // of the stage's struct
    std::string data, init_adapter, reward_adapter, reward;
    std::string chat_template;                     // Jinja text; empty: the model's own
};
/// The files that hold the state of a training that writes `out`: for a folder in it, for a file beside it. `.json` is
/// for people, `.safetensors` has all.
std::filesystem::path training_state_file(const std::filesystem::path& out, const std::string& ending);
/// Throws Error when there is none or it is damaged.
SavedTraining read_saved_training(const std::filesystem::path& out);
/// Stopped saves a state that `resume` goes on from, to the same weights as without the stop. A loss or gradient that is
/// not finite writes the weights of the step before and throws Error; a KL over its limit does so and returns.
TrainResult train(const TrainRequest& request, const EngineOptions& options, const Job& job,
                  const std::function<void(const StepMetrics&)>& on_step);

struct PretrainRequest {
    std::filesystem::path data;    // JSON lines, also .gz: {"prompt", "response"} or {"text"}
    std::filesystem::path out;     // GGUF file to write, weights as bf16
    std::string name;              // of the model, in the file; empty: that of `out`
    PretrainConfig config;
};
struct PretrainResult {
    int steps = 0;
    std::int64_t parameters = 0;
    int vocabulary = 0;
    std::map<std::string, double> last;      // the last step's metrics
    std::map<std::string, double> heldout;   // heldout/loss nats a token, heldout/reply nats a reply (dialogues)
    std::vector<std::string> skipped;
};
/// Trains a tokenizer and a new model on the texts, from `config.seed`; there is no model to start from. Metrics of a
/// step: loss/next_token (nats a token), grad_norm, lr.
PretrainResult pretrain(const PretrainRequest& request, const EngineOptions& options, const Job& job,
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
    double nll_before = 0, nll_after = 0;           // of the held-out replies under the reference, nats a token
    std::vector<EvaluatedReply> replies_before, replies_after;
    int ties = 0;
    int clicks = 0;                                 // fewer than wanted: the last 50 pairs were ties
};
/// The window's own loop with a judge that clicks. `on_event` sees every event (may be empty).
SimulateResult simulate(const SimulateRequest& request, const EngineOptions& options, const Job& job,
                        const std::function<void(const SimulatedClick&)>& on_click,
                        const std::function<void(const Event&)>& on_event);

/// Runs the project's event log again and compares the weights' hashes.
ReplayChecked replay_check(const std::filesystem::path& project, const EngineOptions& options, const Job& job);

/// All of the file's good rows, or on Stopped and Error none. The project must not be open; what the rows teach is learned
/// when a session opens it.
ImportResult import_preferences(const std::filesystem::path& project, const std::filesystem::path& file, const Job& job);

/// A new project of the usual settings and bundled prompts. The file must not exist.
void create_project(const std::filesystem::path& project, const std::string& model, const EngineOptions& options,
                    const Job& job);

struct ExportDataRequest {
    std::filesystem::path project;   // not open elsewhere
    DataFormat format{};
    std::filesystem::path out;
};
/// Whole or not at all. Labels that were taken back are no part of it.
ExportDataResult export_data(const ExportDataRequest& request, const Job& job);

struct CheckResult { bool ok = false; std::vector<std::string> problems; };
CheckResult check_project(const std::filesystem::path& project);

/// Throws ConfigError for what validate() refuses, and Error for what exceeds the model's context or the memory.
BenchResult bench(BenchWhat what, const std::string& model, const BenchConfig& config, const EngineOptions& options,
                  const Job& job);

}  // namespace plumbline
