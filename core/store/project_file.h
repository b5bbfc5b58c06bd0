#pragma once
// NAME.plumb: one SQLite database a session. migrations.cpp holds the tables.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/events.h"
#include "core/api/offline.h"

namespace plumbline {

class Database;
class FileLock;
struct Answer;

struct StoredCandidate {
    std::int64_t id = 0, prompt_id = 0, generation_id = 0;
    int sample = 0;
    std::vector<int> ids;  // reply tokens
    std::string text;
    std::vector<float> logprobs;               // policy, at sampling temperature
    std::vector<float> reference_logprobs;     // reference, at sampling temperature
    std::vector<float> reference_logprobs_t1;  // reference, at temperature 1
    std::vector<float> features;               // mean-pooled middle-block activation
    Finish finish{};
};

/// A drawn group and the pair chosen from it, or replies from a file that somebody has judged.
struct StoredGeneration {
    std::int64_t id = 0, prompt_id = 0;
    std::uint64_t stream = 0;  // random stream that drew it
    int policy_version = 0;
    double temperature = 1;
    std::string system_prompt;         // that the replies were written under
    std::int64_t left = 0, right = 0;  // candidate ids on screen
    std::vector<std::int64_t> more;    // those beside them

    std::vector<std::int64_t> shown() const {  // from left to right
        if (left == right) return {left};      // a single reply, from a file
        std::vector<std::int64_t> out{left, right};
        out.insert(out.end(), more.begin(), more.end());
        return out;
    }
    PairChoice chosen_by{};
    std::vector<Message> earlier;   // between the system prompt and the prompt
    bool imported = false;          // from a file: no tokens until it is learned
    std::vector<StoredCandidate> candidates;
};
inline bool is_complete(const StoredGeneration& generation) {
    return std::none_of(generation.candidates.begin(), generation.candidates.end(),
                        [](const StoredCandidate& candidate) { return candidate.ids.empty(); });
}

struct StoredLabel {
    std::int64_t id = 0;
    std::int64_t generation_id = 0;  // what was on the screen
    Verdict verdict;
    double unix_time = 0;
    std::string judge = "person";
    std::int64_t undoes = 0;  // not 0: this row takes that label back
};

/// A completed transition of the session's state, in the order in which it happened.
struct StoredEvent {
    std::int64_t seq = 0;
    std::string kind;          // "sampled", "label", "reward", "policy", "undo", "config" …
    std::string payload;       // JSON
    std::string weights_hash;  // of the state after it; empty: unchanged
};

struct StoredCheckpoint {
    std::int64_t id = 0;            // 0 on entry, unless stage() gave it one
    std::int64_t event_seq = 0;     // state after this event
    std::int64_t before_label = 0;  // not 0: the state that an undo of this label restores
    std::string name;               // "latest", "before label 12"
    int policy_steps = 0;
    std::vector<std::byte> state;  // adapters, optimiser, random state
    std::string hash;              // SHA-256 of state; empty on entry: the store computes it
};

/// The open project. Owned and used by one thread. Every write is a transaction of its own unless a
/// Transaction of the same file is alive. Errors are Error "<operation>: <file>: …" (full disk, read-only,
/// damaged) and leave the file as it was.
class ProjectFile {
  public:
    /// Throws if the file exists or its folder is not writable. `fill` writes the first rows. Failed or
    /// killed halfway, it leaves no project file.
    static std::unique_ptr<ProjectFile> create(const std::filesystem::path& path, const ModelInfo& model,
                                               const SessionConfig& config,
                                               const std::function<void(ProjectFile&)>& fill = {});
    /// Locks the project for this process; migrates an older version in one transaction each. Throws for a
    /// newer version, a file that is not a project, a read-only place, and a project that is open elsewhere.
    static std::unique_ptr<ProjectFile> open(const std::filesystem::path& path);
    ~ProjectFile();
    ProjectFile(const ProjectFile&) = delete;
    ProjectFile& operator=(const ProjectFile&) = delete;

    const std::filesystem::path& path() const { return path_; }
    ModelInfo model() const;
    void set_model_path(const std::string& path);
    SessionConfig config() const;
    void set_config(const SessionConfig& config);
    std::optional<std::string> setting(const std::string& key) const;  // small session state, as text
    void set_setting(const std::string& key, const std::string& value);

    std::int64_t add_prompt(const std::string& text);
    void remove_prompt(std::int64_t id);         // hidden, never deleted: labels refer to it
    std::vector<PromptRow> prompts() const;      // those that are not removed, oldest first
    std::vector<PromptRow> all_prompts() const;  // removed and imported ones too: labels refer to them

    /// Fills in the ids of the generation and its candidates; left, right and more are sample numbers on
    /// entry and candidate ids afterwards.
    void add_generation(StoredGeneration& generation);
    StoredGeneration generation(std::int64_t id) const;
    std::vector<StoredGeneration> generations(std::int64_t after = 0) const;  // oldest first, discarded ones too
    std::vector<StoredGeneration> unlabelled_generations() const;  // no label that stands, not discarded
    void discard_generation(std::int64_t id);
    /// What a session has found out of the replies of an imported one: tokens, log-probabilities, features.
    void complete_generation(const StoredGeneration& generation);

    /// Returns the row's id. Refused: an undo of a label that does not stand.
    std::int64_t add_label(const StoredLabel& label);
    std::vector<StoredLabel> labels(std::int64_t after = 0) const;  // all rows, oldest first

    /// Returns its seq: 1 for the first, one more for each.
    std::int64_t add_event(const StoredEvent& event);
    std::vector<StoredEvent> events() const;
    std::int64_t last_event() const;  // 0: none

    void add_metrics(const std::vector<MetricPoint>& points);
    std::vector<MetricPoint> metrics() const;  // of labels that stand

    /// Writes the state ahead of its checkpoint, in parts that reach the disk one by one; `between` is called
    /// after each and may write to this file too, so that nobody waits for more than a part. Fills in id and
    /// hash. The state is nobody's until advance() or another of the next three is given the checkpoint. Not
    /// while a Transaction is alive.
    void stage(StoredCheckpoint& checkpoint, const std::function<void()>& between);
    /// Removes the states that no checkpoint has, in the same way.
    void remove_unused_states(const std::function<void()>& between);
    /// Writes "latest" in place of the former one. An undo state is kept for the last `kept` labels.
    void save_latest(const StoredCheckpoint& checkpoint);
    void save_undo(const StoredCheckpoint& checkpoint, int kept);
    /// The former latest becomes the undo state of `label`, and `checkpoint` the latest. In one transaction.
    void advance(const StoredCheckpoint& checkpoint, std::int64_t label, int kept);
    /// The undo state of `label` becomes the latest again; nullopt: it is not kept.
    std::optional<StoredCheckpoint> go_back(std::int64_t label);
    std::optional<StoredCheckpoint> latest() const;  // throws Error when its hash is wrong
    std::optional<StoredCheckpoint> undo_state(std::int64_t label) const;  // the same

    /// Written beside its place and renamed; a project there is replaced unless it is open. Not while a
    /// Transaction is alive.
    void save_copy(const std::filesystem::path& path) const;

    /// Commits on commit(), rolls back on destruction otherwise. Transactions nest.
    class Transaction {
      public:
        explicit Transaction(ProjectFile& file);
        ~Transaction();
        Transaction(const Transaction&) = delete;
        Transaction& operator=(const Transaction&) = delete;
        void commit();

      private:
        class Impl;
        std::unique_ptr<Impl> impl_;
    };

  private:
    friend class AnswerImport;
    friend void for_each_answer(const ProjectFile& file, std::int64_t after, std::int64_t last,
                                const std::function<void(std::int64_t, const Answer&, double)>& visit);
    ProjectFile(std::filesystem::path path, std::unique_ptr<FileLock> lock, std::unique_ptr<Database> db);

    std::filesystem::path path_;
    std::unique_ptr<FileLock> lock_;  // outlives the database
    std::unique_ptr<Database> db_;
};

/// Integrity of a project file without writing to it: SQLite's own check, foreign keys, hashes, references.
/// Empty: sound. Throws Error when there is no such file or it cannot be read.
std::vector<std::string> find_problems(const std::filesystem::path& path);

}  // namespace plumbline
