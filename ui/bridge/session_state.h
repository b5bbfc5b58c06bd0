#pragma once
// What the events so far add up to. Panels read it instead of each keeping count.

#include <QObject>
#include <QString>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api/events.h"
#include "ui/bridge/engine_bridge.h"

namespace plumbline::ui {

/// Where the person stands in the life of a click.
enum class Phase {
    closed,     // no session
    loading,    // a model or project is being opened
    waiting,    // a session without a pair on the screen
    streaming,  // replies are being written
    choosing,   // a pair is on the screen and waits for an answer
    saving,     // answered, not yet in the project file
};

/// Folds events. A vote leads to `saving` at once, before the engine answers. The bridge must outlive it.
class SessionState : public QObject {
    Q_OBJECT
  public:
    explicit SessionState(EngineBridge& bridge, QObject* parent = nullptr);

    Phase phase() const { return phase_; }
    bool open() const { return phase_ != Phase::closed && phase_ != Phase::loading; }
    /// A session was asked for and is not there yet; another one may still be open.
    bool opening() const { return opening_; }
    const std::string& project_path() const { return project_path_; }
    const ModelInfo& model() const { return model_; }
    const SessionConfig& config() const { return config_; }
    const std::vector<PromptRow>& prompts() const { return prompts_; }
    std::int64_t current_prompt() const { return current_prompt_; }
    /// Position of the current prompt in prompts(), -1 when there is none.
    int prompt_index() const;
    /// On the screen: set while choosing and saving.
    const std::optional<Pair>& pair() const { return pair_; }
    /// Oldest first; rows that were taken back are marked.
    const std::vector<HistoryRow>& history() const { return history_; }
    int labels() const;  // that stand, without skips and imported ones
    int imported() const { return imported_; }   // answers from files
    int ties() const;    // that stand
    int policy_steps() const { return policy_steps_; }
    /// Of the reward model after the last label that stands; absent while there are too few.
    std::optional<double> heldout_accuracy() const;
    /// The model's title for people.
    const QString& model_title() const { return model_title_; }
    bool can_undo() const;
    /// The last open or new command that was posted, for a second try.
    const std::optional<Command>& last_open() const { return last_open_; }

  Q_SIGNALS:
    void opened();
    void closed();
    void phase_changed();
    void prompts_changed();
    void config_changed();
    void history_changed();  // rows, counts or accuracy

  private:
    void posted(const Command& command);
    void take(const Event& event);
    void set_phase(Phase phase);
    void start(const SessionOpened& opened);

    Phase phase_ = Phase::closed;
    std::string project_path_;
    ModelInfo model_;
    QString model_title_;
    SessionConfig config_;
    std::vector<PromptRow> prompts_;
    std::int64_t current_prompt_ = 0;
    std::optional<Pair> pair_;
    std::vector<HistoryRow> history_;
    int policy_steps_ = 0;
    int imported_ = 0;
    std::map<std::int64_t, double> accuracies_;  // by label, as it was after it
    std::optional<Command> last_open_;
    bool opening_ = false;  // asked for, not yet answered
};

/// "SESSION.plumb" without its folder.
QString file_name(const std::string& path);

}  // namespace plumbline::ui
