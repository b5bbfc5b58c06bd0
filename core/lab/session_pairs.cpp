// Drawing candidates, choosing the two that are shown, evaluating.

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/lab/pair_choosers.h"
#include "core/lab/session.h"
#include "core/lab/text_distance.h"
#include "core/sampling/generator.h"

namespace plumbline {

namespace {

constexpr int labels_before_reward_chooses = 5;   // until then plain text distance picks the pair

}  // namespace

std::int64_t Session::draw(std::int64_t prompt, const Pulse& pulse, const TextSink& sink) {
    const std::vector<int> ids = prompt_ids(prompt_text(prompt));
    const SamplingConfig& sampling = config_.sampling;
    model_->require_room(ids.size(), sampling.max_new_tokens);
    const std::uint32_t stream = next_stream_;

    ReplyStreams texts(model_->tokenizer(), sampling.candidates, sink);
    const GenerationPrompt generation_prompt{ids, 0};
    GenerationRequest request;
    request.prompts = {&generation_prompt, 1};
    request.samples = sampling.candidates;
    request.sampling = sampling;
    request.seed = config_.seed;
    request.stream = stream;
    request.ends = model_->ends();
    const std::vector<Reply> replies =
        generate_replies(model_->decoder(), &learner_.adapter(), request, pulse,
                         [&](int row, int id, bool ended) { texts.push(row, id, ended); });

    StoredGeneration generation;
    generation.prompt_id = prompt;
    generation.stream = stream;
    generation.policy_version = policy_steps();
    generation.temperature = sampling.temperature;
    generation.system_prompt = config_.system_prompt;
    generation.chosen_by = sampling.pair_choice;
    std::vector<Sequence> sequences;
    for (const Reply& reply : replies) {
        sequences.push_back(join(ids, reply.ids));
    }
    const std::vector<ReferenceFacts> of_replies =
        reference_facts(model_->decoder(), sequences, learner_.adapter().first_block(), scoring_temperature(),
                        Want::everything, pulse, Prompts::shared);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const Reply& reply = replies[i];
        const ReferenceFacts& facts = of_replies[i];
        StoredCandidate candidate;
        candidate.prompt_id = prompt;
        candidate.sample = reply.sample;
        candidate.ids = reply.ids;
        candidate.text = texts.text(reply.sample);
        candidate.logprobs = reply.logprobs;
        candidate.reference_logprobs = facts.logprobs;
        candidate.reference_logprobs_t1 = facts.logprobs_t1;
        candidate.features = facts.features;
        candidate.finish = reply.finish;
        generation.candidates.push_back(std::move(candidate));
    }
    const std::vector<std::int64_t> screen = choose_shown(generation);
    generation.left = screen[0];
    generation.right = screen[1];
    generation.more.assign(screen.begin() + 2, screen.end());

    ProjectFile::Transaction transaction(*file_);
    file_->add_generation(generation);
    nlohmann::json payload{
        {"pair", generation.id}, {"prompt", prompt}, {"stream", stream}, {"policy_steps", policy_steps()}};
    for (const StoredCandidate& c : generation.candidates) {
        payload["tokens"].push_back(c.ids);
    }
    payload["shown"] = screen;
    payload["chosen_by"] = static_cast<int>(generation.chosen_by);
    log("sampled", payload.dump());
    transaction.commit();

    const std::int64_t id = generation.id;
    next_stream_ = stream + 1;
    drawn_with_[id] = weights_version_;
    waiting_.insert(id);
    score_cards(generations_.emplace(id, std::move(generation)).first->second, {});
    return id;
}

// Samples from left to right: the two that the choice of pairs wants, then others in the order of their drawing. Before
// the reward model knows enough, the two whose words differ most stand in for every choice but the random one. The
// linear head chooses even where a trained model scores: margins and their uncertainty come from one posterior.
std::vector<std::int64_t> Session::choose_shown(const StoredGeneration& generation) const {
    const auto n = static_cast<int>(generation.candidates.size());
    const auto number = static_cast<std::uint64_t>(generation.stream);
    const auto draw = [&](std::uint32_t i) { return uniform(config_.seed, Use::pair_choice, number, i); };
    std::pair<int, int> two;
    if (generation.chosen_by != PairChoice::random &&
        static_cast<int>(learner_.reward().labels()) < labels_before_reward_chooses) {
        two = most_different(n, [&](int i, int j) {
            return word_distance(generation.candidates[i].text, generation.candidates[j].text);
        });
    } else {
        two = choose_pair(generation.chosen_by, n, draw, [&](int i, int j) {
            const LinearReward::Score margin = learner_.reward().difference(raw_features(generation.candidates[i]),
                                                                            raw_features(generation.candidates[j]));
            return MarginDistribution{margin.mean, margin.deviation};
        });
    }
    std::vector<std::int64_t> screen{two.first, two.second};
    for (int i = 0; i < n && static_cast<int>(screen.size()) < config_.sampling.shown; ++i) {
        if (i != two.first && i != two.second) {
            screen.push_back(i);
        }
    }
    for (std::size_t i = screen.size(); config_.shuffle_sides && i > 1; --i) {   // Fisher-Yates
        const double u = uniform(config_.seed, Use::sides, number, static_cast<std::uint32_t>(i));
        std::swap(screen[i - 1], screen[static_cast<std::size_t>(u * static_cast<double>(i))]);
    }
    return screen;
}

const StoredCandidate& Session::candidate(const StoredGeneration& generation, std::int64_t id) const {
    for (const StoredCandidate& c : generation.candidates) {
        if (c.id == id) {
            return c;
        }
    }
    throw Error("read project", "candidate " + std::to_string(id) + " is not in its group; the file is damaged");
}

Candidate Session::candidate_of(const StoredGeneration& generation, std::int64_t id) const {
    const StoredCandidate& stored = candidate(generation, id);
    Candidate out;
    out.id = id;
    out.sample = stored.sample;
    out.text = stored.text;
    out.tokens = static_cast<int>(stored.ids.size());
    out.finish = stored.finish;
    for (std::size_t i = 0; i < stored.ids.size(); ++i) {
        out.logprob += stored.logprobs[i];
        out.reference_logprob += stored.reference_logprobs[i];
    }
    if (learner_.reward().labels() > 0) {
        const LinearReward::Score score = learner_.reward().score(raw_features(stored));
        out.reward = score.mean;
        if (const auto trained = card_scores_.find(id); trained != card_scores_.end()) {
            out.reward = trained->second;
        }
        out.reward_sd = score.deviation;   // the linear head's throughout
    }
    return out;
}

Pair Session::pair_of(const StoredGeneration& generation) const {
    Pair pair;
    pair.id = generation.id;
    pair.prompt_id = generation.prompt_id;
    pair.prompt = prompt_texts_.at(generation.prompt_id);
    pair.left = candidate_of(generation, generation.left);
    pair.right = candidate_of(generation, generation.right);
    for (const std::int64_t id : generation.more) {
        pair.more.push_back(candidate_of(generation, id));
    }
    pair.drawn = static_cast<int>(generation.candidates.size());
    pair.policy_version = generation.policy_version;
    pair.chosen_by = generation.chosen_by;
    return pair;
}

void Session::show(std::int64_t pair) {
    shown_ = pair;
    waiting_.erase(pair);
    emit_(PairReady{pair_of(generations_.at(pair))});
}

void Session::put_back() {
    if (shown_ != 0) {
        waiting_.insert(shown_);
        shown_ = 0;
    }
}

void Session::discard_if_waiting(std::int64_t pair) {
    if (waiting_.contains(pair)) {
        discard(pair);
    }
}

void Session::discard(std::int64_t pair) {
    file_->discard_generation(pair);
    waiting_.erase(pair);
    shown_ = shown_ == pair ? 0 : shown_;
}

bool Session::is_stale(std::int64_t pair) const { return drawn_with_.at(pair) != weights_version_; }

std::int64_t Session::waiting_pair_for(std::int64_t prompt) const {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](std::int64_t pair) { return prompt_of(pair) == prompt; });
    return found == waiting_.end() ? 0 : *found;
}

std::vector<std::int64_t> Session::waiting_pairs() const { return {waiting_.begin(), waiting_.end()}; }

Evaluated Session::evaluate(const Evaluate& request, const Pulse& pulse,
                            const std::function<void(double)>& progress) const {
    constexpr int rows_at_once = 16;
    const int prompts_at_once = std::max(1, rows_at_once / request.samples);
    Evaluated result;
    result.tag = request.tag;
    for (std::size_t begin = 0; begin < request.prompts.size(); begin += prompts_at_once) {
        const std::size_t end = std::min(request.prompts.size(), begin + prompts_at_once);
        std::vector<GenerationPrompt> prompts;
        for (std::size_t p = begin; p < end; ++p) {
            prompts.push_back({prompt_ids(request.prompts[p]), static_cast<std::uint32_t>(p)});
            model_->require_room(prompts.back().ids.size(), config_.sampling.max_new_tokens);
        }
        GenerationRequest generation;
        generation.prompts = prompts;
        generation.samples = request.samples;
        generation.sampling = config_.sampling;
        generation.seed = request.seed;
        generation.stream = static_cast<std::uint32_t>(Use::evaluation);
        generation.ends = model_->ends();
        for (const Reply& reply : generate_replies(model_->decoder(), &learner_.adapter(), generation, pulse)) {
            const Sequence sequence = join(prompts[reply.prompt].ids, reply.ids);
            const ReferenceFacts facts = reference_facts(model_->decoder(), {&sequence, 1},
                                                         learner_.adapter().first_block(), scoring_temperature(),
                                                         Want::everything, pulse)
                                             .front();
            EvaluatedReply out;
            out.prompt = static_cast<int>(begin) + reply.prompt;
            out.reply.text = model_->tokenizer().decode(reply.ids, /*skip_special=*/true);
            out.reply.tokens = static_cast<int>(reply.ids.size());
            out.reply.ended = reply.finish == Finish::eos;
            for (const float l : reply.logprobs) {
                out.logprob += l;
            }
            out.reference_logprob = facts.sum();
            result.kl += out.logprob - out.reference_logprob;
            result.replies.push_back(std::move(out));
        }
        if (progress) {
            progress(static_cast<double>(end) / static_cast<double>(request.prompts.size()));
        }
    }
    result.kl = result.replies.empty() ? 0 : result.kl / static_cast<double>(result.replies.size());
    return result;
}

}  // namespace plumbline
