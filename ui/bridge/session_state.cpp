#include "ui/bridge/session_state.h"

#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "core/api/catalog.h"
#include "core/api/errors.h"

namespace plumbline::ui {

namespace {

QString title_of(const ModelInfo& model) {
    try {
        for (const CatalogModel& entry : list_models()) {
            if (entry.name == model.name || entry.path.string() == model.path) {
                return QString::fromStdString(entry.title);
            }
        }
    } catch (const Error&) {
        // No data folder, hence no catalogue: the plain name serves.
    }
    return QString::fromStdString(model.name);
}

}  // namespace

SessionState::SessionState(EngineBridge& bridge, QObject* parent) : QObject(parent) {
    connect(&bridge, &EngineBridge::posted, this, &SessionState::posted);
    connect(&bridge, &EngineBridge::event, this, &SessionState::take);
}

int SessionState::prompt_index() const {
    const auto at = std::find_if(prompts_.begin(), prompts_.end(),
                                 [this](const PromptRow& row) { return row.id == current_prompt_; });
    return at == prompts_.end() ? -1 : int(at - prompts_.begin());
}

int SessionState::labels() const {
    return int(std::count_if(history_.begin(), history_.end(), [](const HistoryRow& row) {
        return !row.undone && row.choice != Choice::skip;
    }));
}

int SessionState::ties() const {
    return int(std::count_if(history_.begin(), history_.end(),
                             [](const HistoryRow& row) { return !row.undone && row.choice == Choice::tie; }));
}

bool SessionState::can_undo() const {
    return open() &&
           std::any_of(history_.begin(), history_.end(), [](const HistoryRow& row) { return !row.undone; });
}

void SessionState::set_phase(Phase phase) {
    if (phase_ != phase) {
        phase_ = phase;
        Q_EMIT phase_changed();
    }
}

void SessionState::posted(const Command& command) {
    if (std::holds_alternative<Vote>(command)) {
        if (phase_ == Phase::choosing) {
            set_phase(Phase::saving);
        }
    } else if (std::holds_alternative<NewSession>(command) || std::holds_alternative<OpenSession>(command)) {
        last_open_ = command;
        opening_ = true;
        if (open()) {
            Q_EMIT phase_changed();
        } else {
            set_phase(Phase::loading);
        }
    }
}

void SessionState::start(const SessionOpened& opened) {
    project_path_ = opened.project_path;
    model_ = opened.model;
    model_title_ = title_of(model_);
    config_ = opened.config;
    prompts_ = opened.prompts;
    current_prompt_ = opened.current_prompt;
    history_ = opened.history;
    policy_steps_ = opened.policy_steps;
    imported_ = opened.imported;
    pair_.reset();
    accuracies_.clear();
    std::map<std::int64_t, int> steps;  // the policy's last step for each label
    for (const MetricPoint& point : opened.metrics) {
        if (point.name == "reward/accuracy") {
            accuracies_[point.label_id] = point.value;
        } else if (point.name == "loss/policy") {
            int& last = steps[point.label_id];
            last = std::max(last, int(point.x));
        }
    }
    int step = 0;
    for (HistoryRow& row : history_) {
        if (!row.undone) {
            const auto found = steps.find(row.label_id);
            step = found == steps.end() ? step : found->second;
            row.policy_step = step;
        }
    }
    opening_ = false;
    phase_ = Phase::waiting;
    Q_EMIT this->opened();
    Q_EMIT prompts_changed();
    Q_EMIT config_changed();
    Q_EMIT history_changed();
    Q_EMIT phase_changed();
}

std::optional<double> SessionState::heldout_accuracy() const {
    return accuracies_.empty() ? std::nullopt : std::optional(accuracies_.rbegin()->second);
}

void SessionState::take(const Event& event) {
    if (const auto* opened = std::get_if<SessionOpened>(&event.body)) {
        start(*opened);
    } else if (std::holds_alternative<SessionClosed>(event.body)) {
        prompts_.clear();
        history_.clear();
        pair_.reset();
        project_path_.clear();
        policy_steps_ = 0;
        imported_ = 0;
        accuracies_.clear();
        set_phase(opening_ ? Phase::loading : Phase::closed);
        Q_EMIT closed();
    } else if (const auto* imported = std::get_if<AnswersImported>(&event.body)) {
        imported_ = imported->imported;
        Q_EMIT history_changed();
    } else if (const auto* changed = std::get_if<PromptsChanged>(&event.body)) {
        prompts_ = changed->prompts;
        current_prompt_ = changed->current_prompt;
        Q_EMIT prompts_changed();
    } else if (const auto* config = std::get_if<ConfigChanged>(&event.body)) {
        config_ = config->config;
        Q_EMIT config_changed();
    } else if (const auto* started = std::get_if<SamplingStarted>(&event.body)) {
        current_prompt_ = started->prompt_id;
        pair_.reset();
        Q_EMIT prompts_changed();
        set_phase(Phase::streaming);
    } else if (const auto* ready = std::get_if<PairReady>(&event.body)) {
        current_prompt_ = ready->pair.prompt_id;
        pair_ = ready->pair;
        Q_EMIT prompts_changed();
        phase_ = Phase::choosing;
        Q_EMIT phase_changed();  // also from one pair to the next
    } else if (std::holds_alternative<SamplingStopped>(event.body)) {
        pair_.reset();
        set_phase(Phase::waiting);
    } else if (const auto* recorded = std::get_if<LabelRecorded>(&event.body)) {
        history_.push_back(recorded->row);
        history_.back().label_id = recorded->label_id;
        history_.back().choice = recorded->choice;
        history_.back().policy_step = policy_steps_;  // until it is trained on
        Q_EMIT history_changed();
        if (phase_ == Phase::saving && pair_ && pair_->id == recorded->pair_id) {
            pair_.reset();
            set_phase(Phase::waiting);
        }
    } else if (const auto* fitted = std::get_if<RewardFitted>(&event.body)) {
        if (fitted->heldout_accuracy) {
            accuracies_[fitted->label_id] = *fitted->heldout_accuracy;
        }
        Q_EMIT history_changed();
    } else if (const auto* stepped = std::get_if<PolicyStepped>(&event.body)) {
        policy_steps_ = stepped->step;
        for (HistoryRow& row : history_) {
            if (row.label_id == stepped->label_id) {
                row.policy_step = stepped->step;
            }
        }
        Q_EMIT history_changed();
    } else if (const auto* undone = std::get_if<Undone>(&event.body)) {
        policy_steps_ = undone->policy_steps;
        accuracies_.erase(undone->label_id);
        for (HistoryRow& row : history_) {
            if (row.label_id == undone->label_id) {
                row.undone = true;
            }
        }
        Q_EMIT history_changed();
    } else if (std::holds_alternative<CommandFailed>(event.body)) {
        if (std::exchange(opening_, false) && open()) {
            Q_EMIT phase_changed();
        }
        if (phase_ == Phase::saving) {
            set_phase(pair_ ? Phase::choosing : Phase::waiting);
        } else if (phase_ == Phase::loading) {
            set_phase(Phase::closed);
        }
    } else if (const auto* ended = std::get_if<JobEnded>(&event.body)) {
        if (phase_ == Phase::loading && ended->end != JobEnd::done) {
            opening_ = false;
            set_phase(Phase::closed);
        } else if (phase_ == Phase::streaming && ended->end == JobEnd::failed) {
            set_phase(Phase::waiting);
        }
    }
}

QString file_name(const std::string& path) {
    return QFileInfo(QString::fromStdString(path)).fileName();
}

}  // namespace plumbline::ui
