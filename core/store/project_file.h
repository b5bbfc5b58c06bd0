#pragma once
// NAME.plumb: one SQLite database a session. See schema.h for the tables.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/events.h"

struct sqlite3;

namespace plumbline {

struct StoredCandidate {
    std::int64_t id = 0, prompt_id = 0, generation_id = 0;
    int sample = 0;
    std::vector<int> ids;                       // reply tokens
    std::string text;
    std::vector<float> logprobs;                // policy, at sampling temperature
    std::vector<float> reference_logprobs;      // reference, at sampling temperature
    std::vector<float> reference_logprobs_t1;   // reference, at temperature 1
    std::vector<float> features;                // mean-pooled middle-block activation
    Finish finish{};
};

/// A drawn group and the pair chosen from it.
struct StoredGeneration {
    std::int64_t id = 0, prompt_id = 0;
    std::uint64_t stream = 0;                   // random stream that drew it
    int policy_version = 0;
    double temperature = 1;
    std::int64_t left = 0, right = 0;           // candidate ids on screen
    PairChoice chosen_by{};
    std::vector<StoredCandidate> candidates;
};

struct StoredLabel {
    std::int64_t id = 0;
    std::int64_t generation_id = 0;             // the pair: its left and right
    Choice choice{};
    double unix_time = 0;
    std::string judge = "person";
    std::int64_t undoes = 0;                    // not 0: this row takes that label back
};

/// A completed transition of the session's state, in the order in which it happened.
struct StoredEvent {
    std::int64_t seq = 0;
    std::string kind;                           // "sampled", "label", "reward", "policy", "undo", "config" …
    std::string payload;                        // JSON
    std::string weights_hash;                   // of the state after it; empty: unchanged
};

struct StoredCheckpoint {
    std::int64_t id = 0;
    std::int64_t event_seq = 0;                 // state after this event
    std::int64_t before_label = 0;              // not 0: the state that an undo of this label restores
    std::string name;                           // "latest", "before label 12"
    int policy_steps = 0;
    std::vector<std::byte> state;               // adapters, optimiser, random state
    std::string hash;                           // SHA-256 of state
};

/// The open project. Owned and used by one thread. Every write is a transaction of its own unless inside
/// `transaction()`. Errors are Error "<operation>: <file>: …" (full disk, read-only, damaged) and leave the
/// file as it was.
class ProjectFile {
  public:
    /// Throws if the file exists or its folder is not writable.
    static std::unique_ptr<ProjectFile> create(const std::filesystem::path& path, const ModelInfo& model,
                                               const SessionConfig& config);
    /// Locks the project for this process; migrates an older version in one transaction each. Throws for a newer
    /// version, a file that is not a project, a read-only place, and a project that is open elsewhere.
    static std::unique_ptr<ProjectFile> open(const std::filesystem::path& path);
    ~ProjectFile();

    const std::filesystem::path& path() const { return path_; }
    ModelInfo model() const;
    void set_model_path(const std::string& path);
    SessionConfig config() const;
    void set_config(const SessionConfig& config);
    std::optional<std::string> setting(const std::string& key) const;   // small session state, as text
    void set_setting(const std::string& key, const std::string& value);

    std::int64_t add_prompt(const std::string& text);
    void remove_prompt(std::int64_t id);          // hidden, never deleted: labels refer to it
    std::vector<PromptRow> prompts() const;

    /// Fills in the ids of the generation and its candidates; left and right are sample indexes on entry and
    /// candidate ids afterwards.
    void add_generation(StoredGeneration& generation);
    StoredGeneration generation(std::int64_t id) const;
    std::vector<StoredGeneration> unlabelled_generations() const;   // sampled, neither voted nor discarded
    void discard_generation(std::int64_t id);

    std::int64_t add_label(const StoredLabel& label);
    std::vector<StoredLabel> labels() const;      // all rows, oldest first

    std::int64_t add_event(const StoredEvent& event);
    std::vector<StoredEvent> events() const;
    std::int64_t last_event() const;

    void add_metrics(const std::vector<MetricPoint>& points);
    std::vector<MetricPoint> metrics() const;     // of labels that stand

    /// Writes "latest" in place of the former one. An undo state is kept for the last `kept` labels.
    void save_latest(const StoredCheckpoint& checkpoint);
    void save_undo(const StoredCheckpoint& checkpoint, int kept);
    std::optional<StoredCheckpoint> latest() const;   // throws Error when its hash is wrong
    std::optional<StoredCheckpoint> undo_state(std::int64_t label) const;

    void save_copy(const std::filesystem::path& path) const;   // written beside its place and renamed

    /// Commits on commit(), rolls back on destruction otherwise.
    class Transaction {
      public:
        explicit Transaction(ProjectFile& file);
        ~Transaction();
        void commit();

      private:
        ProjectFile& file_;
        bool done_ = false;
    };

  private:
    ProjectFile(std::filesystem::path path, sqlite3* db);
    std::filesystem::path path_;
    sqlite3* db_ = nullptr;
    int lock_fd_ = -1;
};

/// Integrity of a project file without opening it for writing: SQLite's own check, foreign keys, hashes,
/// references. Empty: sound.
std::vector<std::string> find_problems(const std::filesystem::path& path);

}  // namespace plumbline
