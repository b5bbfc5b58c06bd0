// What the policy trains on: labelled pairs with their cached lower states, and on-policy replies.

#include <ATen/ATen.h>

#include <algorithm>

#include "core/lab/session.h"
#include "core/training/rollouts.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::size_t lower_cache_limit = std::size_t{256} << 20;   // bytes

}  // namespace

Sequence Session::sequence_of(const StoredGeneration& generation, std::int64_t id) const {
    return join(model_->chat_prompt(generation.system_prompt, prompt_text(generation.prompt_id)),
                candidate(generation, id).ids);
}

// Each reply alone, so that a state from the cache and one computed again are equal to the last bit.
Tensor Session::lower_states(std::int64_t id, const Sequence& sequence, const Pulse& pulse) {
    if (const auto cached = lower_.find(id); cached != lower_.end()) {
        return cached->second;
    }
    const Tensor states = reference_facts(model_->decoder(), {&sequence, 1}, learner_.adapter().first_block(), 1.0,
                                          Want::lower_only, pulse)
                              .front()
                              .lower;
    lower_bytes_ += states.nbytes();
    while (lower_bytes_ > lower_cache_limit && !lower_.empty()) {
        lower_bytes_ -= lower_.begin()->second.nbytes();   // the oldest reply
        lower_.erase(lower_.begin());
    }
    lower_[id] = states;
    return states;
}

PreferencePair Session::preference_pair(const Click& click, const Pulse& pulse) {
    const StoredGeneration& g = generations_.at(click.label.generation_id);
    const bool left_better = click.label.choice == Choice::left;
    const std::int64_t chosen = left_better ? g.left : g.right, rejected = left_better ? g.right : g.left;
    PreferencePair pair;
    pair.chosen = sequence_of(g, chosen);
    pair.rejected = sequence_of(g, rejected);
    pair.chosen_lower = lower_states(chosen, pair.chosen, pulse);
    pair.rejected_lower = lower_states(rejected, pair.rejected, pulse);
    for (const float l : candidate(g, chosen).reference_logprobs_t1) {
        pair.reference_chosen += l;
    }
    for (const float l : candidate(g, rejected).reference_logprobs_t1) {
        pair.reference_rejected += l;
    }
    return pair;
}

// The new pair and some earlier ones, drawn without replacement.
std::vector<PreferencePair> Session::training_pairs(const Click& click, const Pulse& pulse) {
    std::vector<const Click*> earlier;
    for (const Click* c : clicks_until(click.label.id - 1)) {
        if (is_preference(c->label.choice)) {
            earlier.push_back(c);
        }
    }
    std::vector<Click> batch{click};
    for (int i = 0; i < config_.live.replay_pairs && !earlier.empty(); ++i) {
        const double u = uniform(config_.seed, Use::replay, static_cast<std::uint64_t>(policy_steps()),
                                 static_cast<std::uint32_t>(i));
        const auto chosen = earlier.begin() + static_cast<std::ptrdiff_t>(u * static_cast<double>(earlier.size()));
        batch.push_back(**chosen);
        earlier.erase(chosen);
    }
    std::vector<PreferencePair> pairs;
    for (const Click& c : batch) {
        pairs.push_back(preference_pair(c, pulse));
    }
    return pairs;
}

// On-policy replies to prompts that the person has seen, scored by the reward model.
std::vector<Rollout> Session::rollouts(const Pulse& pulse) const {
    std::vector<std::int64_t> seen;
    for (const auto& [id, generation] : generations_) {
        if (std::find(seen.begin(), seen.end(), generation.prompt_id) == seen.end()) {
            seen.push_back(generation.prompt_id);
        }
    }
    const LiveConfig& live = config_.live;
    const auto step = static_cast<std::uint64_t>(policy_steps());
    std::vector<GenerationPrompt> prompts;
    for (int i = 0; i < live.rloo_prompts && !seen.empty(); ++i) {
        const double u = uniform(config_.seed, Use::rollouts, step, static_cast<std::uint32_t>(i));
        const auto chosen = seen.begin() + static_cast<std::ptrdiff_t>(u * static_cast<double>(seen.size()));
        prompts.push_back({prompt_ids(prompt_text(*chosen)), static_cast<std::uint32_t>(step * 64 + i)});
        seen.erase(chosen);
    }
    GenerationRequest request;
    request.prompts = prompts;
    request.samples = live.rloo_group;
    request.sampling = config_.sampling;
    request.sampling.temperature = scoring_temperature();
    request.seed = config_.seed;
    request.stream = static_cast<std::uint32_t>(Use::rollouts);
    request.eos = model_->tokenizer().eos();
    const auto score = [this](const Sequence& sequence, const ReferenceFacts& facts) {
        return normalised_score(LinearReward::raw_features(facts.features, sequence.reply_length()));
    };
    return draw_rollouts(model_->decoder(), learner_.adapter(), nullptr, request, score, pulse);
}

double Session::scoring_temperature() const {
    return config_.sampling.temperature > 0 ? config_.sampling.temperature : 1.0;
}

}  // namespace plumbline
