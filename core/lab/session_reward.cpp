// What the reward model learns from the answers, and how well it foretold them.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>
#include <span>

#include <nlohmann/json.hpp>

#include "core/lab/session.h"
#include "core/losses/ranking.h"
#include "core/training/calibration.h"

namespace plumbline {

namespace {

constexpr int accuracy_window = 20;    // labels
constexpr int accuracy_needs = 5;      // pairs
constexpr std::size_t imports_remembered = 2048;   // in a fit, the latest: its cost grows with their number

// P(the choice) as one number: of a ranking the mean over its pairs; a tie counts as an even bet.
double mean_probability(std::span<const double> pairs) {
    return pairs.empty() ? 0.5 : std::accumulate(pairs.begin(), pairs.end(), 0.0) / static_cast<double>(pairs.size());
}

// Places of all replies: those ranked, best first, then the rest.
std::vector<int> best_first(const Verdict& ranking, int shown) {
    std::vector<int> out = ranking.places;
    for (int place = 0; place < shown; ++place) {
        if (std::find(ranking.places.begin(), ranking.places.end(), place) == ranking.places.end()) {
            out.push_back(place);
        }
    }
    return out;
}

}  // namespace

std::vector<float> Session::raw_features(const StoredCandidate& candidate) const {
    return LinearReward::raw_features(candidate.features, static_cast<int>(candidate.ids.size()));
}

// A function of the label's number and the seed: the split stays when labels are added, undone or learned again.
bool Session::is_heldout(std::int64_t label) const {
    return uniform(config_.seed, Use::heldout, static_cast<std::uint64_t>(label)) < config_.reward.heldout_share;
}

bool Session::is_learned(const Click& click, const Learner::RewardExtent& extent) const {
    return click.label.id <= (click.imported ? extent.imported : extent.label);
}

std::vector<const Session::Click*> Session::clicks_within(const Learner::RewardExtent& extent) const {
    std::vector<const Click*> out;
    std::size_t imported = 0;
    for (const Click& click : std::views::reverse(clicks_)) {
        const bool teaches = click.standing && is_learned(click, extent) &&
                             click.label.verdict.choice != Choice::skip && !is_heldout(click.label.id);
        if (!teaches || (click.imported && (imported == imports_remembered || !is_complete(generation(click.label.generation_id))))) {
            continue;
        }
        imported += click.imported;
        out.push_back(&click);
    }
    std::reverse(out.begin(), out.end());
    return out;
}

// What a lesson is learned beside.
std::vector<const Session::Click*> Session::clicks_before(const Lesson& lesson) const {
    std::vector<const Click*> out = clicks_within(learner_.extent);
    std::erase_if(out, [&](const Click* click) {
        return std::any_of(lesson.clicks.begin(), lesson.clicks.end(),
                           [&](const Click& learned) { return learned.label.id == click->label.id; });
    });
    return out;
}

void Session::observe(const Click& click, int first, std::vector<RewardObservation>& observations) const {
    using Kind = RewardObservation::Kind;
    const Verdict& verdict = click.label.verdict;
    const auto shown = static_cast<int>(generation(click.label.generation_id).shown().size());
    const int left = first, right = first + 1;
    // A clear preference asks for no margin: plain Bradley-Terry.
    const double margin = (static_cast<int>(verdict.strength) - 1) * config_.reward.strength_margin;
    switch (verdict.choice) {
        case Choice::left: observations.push_back({Kind::preference, {left, right}, 0, margin}); break;
        case Choice::right: observations.push_back({Kind::preference, {right, left}, 0, margin}); break;
        case Choice::tie: observations.push_back({Kind::tie, {left, right}, 0, 0}); break;
        case Choice::both_bad:
            observations.push_back({Kind::tie, {left, right}, 0, 0});
            observations.push_back({Kind::bad, {left}, 0, 0});
            observations.push_back({Kind::bad, {right}, 0, 0});
            break;
        case Choice::ranking: {
            RewardObservation ranking{Kind::ranking, {}, static_cast<int>(verdict.places.size()), 0};
            for (const int place : best_first(verdict, shown)) {
                ranking.items.push_back(first + place);
            }
            observations.push_back(std::move(ranking));
            break;
        }
        case Choice::thumbs:
            for (int place = 0; place < shown; ++place) {
                if (verdict.places[place] != 0) {
                    observations.push_back({verdict.places[place] > 0 ? Kind::good : Kind::bad, {first + place}, 0, 0});
                }
            }
            break;
        case Choice::skip: break;
    }
}

// Of all replies that the policy drew, and of those that imported answers were about.
std::vector<std::vector<float>> Session::drawn_features(const Learner::RewardExtent& extent,
                                                        std::span<const Click* const> clicks) const {
    std::vector<std::vector<float>> out;
    for (const auto& [id, generation] : generations_) {
        if (id > extent.generation) {
            break;
        }
        for (const StoredCandidate& c : generation.candidates) {
            out.push_back(raw_features(c));
        }
    }
    for (const Click* click : clicks) {
        if (click->imported) {
            for (const StoredCandidate& c : generation(click->label.generation_id).candidates) {
                out.push_back(raw_features(c));
            }
        }
    }
    return out;
}

// A function of the extent and of what the project holds, so that reopening or going back gives the same model.
void Session::fit_reward(const Learner::RewardExtent& extent) {
    const std::vector<const Click*> clicks = clicks_within(extent);
    const std::vector<std::vector<float>> drawn = drawn_features(extent, clicks);
    std::vector<std::vector<float>> replies;
    std::vector<RewardObservation> observations;
    for (const Click* click : clicks) {
        observe(*click, static_cast<int>(replies.size()), observations);
        const StoredGeneration& g = generation(click->label.generation_id);
        for (const std::int64_t id : g.shown()) {
            replies.push_back(raw_features(candidate(g, id)));
        }
    }
    learner_.extent = extent;
    learner_.set_reward(LinearReward::fit(LinearReward::scale_of(drawn, config_.reward.length_scale), replies,
                                          observations, fit_settings()));
    fitted_labels_ = static_cast<int>(clicks.size());

    double sum = 0, squares = 0;
    for (const auto& r : drawn) {
        const double score = learner_.reward().mean_score(r);
        sum += score;
        squares += score * score;
    }
    set_score_scale(sum, squares, drawn.size());
}

RewardFitSettings Session::fit_settings() const {
    RewardFitSettings settings;
    settings.ridge = config_.reward.ridge;
    settings.tie_threshold = config_.reward.tie_threshold;
    settings.ties_as_half = config_.reward.ties_as_half;
    return settings;
}

void Session::set_score_scale(double sum, double squares, std::size_t n) {
    const double count = std::max<double>(1, static_cast<double>(n));
    score_mean_ = sum / count;
    score_deviation_ = std::sqrt(std::max(squares / count - score_mean_ * score_mean_, 0.0));
}

// Mean 0 and deviation 1 over all replies drawn, so that the KL weight means the same at every stage.
double Session::normalised(double score) const {
    return score_deviation_ > 1e-9 ? (score - score_mean_) / score_deviation_ : 0;
}

// What the model said of pairs that it had not learned: of those held out where there are any, else of each of the
// last ones before it was learned, a measure that costs no label.
std::vector<double> Session::foretold() const {
    std::vector<double> out;
    int labels = 0;
    for (auto it = predictions_.rbegin(); it != predictions_.rend(); ++it) {
        const bool counts = config_.reward.heldout_share > 0 ? is_heldout(it->first) : labels < accuracy_window;
        if (counts) {
            out.insert(out.end(), it->second.begin(), it->second.end());
            ++labels;
        }
    }
    return out;
}

// P of each pair that the answer implies; an even bet each before anything was learned.
std::vector<double> Session::probabilities(const Click& click, const Pulse& pulse) const {
    const StoredGeneration& g = generation(click.label.generation_id);
    std::vector<double> out;
    for (const auto& [better, worse] : implied_pairs(click)) {
        out.push_back(fitted_labels_ > 0 ? probability_better(g, better, worse, pulse) : 0.5);
    }
    return out;
}

// -log P of the answer, nats: Plackett-Luce for a ranking, whose pairs are not independent.
double Session::surprise(const Click& click, std::span<const double> pairs, const Pulse& pulse) const {
    const Verdict& verdict = click.label.verdict;
    if (verdict.choice != Choice::ranking) {
        return -std::log(std::max(mean_probability(pairs), 1e-12));
    }
    const StoredGeneration& g = generations_.at(click.label.generation_id);
    const std::vector<std::int64_t> shown = g.shown();
    std::vector<double> scores;
    for (const int place : best_first(verdict, static_cast<int>(shown.size()))) {
        const StoredCandidate& c = candidate(g, shown[place]);
        scores.push_back(fitted_labels_ > 0 ? model_score(sequence_of(g, c.id), c.features, pulse) : 0);
    }
    return plackett_luce_loss(at::tensor(scores), static_cast<std::int64_t>(verdict.places.size())).item<double>();
}

void Session::learn_reward(const Click& click, Lesson& lesson, const Pulse& pulse) {
    const StoredGeneration& g = generations_.at(click.label.generation_id);
    const StoredCandidate &left = candidate(g, g.left), &right = candidate(g, g.right);
    const auto score = [&](const StoredCandidate& c) { return model_score(sequence_of(g, c.id), c.features, pulse); };
    RewardFitted fitted;
    fitted.label_id = click.label.id;
    if (fitted_labels_ > 0) {
        fitted.left_reward = score(left);
        fitted.right_reward = score(right);
    }
    const std::vector<double> before = probabilities(click, pulse);
    fitted.probability_before = mean_probability(before);
    if (!before.empty()) {
        predictions_[click.label.id] = before;   // said before it was learned
    }
    const double old_loss = learner_.reward().loss();
    const auto old_count = static_cast<double>(learner_.reward().labels());
    fitted.loss_before = (old_loss * old_count + surprise(click, before, pulse)) / (old_count + 1);

    fit_reward({click.label.id, generations_.rbegin()->first, learned_.imported});
    learn_trained_reward(lesson, pulse);
    if (scores_by_training()) {
        measure_trained_scores(pulse);
    }
    fitted.labels = fitted_labels_;
    fitted.loss_after = learner_.reward().loss();
    fitted.probability_after = mean_probability(probabilities(click, pulse));

    const std::vector<double> said = foretold();
    double loss = 0;
    std::vector<Prediction> predictions;
    for (const double p : said) {
        loss -= std::log(std::max(p, 1e-12)) / static_cast<double>(said.size());
        predictions.push_back({p, 1, 0});   // of the choice, whichever side it was on
    }
    const auto point = [&](const char* name, double value) {
        lesson.points.push_back({name, click.label.id, static_cast<double>(fitted.labels), value});
    };
    point("reward/loss", said.empty() ? std::log(2.0) : loss);
    point("reward/fit_loss", fitted.loss_after);
    point("reward/margin", std::abs(score(left) - score(right)));
    point("reward/trained", scores_by_training() ? 1 : 0);
    point("reward/tie_threshold", learner_.reward().tie_threshold());
    for (const double p : before) {
        point("reward/predicted", p);
    }
    if (static_cast<int>(said.size()) >= accuracy_needs) {
        const Calibration measured = calibration(mirrored(predictions));
        fitted.heldout_accuracy = measured.accuracy;
        point("reward/accuracy", measured.accuracy);
        point("reward/ece", measured.expected_error);
    }
    lesson.events.push_back(
        {0, "reward",
         nlohmann::json{{"label", click.label.id}, {"generation", learner_.extent.generation}}.dump(),
         scores_by_training() ? learner_.trained()->hash() : learner_.reward().hash()});
    emit_(std::move(fitted));
}

}  // namespace plumbline
