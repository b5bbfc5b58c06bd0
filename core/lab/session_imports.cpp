// Answers from files in a session: how they come in, and the lessons that they are learned in. They wait for everything
// that a person does, and an undo of the click before a lesson takes the lesson back with it.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/lab/session.h"
#include "core/store/answer_import.h"

namespace plumbline {

namespace {

constexpr int answers_a_lesson = 16;
constexpr std::size_t longest_sequence = 2048;   // tokens of prompt and reply; longer ones are passed over

}  // namespace

ImportResult Session::import_answers(const std::filesystem::path& file, const Job& job) {
    ImportResult result = import_preferences(*file_, file, job, &model_->chat_template());
    load_answers();
    return result;
}

void Session::import_again(const ProjectFile& other, const std::string& source, std::int64_t first_label,
                           std::int64_t last_label) {
    AnswerImport import(*file_);
    for_each_answer(other, first_label - 1, last_label,
                    [&](std::int64_t, const Answer& answer, double) { import.add(answer); });
    import.commit(source);
    load_answers();
}

int Session::imports() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(), [](const Click& c) { return c.imported; }));
}

int Session::pending_imports() const {
    return static_cast<int>(std::count_if(clicks_.begin(), clicks_.end(),
                                          [&](const Click& c) { return c.imported && !is_learned(c, learned_); }));
}

// What a drawn reply has from its drawing. Returns what stands against it; empty: nothing.
std::string Session::complete(StoredGeneration& generation, const Pulse& pulse) const {
    if (is_complete(generation)) {
        return "";   // by a lesson that was stopped or taken back
    }
    std::vector<int> prompt;
    try {
        prompt = prompt_ids(generation);
    } catch (const Error&) {
        return "the chat template refuses the messages";
    }
    const int end = model_->ends().written;
    const std::size_t room = std::min(longest_sequence, static_cast<std::size_t>(model_->info().context));
    std::vector<std::vector<int>> replies;
    std::vector<Sequence> sequences;
    for (const StoredCandidate& candidate : generation.candidates) {
        std::vector<int> ids = model_->tokenizer().encode(candidate.text, SpecialTokens::as_text);
        if (end >= 0) {
            ids.push_back(end);
        }
        if (ids.empty()) {
            return "an empty reply";
        }
        if (prompt.size() + ids.size() > room) {
            return "longer than " + std::to_string(room) + " tokens";
        }
        sequences.push_back(join(prompt, ids));
        replies.push_back(std::move(ids));
    }
    const std::vector<ReferenceFacts> facts =
        reference_facts(model_->decoder(), sequences, learner_.adapter().first_block(), scoring_temperature(),
                        Want::everything, pulse, Prompts::shared);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        StoredCandidate& candidate = generation.candidates[i];
        candidate.ids = std::move(replies[i]);
        candidate.logprobs = facts[i].logprobs;   // the policy has not written it: as if it had been the reference
        candidate.reference_logprobs = facts[i].logprobs;
        candidate.reference_logprobs_t1 = facts[i].logprobs_t1;
        candidate.features = facts[i].features;
    }
    return "";
}

void Session::learn_imports(const Pulse& pulse) {
    Lesson lesson;
    std::vector<Click> pending;
    for (const Click& click : clicks_) {
        const bool learned = is_learned(click, learned_);
        if (!click.imported && click.standing && learned) {
            lesson.label = click.label.id;
        } else if (click.imported && !learned && pending.size() < answers_a_lesson) {
            pending.push_back(click);
        }
    }
    if (pending.empty() || generations_.empty()) {
        throw Error("learn", "there is no imported answer to learn, or no pair was drawn yet; import some, or sample");
    }
    lesson.last_imported = pending.back().label.id;
    std::map<std::string, int> passed_over;   // by what stands against them
    for (const Click& click : pending) {
        pulse.check();
        const std::string obstacle = complete(imported_.at(click.label.generation_id), pulse);
        if (obstacle.empty()) {
            lesson.clicks.push_back(click);
        } else {
            ++passed_over[obstacle];
        }
    }
    teach(lesson, [&] { learn_imported_reward(lesson, pulse); }, pulse);
    for (const auto& [why, answers] : passed_over) {
        emit_(AnswersPassedOver{answers, why});
    }
}

void Session::learn_imported_reward(Lesson& lesson, const Pulse& pulse) {
    double loss = 0, right = 0, pairs = 0;
    for (const Click& click : lesson.clicks) {
        for (const double p : probabilities(click, pulse)) {
            loss -= std::log(std::max(p, 1e-12));
            right += p > 0.5 ? 1 : p == 0.5 ? 0.5 : 0;
            ++pairs;
        }
    }
    fit_reward({learned_.label, generations_.rbegin()->first, lesson.last_imported});
    learn_trained_reward(lesson, pulse);
    if (scores_by_training()) {
        measure_trained_scores(pulse);
    }
    const auto point = [&](const char* name, double value) {
        lesson.points.push_back({name, lesson.label, static_cast<double>(fitted_labels_), value});
    };
    if (pairs > 0) {   // said before they were learned
        point("reward/imported_loss", loss / pairs);
        point("reward/imported_accuracy", right / pairs);
    }
    point("reward/fit_loss", learner_.reward().loss());
    lesson.events.push_back(
        {0, "lesson",
         nlohmann::json{{"imported", lesson.last_imported}, {"generation", learner_.extent.generation}}.dump(),
         scores_by_training() ? learner_.trained()->hash() : learner_.reward().hash()});
}

}  // namespace plumbline
