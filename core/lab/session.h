#pragma once
// An open project and its transitions: draw a pair, record a label, learn from it, take it back. Each completed
// transition is a row of the event log, and the same rows in the same order lead to the same weights.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/api/commands.h"
#include "core/api/events.h"
#include "core/judges/reward_rules.h"
#include "core/lab/learner.h"
#include "core/store/project_file.h"
#include "core/text/reply_streams.h"
#include "core/training/collapse.h"
#include "core/training/policy.h"

namespace plumbline {

/// The policy's replies have degenerated; what was measured and what to do, in words.
class Collapsed : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Owned and used by one thread. Long calls take a Pulse; on Stopped and NonFinite the state is what it was before.
class Session {
  public:
    using Emit = std::function<void(EventBody)>;

    /// The model must be open already: opening one takes seconds and is the caller's to show.
    static std::unique_ptr<Session> create(const NewSession& command, std::shared_ptr<const LanguageModel> model,
                                           const std::filesystem::path& path, Emit emit);
    static std::unique_ptr<Session> open(std::unique_ptr<ProjectFile> file, std::shared_ptr<const LanguageModel> model,
                                         Emit emit);

    const ProjectFile& file() const { return *file_; }
    const SessionConfig& config() const { return config_; }
    const LanguageModel& model() const { return *model_; }
    void announce(bool resumed) const;   // SessionOpened
    void save_copy(const std::string& path) const { file_->save_copy(path); }

    // Prompts
    void add_prompts(const std::vector<std::string>& texts, bool go_to_first);
    void remove_prompt(std::int64_t id);
    void go_to_prompt(std::int64_t id);
    std::int64_t current_prompt() const { return current_prompt_; }
    std::int64_t next_prompt(std::int64_t after) const;   // in the list's order, from the end to the start
    const std::string& prompt_text(std::int64_t id) const;

    void change_config(const SessionConfig& config);

    // Pairs
    /// Draws candidates for a prompt and stores them with the chosen pair; returns the pair's id. A draw that ends early
    /// gives the same replies when it is tried again, unless it was passed over.
    std::int64_t draw(std::int64_t prompt, const Pulse& pulse, const TextSink& sink);
    void pass_over() { ++next_stream_; }
    void pass_over_to(std::uint32_t stream) { next_stream_ = stream; }   // as a log has it
    void show(std::int64_t pair);        // PairReady
    std::int64_t shown() const { return shown_; }   // 0: none
    void put_back();                     // the shown pair waits its turn again
    void discard(std::int64_t pair);
    void discard_if_waiting(std::int64_t pair);
    std::int64_t prompt_of(std::int64_t pair) const { return generations_.at(pair).prompt_id; }
    bool is_stale(std::int64_t pair) const;
    std::vector<std::int64_t> waiting_pairs() const;   // drawn, neither shown, labelled nor discarded
    std::int64_t waiting_pair_for(std::int64_t prompt) const;   // the oldest; 0: none

    // Clicks
    /// What is wrong with an answer to what is shown; empty: nothing.
    std::string fault_of_verdict(std::int64_t pair, const Verdict& verdict) const;
    /// Commits the label and goes to the next prompt. Throws Error for a faulty answer.
    std::int64_t record(std::int64_t pair, const Verdict& verdict, const std::string& judge);
    std::optional<std::int64_t> pending() const;       // oldest label that has not been learned
    int pending_count() const;
    void learn(std::int64_t label, const Pulse& pulse);

    // Answers from files (session_imports.cpp)
    /// Every good row of the file becomes a label, or on Stopped and Error none.
    ImportResult import_answers(const std::filesystem::path& file, const Job& job);
    /// The same import as another project's log has it.
    void import_again(const ProjectFile& other, const std::string& source, std::int64_t first_label,
                      std::int64_t last_label);
    int imports() const;                               // labels from files
    int pending_imports() const;                       // of those, not yet learned
    /// Learns some at once, with the metrics of the click before; there must be pending ones, and a pair drawn.
    void learn_imports(const Pulse& pulse);

    /// Takes the last standing label back; false: there is none. Returns its pair to the screen.
    bool undo();

    Evaluated evaluate(const Evaluate& request, const Pulse& pulse, const std::function<void(double)>& progress) const;

    int labels() const;
    int usable_labels() const;
    int policy_steps() const { return learner_.policy_steps(); }
    double kl() const;                                 // mean of the latest replies, nats
    std::int64_t saved_unix_time() const { return saved_; }
    std::string weights_hash() const { return learner_.weights_hash(); }

  private:
    struct Click {
        StoredLabel label;
        bool standing = true;
        bool imported = false;
    };
    Session(std::unique_ptr<ProjectFile> file, std::shared_ptr<const LanguageModel> model, Emit emit);
    void load();
    void load_answers();   // what the file has beyond what is known
    bool is_listed(std::int64_t prompt) const;
    void save_current_prompt(std::int64_t id);   // in the file; who commits it changes current_prompt_
    std::int64_t log(const std::string& kind, const std::string& payload, const std::string& hash = "");
    Pair pair_of(const StoredGeneration& generation) const;
    Candidate candidate_of(const StoredGeneration& generation, std::int64_t id) const;
    HistoryRow history_row(const Click& click) const;
    const StoredCandidate& candidate(const StoredGeneration& generation, std::int64_t id) const;
    std::vector<std::int64_t> choose_shown(const StoredGeneration& generation) const;

    /// Everything that learning one click, or some imported ones, changes outside the tensors; committed in one
    /// transaction.
    struct Lesson {
        std::vector<Click> clicks;
        std::int64_t label = 0;           // whose undo takes it back; 0: none
        std::int64_t last_imported = 0;   // not 0: imported answers up to this one
        std::vector<StoredEvent> events;
        std::vector<MetricPoint> points;
    };
    void fit_reward(const Learner::RewardExtent& extent);
    std::vector<float> raw_features(const StoredCandidate& candidate) const;
    bool is_learned(const Click& click, const Learner::RewardExtent& extent) const;
    /// Standing ones that teach, oldest first; of the imported the last.
    std::vector<const Click*> clicks_within(const Learner::RewardExtent& extent) const;
    std::vector<const Click*> clicks_before(const Lesson& lesson) const;
    std::vector<std::vector<float>> drawn_features(const Learner::RewardExtent& extent,
                                                   std::span<const Click* const> clicks) const;
    bool is_heldout(std::int64_t label) const;
    /// `first`: the index of the first of the replies that the click was about.
    void observe(const Click& click, int first, std::vector<RewardObservation>& observations) const;
    RewardFitSettings fit_settings() const;
    bool scores_by_training() const;   // else by the linear head
    void learn_trained_reward(Lesson& lesson, const Pulse& pulse);
    void measure_trained_scores(const Pulse& pulse);
    void set_score_scale(double sum, double squares, std::size_t n);
    double model_score(const Sequence& sequence, std::span<const float> pooled, const Pulse& pulse) const;
    double probability_better(const StoredGeneration& generation, std::int64_t better, std::int64_t worse,
                              const Pulse& pulse) const;
    std::vector<double> probabilities(const Click& click, const Pulse& pulse) const;
    double surprise(const Click& click, std::span<const double> pairs, const Pulse& pulse) const;
    void score_waiting(const Pulse& pulse);
    void score_cards(const StoredGeneration& generation, const Pulse& pulse);
    std::vector<double> foretold() const;
    bool teaches_policy(const StoredLabel& label) const;

    struct ImpliedPair {
        std::int64_t generation = 0, better = 0, worse = 0;   // candidates
    };
    struct RatedReply {
        std::int64_t generation = 0, candidate = 0;
        bool good = false;
    };
    std::vector<std::pair<std::int64_t, std::int64_t>> implied_pairs(const Click& click) const;
    PreferencePair preference_pair(const ImpliedPair& implied, const Pulse& pulse);
    std::vector<PreferencePair> training_pairs(const Lesson& lesson, const Pulse& pulse);
    std::vector<RatedReply> rated(const Click& click) const;
    std::vector<KtoReply> rated_replies(const Lesson& lesson, const Pulse& pulse);
    template <class Item>
    void draw_replayed(std::vector<Item>& earlier, std::vector<Item>& batch) const;
    double reference_sum(const StoredGeneration& generation, std::int64_t candidate) const;
    Learner::Samples samples(const Pulse& pulse) const;
    RolloutScore mixed_score(const RewardMix& mix, const std::string& prompt, const Sequence& sequence,
                             const ReferenceFacts& facts, const Pulse& pulse) const;
    void add_latest_replies(Metrics& metrics, const Pulse& pulse) const;
    std::vector<DrawnReply> latest_replies() const;
    void guard_against_collapse(std::span<const DrawnReply> now) const;   // throws Collapsed
    double scoring_temperature() const;                     // greedy drawing is scored at 1
    at::Tensor lower_states(std::int64_t candidate, const Sequence& sequence, const Pulse& pulse);
    std::vector<int> prompt_ids(const std::string& text) const;   // under the present system prompt
    std::vector<int> prompt_ids(const StoredGeneration& generation) const;   // as it was answered
    Sequence sequence_of(const StoredGeneration& generation, std::int64_t candidate) const;
    double normalised(double score) const;
    void learn_reward(const Click& click, Lesson& lesson, const Pulse& pulse);
    void learn_imported_reward(Lesson& lesson, const Pulse& pulse);
    void learn_policy(Lesson& lesson, const Pulse& pulse);
    /// Both, and the commit; on failure the state is what it was.
    void teach(Lesson& lesson, const std::function<void()>& reward, const Pulse& pulse);
    void commit(const Lesson& lesson, const Pulse& pulse);
    const StoredGeneration& generation(std::int64_t id) const;
    std::string complete(StoredGeneration& generation, const Pulse& pulse) const;
    void restore(const StoredCheckpoint& checkpoint);

    // Constant after construction
    std::unique_ptr<ProjectFile> file_;
    std::shared_ptr<const LanguageModel> model_;
    Emit emit_;

    SessionConfig config_;
    Learner learner_;
    std::vector<PromptRow> prompts_;
    std::map<std::int64_t, std::string> prompt_texts_;      // removed ones too
    std::map<std::int64_t, StoredGeneration> generations_;  // all drawn
    std::map<std::int64_t, StoredGeneration> imported_;     // from files; none of the policy's own replies
    std::set<std::int64_t> waiting_;                        // drawn, neither shown, labelled nor discarded
    std::vector<Click> clicks_;                             // label rows, undo rows apart
    std::map<std::int64_t, at::Tensor> lower_;              // by candidate; a cache
    std::map<std::int64_t, std::vector<double>> predictions_;   // label -> P of each of its pairs before it was learned
    int fitted_labels_ = 0;                                 // that the reward model was fitted on
    double score_mean_ = 0, score_deviation_ = 1;           // of the reward model on replies drawn
    std::map<std::int64_t, double> card_scores_;            // candidate -> reward, where the linear head does not score
    Learner::RewardExtent learned_;                         // of labels: up to where they have been learned
    std::int64_t current_prompt_ = 0, shown_ = 0, saved_ = 0;
    std::uint32_t next_stream_ = 1;                         // of random numbers, for the next group drawn
    int weights_version_ = 0;                               // counts changes since opening
    std::map<std::int64_t, int> drawn_with_;                // pair -> weights version
};

}  // namespace plumbline
