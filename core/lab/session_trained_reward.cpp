// When the reward model that trains takes over from the linear head, what it learns at a click, and its
// scores.

#include <algorithm>
#include <cmath>

#include "core/lab/session.h"

namespace plumbline {

namespace {

constexpr std::size_t scored_replies = 32;  // a reply costs a pass through the lower half of the blocks

}  // namespace

// Labels that teach the reward model count: neither skips nor those held out. It follows the present setting,
// so that a changed one is honoured at once where the model has started, and at the next click where it has
// not.
bool Session::scores_by_training() const {
    return learner_.trained() && pooled_takes_over(fitted_labels_, config_.reward.trained_from);
}

// After the linear head's fit: starts at the click that reaches the threshold, steps at each later one.
void Session::learn_trained_reward(Lesson& lesson, const Pulse& pulse) {
    if (!pooled_takes_over(fitted_labels_, config_.reward.trained_from)) {
        learner_.drop_trained();
        return;
    }
    if (!learner_.trained()) {
        learner_.start_trained(fit_settings());
        return;
    }
    TrainedReward& trained = *learner_.trained();
    trained.follow(learner_.reward(), fit_settings());
    std::vector<const Click*> earlier = clicks_before(lesson), batch;
    for (const Click& click : lesson.clicks) {
        if (!is_heldout(click.label.id)) {
            batch.push_back(&click);
        }
    }
    while (static_cast<int>(batch.size()) < TrainedReward::clicks_a_step && !earlier.empty()) {
        const double u = uniform(config_.seed, Use::reward_batch, static_cast<std::uint64_t>(trained.steps()),
                                 static_cast<std::uint32_t>(batch.size()));
        const auto drawn =
            earlier.begin() + static_cast<std::ptrdiff_t>(u * static_cast<double>(earlier.size()));
        batch.push_back(*drawn);
        earlier.erase(drawn);
    }
    std::vector<Sequence> replies;
    std::vector<RewardObservation> observations;
    for (const Click* each : batch) {
        observe(*each, static_cast<int>(replies.size()), observations);
        const StoredGeneration& g = generation(each->label.generation_id);
        for (const std::int64_t id : g.shown()) {
            replies.push_back(sequence_of(g, id));
        }
    }
    const Metrics metrics = trained.step(replies, observations, learner_.reward().labels(), pulse);
    if (const auto loss = metrics.find("loss/reward"); loss != metrics.end()) {
        lesson.points.push_back(
            {"reward/trained_loss", lesson.label, static_cast<double>(fitted_labels_), loss->second});
    }
}

// Mean and deviation as of the linear head's scores, from some replies evenly spread over all drawn: the
// latest alone differ ever less as the policy learns, and would raise the scale of the scores.
void Session::measure_trained_scores(const Pulse& pulse) {
    std::vector<std::pair<const StoredGeneration*, std::int64_t>> drawn;
    for (const auto& [id, generation] : generations_) {
        if (id > learner_.extent.generation) {
            break;
        }
        for (const StoredCandidate& c : generation.candidates) {
            drawn.emplace_back(&generation, c.id);
        }
    }
    const std::size_t n = std::min(drawn.size(), scored_replies);
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto& [generation, id] = drawn[i * drawn.size() / n];
        pulse.check();
        const double score = learner_.trained()->score(sequence_of(*generation, id), pulse);
        sum += score;
        squares += score * score;
    }
    set_score_scale(sum, squares, n);
}

double Session::model_score(const Sequence& sequence, std::span<const float> pooled,
                            const Pulse& pulse) const {
    if (scores_by_training()) {
        return learner_.trained()->score(sequence, pulse);
    }
    return learner_.reward().mean_score(LinearReward::raw_features(pooled, sequence.reply_length()));
}

// With the linear head's uncertainty of the difference: at the start it is that head's own probability.
double Session::probability_better(const StoredGeneration& generation, std::int64_t better, std::int64_t worse,
                                   const Pulse& pulse) const {
    const StoredCandidate &a = candidate(generation, better), &b = candidate(generation, worse);
    if (!scores_by_training()) {
        return learner_.reward().probability(raw_features(a), raw_features(b));
    }
    const double margin = model_score(sequence_of(generation, a.id), a.features, pulse) -
                          model_score(sequence_of(generation, b.id), b.features, pulse);
    const double deviation = learner_.reward().difference(raw_features(a), raw_features(b)).deviation;
    return 1 / (1 + std::exp(-margin / std::sqrt(1 + M_PI * deviation * deviation / 8)));
}

// A pair may come to the screen in the midst of a backward pass, where nothing may be computed: the scores of
// all that wait are known before, by the model of the last whole click.
void Session::score_waiting(const Pulse& pulse) {
    card_scores_.clear();
    if (!scores_by_training()) {
        return;
    }
    std::set<std::int64_t> pairs = waiting_;
    if (shown_ != 0) {
        pairs.insert(shown_);
    }
    for (const std::int64_t pair : pairs) {
        score_cards(generations_.at(pair), pulse);
    }
}

void Session::score_cards(const StoredGeneration& generation, const Pulse& pulse) {
    if (!scores_by_training()) {
        return;
    }
    for (const std::int64_t id : generation.shown()) {
        card_scores_[id] = learner_.trained()->score(sequence_of(generation, id), pulse);
    }
}

}  // namespace plumbline
