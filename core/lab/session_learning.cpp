// A click's way into the weights: the label, the reward model's fit, the policy's steps, and back out by undo.

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/lab/session.h"

namespace plumbline {

namespace {

constexpr int undo_states_kept = 5;   // 15 MB each for SmolLM2
constexpr int accuracy_window = 20;    // labels
constexpr int accuracy_needs = 5;      // labels

double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double target_of(Choice choice) { return choice == Choice::left ? 1 : choice == Choice::right ? 0 : 0.5; }

// P(the choice) from P(left better); a tie counts as an even bet.
double probability_of(Choice choice, double left) {
    return choice == Choice::left ? left : choice == Choice::right ? 1 - left : 0.5;
}

}  // namespace

/// Everything that learning one click changes outside the tensors; committed in one transaction.
struct Session::Lesson {
    std::vector<StoredEvent> events;
    std::vector<MetricPoint> points;
};

// One transaction, one wait for the disk: the label, its log row and where the person goes next.
std::int64_t Session::record(std::int64_t pair, Choice choice, const std::string& judge) {
    StoredLabel label;
    label.generation_id = pair;
    label.choice = choice;
    label.unix_time = now();
    label.judge = judge;
    ProjectFile::Transaction transaction(*file_);
    label.id = file_->add_label(label);
    log("label", nlohmann::json{{"label", label.id}, {"pair", pair}, {"choice", static_cast<int>(choice)}}.dump());
    const std::int64_t next = next_prompt(current_prompt_);
    save_current_prompt(next);
    transaction.commit();
    current_prompt_ = next;
    clicks_.push_back({label, true});
    shown_ = 0;
    emit_(LabelRecorded{label.id, pair, choice, history_row(clicks_.back())});
    emit_(PromptsChanged{prompts_, current_prompt_});
    return label.id;
}

std::optional<std::int64_t> Session::pending() const {
    for (const Click& click : clicks_) {
        if (click.standing && click.label.id > learned_label_ && click.label.choice != Choice::skip) {
            return click.label.id;
        }
    }
    return std::nullopt;
}

int Session::pending_count() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(), [&](const Click& c) {
        return c.standing && c.label.id > learned_label_ && c.label.choice != Choice::skip;
    }));
}

void Session::learn(std::int64_t label, const Pulse& pulse) {
    const auto start = std::chrono::steady_clock::now();
    const auto found =
        std::find_if(clicks_.begin(), clicks_.end(), [&](const Click& c) { return c.label.id == label; });
    if (found == clicks_.end()) {
        throw Error("learn", "there is no label " + std::to_string(label) + "; choose one that was recorded");
    }
    const Click click = *found;   // the list may grow while a long step runs
    const std::vector<std::byte> before = learner_.save();
    const Learner::RewardExtent extent = learner_.extent;
    const int steps = policy_steps();
    try {
        Lesson lesson;
        learn_reward(click, lesson);
        if (is_preference(click.label.choice)) {
            learn_policy(click, lesson, pulse);
        }
        commit(click, lesson);
        learned_label_ = label;
        ++weights_version_;
        emit_(MetricsAdded{std::move(lesson.points)});
    } catch (...) {
        learner_.restore(before);
        fit_reward(extent);
        predictions_.erase(label);
        throw;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    emit_(ClickDone{label, policy_steps() - steps, seconds});
}

std::vector<float> Session::raw_features(const StoredCandidate& candidate) const {
    return LinearReward::raw_features(candidate.features, static_cast<int>(candidate.ids.size()));
}

std::vector<const Session::Click*> Session::clicks_until(std::int64_t label) const {
    std::vector<const Click*> out;
    for (const Click& click : clicks_) {
        if (click.standing && click.label.id <= label && click.label.choice != Choice::skip) {
            out.push_back(&click);
        }
    }
    return out;
}

// A function of the extent and of what the project holds, so that reopening or going back gives the same model.
void Session::fit_reward(const Learner::RewardExtent& extent) {
    std::vector<std::vector<float>> replies;
    for (const auto& [id, generation] : generations_) {
        if (id > extent.generation) {
            break;
        }
        for (const StoredCandidate& c : generation.candidates) {
            replies.push_back(raw_features(c));
        }
    }
    std::vector<LinearLabel> labels;
    for (const Click* click : clicks_until(extent.label)) {
        const StoredGeneration& g = generations_.at(click->label.generation_id);
        labels.push_back({raw_features(candidate(g, g.left)), raw_features(candidate(g, g.right)),
                          target_of(click->label.choice)});
    }
    learner_.extent = extent;
    learner_.set_reward(
        LinearReward::fit(LinearReward::scale_of(replies, config_.reward.length_scale), labels, config_.reward.ridge));

    double sum = 0, squares = 0;
    for (const auto& r : replies) {
        const double score = learner_.reward().mean_score(r);
        sum += score;
        squares += score * score;
    }
    const double n = std::max<double>(1, static_cast<double>(replies.size()));
    score_mean_ = sum / n;
    score_deviation_ = std::sqrt(std::max(squares / n - score_mean_ * score_mean_, 0.0));
}

// Mean 0 and deviation 1 over all replies drawn, so that the KL weight means the same at every stage.
double Session::normalised_score(const std::vector<float>& raw) const {
    return score_deviation_ > 1e-9 ? (learner_.reward().mean_score(raw) - score_mean_) / score_deviation_ : 0;
}

void Session::learn_reward(const Click& click, Lesson& lesson) {
    const StoredGeneration& g = generations_.at(click.label.generation_id);
    const auto left = raw_features(candidate(g, g.left)), right = raw_features(candidate(g, g.right));
    const Choice choice = click.label.choice;
    RewardFitted fitted;
    fitted.label_id = click.label.id;
    const bool knows = learner_.reward().labels() > 0;
    const double left_before = knows ? learner_.reward().probability(left, right) : 0.5;
    fitted.probability_before = probability_of(choice, left_before);
    if (knows) {
        fitted.left_reward = learner_.reward().mean_score(left);
        fitted.right_reward = learner_.reward().mean_score(right);
    }
    if (is_preference(choice)) {
        predictions_[click.label.id] = *fitted.probability_before;   // said before it was learned
    }
    const double old_loss = learner_.reward().loss();
    const auto old_count = static_cast<double>(learner_.reward().labels());
    fitted.loss_before =
        (old_loss * old_count - std::log(std::max(*fitted.probability_before, 1e-12))) / (old_count + 1);

    fit_reward({click.label.id, generations_.rbegin()->first});
    fitted.labels = static_cast<int>(learner_.reward().labels());
    fitted.loss_after = learner_.reward().loss();
    fitted.probability_after = probability_of(choice, learner_.reward().probability(left, right));

    // What the model said of each pair before it learned it: a held-out score that costs no label.
    int known = 0, right_said = 0;
    double surprise = 0;
    for (auto it = predictions_.rbegin(); it != predictions_.rend() && known < accuracy_window; ++it, ++known) {
        right_said += it->second > 0.5;
        surprise -= std::log(std::max(it->second, 1e-12));
    }
    if (known >= accuracy_needs) {
        fitted.heldout_accuracy = static_cast<double>(right_said) / known;
    }
    const auto point = [&](const char* name, double value) {
        lesson.points.push_back({name, click.label.id, static_cast<double>(fitted.labels), value});
    };
    point("reward/loss", known > 0 ? surprise / known : std::log(2.0));
    point("reward/fit_loss", fitted.loss_after);
    point("reward/margin", std::abs(learner_.reward().mean_score(left) - learner_.reward().mean_score(right)));
    if (is_preference(choice)) {
        point("reward/predicted", *fitted.probability_before);
    }
    if (fitted.heldout_accuracy) {
        point("reward/accuracy", *fitted.heldout_accuracy);
    }
    lesson.events.push_back(
        {0, "reward",
         nlohmann::json{{"label", click.label.id}, {"generation", learner_.extent.generation}}.dump(),
         learner_.reward().hash()});
    emit_(std::move(fitted));
}

void Session::learn_policy(const Click& click, Lesson& lesson, const Pulse& pulse) {
    for (int i = 0; i < config_.live.steps_per_click; ++i) {
        const double group_kl = kl();
        Learner::Update update;
        if (config_.live.algorithm == Algorithm::dpo) {
            update = learner_.step_dpo(training_pairs(click, pulse), config_.live, group_kl, pulse);
            update.metrics["objective/kl"] = group_kl;
        } else {
            const std::vector<Rollout> drawn = rollouts(pulse);
            double rollout_kl = 0;
            for (const Rollout& r : drawn) {
                rollout_kl += (r.logprob - r.reference_logprob) / static_cast<double>(drawn.size());
            }
            update = learner_.step_rloo(drawn, config_.live, scoring_temperature(), rollout_kl, pulse);
        }
        // Where the policy stands by the reward model, on the replies drawn last.
        if (config_.live.algorithm == Algorithm::dpo) {
            const StoredGeneration& latest = generations_.rbegin()->second;
            const auto n = static_cast<double>(latest.candidates.size());
            for (const StoredCandidate& c : latest.candidates) {
                update.metrics["objective/score"] += normalised_score(raw_features(c)) / n;
                update.metrics["tokens/response_length"] += static_cast<double>(c.ids.size()) / n;
                update.metrics["tokens/eos_rate"] += (c.finish == Finish::eos) / n;
            }
        }
        for (const auto& [name, value] : update.metrics) {
            lesson.points.push_back({name, click.label.id, static_cast<double>(policy_steps()), value});
        }
        const char* algorithm = config_.live.algorithm == Algorithm::dpo ? "dpo" : "rloo";
        lesson.events.push_back(
            {0, "policy",
             nlohmann::json{{"label", click.label.id}, {"step", policy_steps()}, {"algorithm", algorithm}}.dump(),
             learner_.weights_hash()});
        emit_(PolicyStepped{click.label.id, policy_steps(), config_.live.algorithm, update.metrics["loss/policy"],
                            update.lr, update.note});
    }
}

void Session::commit(const Click& click, const Lesson& lesson) {
    ProjectFile::Transaction transaction(*file_);
    std::int64_t seq = 0;
    for (const StoredEvent& event : lesson.events) {
        seq = log(event.kind, event.payload, event.weights_hash);
    }
    file_->add_metrics(lesson.points);
    StoredCheckpoint checkpoint;
    checkpoint.event_seq = seq;
    checkpoint.name = "latest";
    checkpoint.policy_steps = policy_steps();
    checkpoint.state = learner_.save();
    file_->advance(checkpoint, click.label.id, undo_states_kept);
    transaction.commit();
}

bool Session::undo() {
    const auto last = std::find_if(clicks_.rbegin(), clicks_.rend(), [](const Click& c) { return c.standing; });
    if (last == clicks_.rend()) {
        return false;
    }
    const StoredLabel label = last->label;
    const bool learned = label.choice != Choice::skip && label.id <= learned_label_;
    const std::vector<std::byte> before = learner_.save();
    const Learner::RewardExtent extent = learner_.extent;
    try {
        ProjectFile::Transaction transaction(*file_);
        if (learned) {
            const auto state = file_->go_back(label.id);
            if (!state) {
                throw Error("undo", "the state before this click is no longer kept; only the last " +
                                        std::to_string(undo_states_kept) + " clicks can be taken back");
            }
            restore(*state);
        }
        StoredLabel row = label;
        row.unix_time = now();
        row.undoes = label.id;
        file_->add_label(row);
        log("undo", nlohmann::json{{"label", label.id}}.dump(), learner_.weights_hash());
        transaction.commit();
    } catch (...) {   // the file is as it was, and so must the weights be
        learner_.restore(before);
        fit_reward(extent);
        learned_label_ = extent.label;
        throw;
    }
    last->standing = false;
    predictions_.erase(label.id);

    emit_(Undone{label.id, history_row(*last), policy_steps(), labels()});
    put_back();   // the pair on the screen waits its turn
    current_prompt_ = generations_.at(label.generation_id).prompt_id;
    if (is_listed(current_prompt_)) {
        go_to_prompt(current_prompt_);
    }
    show(label.generation_id);
    return true;
}

}  // namespace plumbline
