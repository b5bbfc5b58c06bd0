#pragma once
// What the engine tells: ordered and lossless. Plain immutable values; safe to copy between threads.
// Events that belong to a session carry its `run` number; a receiver drops events of an older run.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/api/configs.h"
#include "core/api/judge.h"

namespace plumbline {

enum class Finish { eos, length, stop };

/// Rows of a preference file that became labels, and those that did not.
struct ImportResult {
    static constexpr std::size_t most_reasons = 1000;
    std::int64_t rows = 0, skipped = 0;
    std::vector<std::string> reasons{};   // "line 7: rejected is missing", of the first that were skipped
};
/// Rows of an exported file.
struct ExportDataResult {
    std::int64_t rows = 0;
    std::vector<std::string> skipped{};   // "label 7: …": what the format cannot say
};

struct ExportModelResult {
    std::string type;                // of the weights, "f16"; empty for PEFT
    std::int64_t tensors = 0;
    std::uint64_t bytes = 0;
    std::vector<std::string> notes{};   // what could not be as asked for, in words
};

/// One reply. `reward` is the reward model's score at the time of scoring, with its standard deviation;
/// absent before the first label.
struct Candidate {
    std::int64_t id = 0;             // row in the project file
    int sample = 0;                  // index among the drawn candidates
    std::string text;
    int tokens = 0;
    Finish finish = Finish::eos;
    double logprob = 0;              // policy, summed over tokens, nats
    double reference_logprob = 0;    // reference, summed over tokens, nats
    std::optional<double> reward;
    std::optional<double> reward_sd;
};

/// Replies to one prompt, as they stand on the screen: left is A, right is B.
struct Pair {
    std::int64_t id = 0;
    std::int64_t prompt_id = 0;
    std::string prompt;
    Candidate left, right;
    std::vector<Candidate> more;     // C, D … where more than two are shown
    int drawn = 0;                   // candidates drawn for it
    int policy_version = 0;          // policy steps when it was written
    PairChoice chosen_by = PairChoice::farthest;
};

/// One point of a curve. Names are those of the metrics list (loss/policy, objective/kl …); reward/loss and
/// reward/accuracy are held-out: of the pairs in the last 20 preferences and rankings, each judged before it was
/// learned.
struct MetricPoint {
    std::string name;
    std::int64_t label_id = 0;       // the click it belongs to; an undo of that label removes it
    double x = 0;                    // labels for reward/*, policy steps for the rest
    double value = 0;
};

/// One row of the session's history.
struct HistoryRow {
    std::int64_t label_id = 0;
    std::string text;                // "A over B", "Tie", "Skipped", "Both bad", "B, A over the rest"
    int policy_step = 0;
    bool undone = false;
    Choice choice = Choice::skip;
    double unix_time = 0;            // seconds; 0: not known
    std::string prompt{}, left{}, right{};   // the pair as it stood on the screen
};

struct ModelInfo {
    std::string name, path, sha256;
    std::string architecture;        // "llama"
    std::int64_t parameters = 0;
    int layers = 0, hidden = 0, heads = 0, kv_heads = 0, vocab = 0, context = 0;
    std::string dtype;               // "f32", "bf16": of the arithmetic
    std::string file_dtype;          // "Q4_1": the most frequent type in the file
    std::string chat_template;       // "chatml", "llama-3" …; "none": plain text
    std::string chat_template_note;  // not empty: what a person should know of it
    std::int64_t memory_bytes = 0;   // resident need, estimated
};

struct PromptRow {
    std::int64_t id = 0;
    std::string text;
};

// Session
struct SessionOpened {
    std::string project_path;
    ModelInfo model;
    SessionConfig config;
    std::vector<PromptRow> prompts;
    std::int64_t current_prompt = 0;
    std::vector<HistoryRow> history;         // oldest first; without imported answers
    std::vector<MetricPoint> metrics;        // of all labels that stand
    int labels = 0, policy_steps = 0;
    int imported = 0;                        // of the labels: from files
    bool resumed = false;
};
struct SessionClosed {};
struct PromptsChanged { std::vector<PromptRow> prompts; std::int64_t current_prompt = 0; };
struct ConfigChanged { SessionConfig config; };

// Sampling for the screen (not for pairs drawn ahead)
struct SamplingStarted { std::int64_t prompt_id = 0; std::string prompt; int candidates = 0; int max_new_tokens = 0; };
struct TokensStreamed { int sample = 0; std::string text; int tokens = 0; bool ended = false; };  // text: new part
struct PairReady { Pair pair; };             // on screen from now on; ends any streaming
struct SamplingStopped {};                   // by the user: no pair on screen

// A click's life
struct LabelRecorded { std::int64_t label_id = 0; std::int64_t pair_id = 0; Choice choice{}; HistoryRow row; };
struct RewardFitted {
    std::int64_t label_id = 0;
    int labels = 0;                          // in the fit
    double loss_before = 0, loss_after = 0;  // mean -log likelihood of the labels, nats a label
    std::optional<double> heldout_accuracy;  // each pair predicted before it was learned; absent under 5
    /// Of the person's choice; of a ranking, the mean over the pairs that it implies.
    std::optional<double> probability_before, probability_after;
    double left_reward = 0, right_reward = 0;  // before the fit: what the model thought
};
struct PolicyStepped {
    std::int64_t label_id = 0;
    int step = 0;
    Algorithm algorithm{};
    double loss = 0;
    double lr = 0;                           // after schedule and KL brake
    std::string note;                        // "slowed: KL 3.1 of 4.0", empty if nothing to say
};
struct ClickDone { std::int64_t label_id = 0; int policy_steps = 0; double seconds = 0; };
struct Undone { std::int64_t label_id = 0; HistoryRow row; int policy_steps = 0; int labels = 0; };
struct MetricsAdded { std::vector<MetricPoint> points; };

/// Rows of a preference file are labels now; they are learned when nothing else is to be done.
struct AnswersImported { std::string path; ImportResult result; int labels = 0, imported = 0; };
/// Of the last lesson: they stay in the history, and no model learns them.
struct AnswersPassedOver { int answers = 0; std::string why; };   // "longer than 2048 tokens"
/// A file with what the session holds is written.
struct DataExported { std::string path; ExportDataResult result; };

/// The policy is written.
struct ModelExported { std::string path; ExportModelResult result; };

// Evaluation on given prompts with the policy as it is
struct EvaluatedReply { int prompt = 0; JudgedReply reply; double logprob = 0, reference_logprob = 0; };
struct Evaluated { std::string tag; std::vector<EvaluatedReply> replies; double kl = 0; };

// Jobs and errors
enum class JobEnd { done, stopped, failed };
struct JobStarted { std::string job; bool stoppable = true; };   // "Loading SmolLM2 135M Instruct"
struct JobProgress { std::string job; double fraction = 0; };    // 0..1
struct JobEnded { std::string job; JobEnd end{}; std::string message; };
/// A command could not be carried out. The session, if any, is as it was. `command` names it in words.
struct CommandFailed { std::string command; std::string message; };
/// Training hit a non-finite value; the last good weights are back.
struct TrainingHalted { std::int64_t label_id = 0; std::string message; };
struct ReplayChecked { bool equal = false; int events = 0; std::string first_difference; };
/// All commands posted so far are carried out and nothing runs; answers WaitIdle.
struct Idle { std::uint64_t ticket = 0; };

using EventBody = std::variant<SessionOpened, SessionClosed, PromptsChanged, ConfigChanged, SamplingStarted,
                               TokensStreamed, PairReady, SamplingStopped, LabelRecorded, RewardFitted,
                               PolicyStepped, ClickDone, Undone, MetricsAdded, Evaluated, JobStarted,
                               JobProgress, JobEnded, CommandFailed, TrainingHalted, ReplayChecked, Idle, AnswersImported,
                               AnswersPassedOver, DataExported, ModelExported>;

struct Event {
    std::uint64_t run = 0;   // counts opened sessions; 0 before the first
    EventBody body;
};

}  // namespace plumbline
