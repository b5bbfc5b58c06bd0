#pragma once
// What a window or script asks of the engine: plain values, carried out in order on the engine's thread.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/api/configs.h"
#include "core/api/judge.h"

namespace plumbline {

/// A new project file for a model. The file must not exist.
struct NewSession {
    std::string project_path;   // empty: a dated name in the data folder's sessions/
    std::string model;          // catalogue name, file or folder
    SessionConfig config;
    std::vector<std::string> prompts;   // empty: the bundled ones
};
struct OpenSession {
    std::string project_path;
    std::string model_path;     // not empty: where the model is now (same SHA-256), if it moved
};
struct CloseSession {};
struct SaveCopy { std::string path; };

struct AddPrompts { std::vector<std::string> prompts; bool go_to_first = false; };
struct RemovePrompt { std::int64_t prompt_id = 0; };
struct GoToPrompt { std::int64_t prompt_id = 0; };   // draws a pair for it
struct SampleAgain {};                               // another pair for the current prompt

/// Every good row of a preference file becomes a label; answered by AnswersImported. As a job it can be stopped: then
/// there is none.
struct ImportPreferences { std::string path; };

/// Preferences as TRL has them or as dialogues of the HH-RLHF set, JSON lines; all answers, or all metrics, as CSV; a
/// folder with a TRL script and its data.
enum class DataFormat { trl, hh, csv, metrics, script };
/// Written beside its place and renamed; answered by DataExported.
struct ExportData { DataFormat format{}; std::string path; };

/// An adapter as PEFT reads it, or the adapter worked into a whole model: a folder for the transformers library, or a
/// file for llama.cpp.
enum class ModelFormat { peft, safetensors, gguf };
/// The policy as it is now, whole or not at all; answered by ModelExported. `type` is one of weight_types(), empty: the
/// usual one. As a job it can be stopped; votes are recorded meanwhile.
struct ExportModel { ModelFormat format{}; std::string type; std::string path; };

/// The person's answer to what is on the screen. Refused with CommandFailed when pair_id is not shown or the answer does
/// not fit it.
struct Vote { std::int64_t pair_id = 0; Verdict verdict; };
struct Undo {};                                      // of the last label that stands
struct ChangeConfig { SessionConfig config; };
struct PauseTraining { bool paused = false; };       // labels are kept and trained on resume
/// Replies to each prompt with the policy as it is; random numbers depend on seed, prompt and sample only,
/// so two evaluations with one seed differ by the policy alone.
struct Evaluate { std::string tag; std::vector<std::string> prompts; int samples = 5; std::uint64_t seed = 0; };
struct WaitIdle { std::uint64_t ticket = 0; };       // answered by Idle when all before it is done

using Command = std::variant<NewSession, OpenSession, CloseSession, SaveCopy, AddPrompts, RemovePrompt, GoToPrompt,
                             SampleAgain, Vote, Undo, ChangeConfig, PauseTraining, Evaluate, WaitIdle, ImportPreferences,
                             ExportData, ExportModel>;

}  // namespace plumbline
