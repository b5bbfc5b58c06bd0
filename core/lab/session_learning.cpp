// A click's way into the weights: the label, the reward model's fit, the policy's steps, and back out by undo.

#include <algorithm>
#include <chrono>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/lab/session.h"

namespace plumbline {

namespace {

constexpr int undo_states_kept = 5;   // 15 MB each for SmolLM2

double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

// One transaction, one wait for the disk: the label, its log row and where the person goes next.
std::int64_t Session::record(std::int64_t pair, const Verdict& verdict, const std::string& judge) {
    if (const std::string fault = fault_of_verdict(pair, verdict); !fault.empty()) {
        throw Error("vote", "the answer to pair " + std::to_string(pair) + " " + fault + "; vote again");
    }
    StoredLabel label;
    label.generation_id = pair;
    label.verdict = verdict;
    label.unix_time = now();
    label.judge = judge;
    ProjectFile::Transaction transaction(*file_);
    label.id = file_->add_label(label);
    log("label", nlohmann::json{{"label", label.id},
                                {"pair", pair},
                                {"choice", static_cast<int>(verdict.choice)},
                                {"strength", static_cast<int>(verdict.strength)},
                                {"places", verdict.places}}
                     .dump());
    const std::int64_t next = next_prompt(current_prompt_);
    save_current_prompt(next);
    transaction.commit();
    current_prompt_ = next;
    clicks_.push_back({label, true});
    shown_ = 0;
    emit_(LabelRecorded{label.id, pair, verdict.choice, history_row(clicks_.back())});
    emit_(PromptsChanged{prompts_, current_prompt_});
    return label.id;
}

std::optional<std::int64_t> Session::pending() const {
    for (const Click& click : clicks_) {
        if (!click.imported && click.standing && !is_learned(click, learned_) &&
            click.label.verdict.choice != Choice::skip) {
            return click.label.id;
        }
    }
    return std::nullopt;
}

int Session::pending_count() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(), [&](const Click& c) {
        return !c.imported && c.standing && !is_learned(c, learned_) && c.label.verdict.choice != Choice::skip;
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
    const int steps = policy_steps();
    Lesson lesson;
    lesson.clicks = {click};
    lesson.label = label;
    try {
        teach(lesson, [&] { learn_reward(click, lesson, pulse); }, pulse);
    } catch (...) {
        predictions_.erase(label);
        throw;
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    emit_(ClickDone{label, policy_steps() - steps, seconds});
}

void Session::teach(Lesson& lesson, const std::function<void()>& reward, const Pulse& pulse) {
    const std::vector<std::byte> before = learner_.save(pulse);
    const Learner::RewardExtent extent = learner_.extent;
    try {
        reward();
        learn_policy(lesson, pulse);
        commit(lesson, pulse);
        learned_ = learner_.extent;
        ++weights_version_;
        emit_(MetricsAdded{std::move(lesson.points)});
    } catch (...) {
        learner_.restore(before);
        fit_reward(extent);
        throw;
    }
    score_waiting({});   // outside: the lesson is in the file already
}

// Megabytes of state go ahead in parts, with votes taken between them; then what names them, in one transaction.
void Session::commit(const Lesson& lesson, const Pulse& pulse) {
    file_->remove_unused_states(pulse);
    StoredCheckpoint checkpoint;
    checkpoint.state = learner_.save(pulse);
    file_->stage(checkpoint, pulse);
    ProjectFile::Transaction transaction(*file_);
    const bool imported = lesson.last_imported != 0;
    for (const Click& click : lesson.clicks) {
        if (imported) {
            file_->complete_generation(generation(click.label.generation_id));
        }
    }
    for (const StoredEvent& event : lesson.events) {
        checkpoint.event_seq = log(event.kind, event.payload, event.weights_hash);
    }
    file_->add_metrics(lesson.points);
    checkpoint.name = "latest";
    checkpoint.policy_steps = policy_steps();
    if (imported) {
        file_->save_latest(checkpoint);   // the click before it takes it back
    } else {
        file_->advance(checkpoint, lesson.label, undo_states_kept);
    }
    transaction.commit();
}

bool Session::undo() {
    const auto last = std::find_if(clicks_.rbegin(), clicks_.rend(), [](const Click& c) { return c.standing && !c.imported; });
    if (last == clicks_.rend()) {
        return false;
    }
    const StoredLabel label = last->label;
    const bool learned = label.verdict.choice != Choice::skip && is_learned(*last, learned_);
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
        learned_ = extent;
        throw;
    }
    last->standing = false;
    predictions_.erase(label.id);

    emit_(Undone{label.id, history_row(*last), policy_steps(), labels()});
    put_back();   // the pair on the screen waits its turn
    score_waiting({});
    score_cards(generations_.at(label.generation_id), {});
    current_prompt_ = generations_.at(label.generation_id).prompt_id;
    if (is_listed(current_prompt_)) {
        go_to_prompt(current_prompt_);
    }
    show(label.generation_id);
    return true;
}

}  // namespace plumbline
