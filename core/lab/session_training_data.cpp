// What the policy trains on: labelled pairs with their cached lower states, and on-policy replies.

#include <ATen/ATen.h>

#include <algorithm>

#include "core/lab/memory_need.h"
#include "core/lab/session.h"
#include "core/training/rollouts.h"

namespace plumbline {

using at::Tensor;

std::vector<int> Session::prompt_ids(const StoredGeneration& generation) const {
    const std::string& text = prompt_text(generation.prompt_id);
    if (generation.earlier.empty()) {
        return model_->chat_prompt(generation.system_prompt, text);
    }
    std::vector<Message> dialogue;
    if (!generation.system_prompt.empty()) {
        dialogue.push_back({"system", generation.system_prompt});
    }
    dialogue.insert(dialogue.end(), generation.earlier.begin(), generation.earlier.end());
    dialogue.push_back({"user", text});
    return model_->render(dialogue);
}

Sequence Session::sequence_of(const StoredGeneration& generation, std::int64_t id) const {
    return join(prompt_ids(generation), candidate(generation, id).ids);
}

// Each reply alone, so that a state from the cache and one computed again are equal to the last bit.
Tensor Session::lower_states(std::int64_t id, const Sequence& sequence, const Pulse& pulse) {
    if (learner_.adapter().owns_embedding()) {
        return {};   // no state of the backbone is of use
    }
    if (const auto cached = lower_.find(id); cached != lower_.end()) {
        return cached->second;
    }
    const Tensor states = reference_facts(model_->decoder(), {&sequence, 1}, learner_.adapter().first_block(), 1.0,
                                          Want::lower_only, pulse)
                              .front()
                              .lower;
    if (lower_.size() == memory::kept_replies) {
        lower_.erase(lower_.begin());   // the oldest
    }
    lower_[id] = states;
    return states;
}

// Candidates (better, worse) that an answer implies.
std::vector<std::pair<std::int64_t, std::int64_t>> Session::implied_pairs(const Click& click) const {
    const std::vector<std::int64_t> shown = generation(click.label.generation_id).shown();
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    for (const auto& [better, worse] : plumbline::implied_pairs(click.label.verdict, static_cast<int>(shown.size()))) {
        out.emplace_back(shown[static_cast<std::size_t>(better)], shown[static_cast<std::size_t>(worse)]);
    }
    return out;
}

PreferencePair Session::preference_pair(const ImpliedPair& implied, const Pulse& pulse) {
    const StoredGeneration& g = generation(implied.generation);
    PreferencePair pair;
    pair.chosen = sequence_of(g, implied.better);
    pair.rejected = sequence_of(g, implied.worse);
    pair.chosen_lower = lower_states(implied.better, pair.chosen, pulse);
    pair.rejected_lower = lower_states(implied.worse, pair.rejected, pulse);
    pair.reference_chosen = reference_sum(g, implied.better);
    pair.reference_rejected = reference_sum(g, implied.worse);
    return pair;
}

double Session::reference_sum(const StoredGeneration& generation, std::int64_t id) const {
    double sum = 0;
    for (const float l : candidate(generation, id).reference_logprobs_t1) {
        sum += l;
    }
    return sum;
}

// The new pairs and some earlier ones, drawn without replacement; none where the answer compares nothing.
std::vector<PreferencePair> Session::training_pairs(const Lesson& lesson, const Pulse& pulse) {
    std::vector<ImpliedPair> batch, earlier;
    for (const Click& click : lesson.clicks) {
        if (teaches_policy(click.label)) {
            for (const auto& [better, worse] : implied_pairs(click)) {
                batch.push_back({click.label.generation_id, better, worse});
            }
        }
    }
    if (batch.empty()) {
        return {};
    }
    for (const Click* c : clicks_before(lesson)) {
        for (const auto& [better, worse] : implied_pairs(*c)) {
            earlier.push_back({c->label.generation_id, better, worse});
        }
    }
    draw_replayed(earlier, batch);
    std::vector<PreferencePair> pairs;
    for (const ImpliedPair& implied : batch) {
        pairs.push_back(preference_pair(implied, pulse));
    }
    return pairs;
}

/// Moves some of `earlier` to `batch`, without replacement.
template <class Item>
void Session::draw_replayed(std::vector<Item>& earlier, std::vector<Item>& batch) const {
    for (int i = 0; i < config_.live.replay_pairs && !earlier.empty(); ++i) {
        const double u = uniform(config_.seed, Use::replay, static_cast<std::uint64_t>(policy_steps()),
                                 static_cast<std::uint32_t>(i));
        const auto chosen = earlier.begin() + static_cast<std::ptrdiff_t>(u * static_cast<double>(earlier.size()));
        batch.push_back(*chosen);
        earlier.erase(chosen);
    }
}

// Good and bad replies of an answer: thumbs as they are; of a pair the better and the worse; of a ranking its first and
// those at its end.
std::vector<Session::RatedReply> Session::rated(const Click& click) const {
    const std::vector<std::int64_t> shown = generation(click.label.generation_id).shown();
    const Verdict& verdict = click.label.verdict;
    std::vector<RatedReply> out;
    const auto rate = [&](std::size_t place, bool good) {
        out.push_back({click.label.generation_id, shown[place], good});
    };
    switch (verdict.choice) {
        case Choice::left: rate(0, true); rate(1, false); break;
        case Choice::right: rate(1, true); rate(0, false); break;
        case Choice::both_bad: rate(0, false); rate(1, false); break;
        case Choice::ranking:
            rate(verdict.places.front(), true);
            for (std::size_t place = 0; place < shown.size(); ++place) {
                const auto found = std::find(verdict.places.begin(), verdict.places.end(), static_cast<int>(place));
                const bool unplaced = found == verdict.places.end();
                if (unplaced || (found + 1 == verdict.places.end() && verdict.places.size() == shown.size())) {
                    rate(place, false);
                }
            }
            break;
        case Choice::thumbs:
            for (std::size_t place = 0; place < shown.size(); ++place) {
                if (verdict.places[place] != 0) {
                    rate(place, verdict.places[place] > 0);
                }
            }
            break;
        default: break;
    }
    return out;
}

std::vector<KtoReply> Session::rated_replies(const Lesson& lesson, const Pulse& pulse) {
    std::vector<RatedReply> batch, earlier;
    for (const Click& click : lesson.clicks) {
        if (teaches_policy(click.label)) {
            for (const RatedReply& reply : rated(click)) {
                batch.push_back(reply);
            }
        }
    }
    for (const Click* c : clicks_before(lesson)) {
        for (const RatedReply& reply : rated(*c)) {
            earlier.push_back(reply);
        }
    }
    draw_replayed(earlier, batch);
    std::vector<KtoReply> replies;
    for (const RatedReply& r : batch) {
        const StoredGeneration& g = generation(r.generation);
        KtoReply reply;
        reply.sequence = sequence_of(g, r.candidate);
        reply.lower = lower_states(r.candidate, reply.sequence, pulse);
        reply.reference_logprob = reference_sum(g, r.candidate);
        reply.desirable = r.good;
        replies.push_back(std::move(reply));
    }
    return replies;
}

// On-policy replies to prompts that the person has seen, scored by the session's reward.
Learner::Samples Session::samples(const Pulse& pulse) const {
    std::vector<std::int64_t> seen;
    for (const auto& [id, generation] : generations_) {
        if (std::find(seen.begin(), seen.end(), generation.prompt_id) == seen.end()) {
            seen.push_back(generation.prompt_id);
        }
    }
    const LiveConfig& live = config_.live;
    const auto step = static_cast<std::uint64_t>(policy_steps());
    std::vector<GenerationPrompt> prompts;
    std::vector<std::string> texts;
    for (int i = 0; i < live.prompts && !seen.empty(); ++i) {
        const double u = uniform(config_.seed, Use::rollouts, step, static_cast<std::uint32_t>(i));
        const auto chosen = seen.begin() + static_cast<std::ptrdiff_t>(u * static_cast<double>(seen.size()));
        texts.push_back(prompt_text(*chosen));
        prompts.push_back({prompt_ids(texts.back()), static_cast<std::uint32_t>(step * 64 + i)});
        seen.erase(chosen);
    }
    GenerationRequest request;
    request.prompts = prompts;
    request.samples = live.group_size;
    request.sampling = config_.sampling;
    request.sampling.temperature = scoring_temperature();
    request.seed = config_.seed;
    request.stream = static_cast<std::uint32_t>(Use::rollouts);
    request.ends = model_->ends();

    Learner::Samples out;
    const RewardMix mix = parse_reward_mix(live.reward);
    const auto score = [&](const Sequence& sequence, const ReferenceFacts& facts) {
        out.reference_t1.push_back(facts.sum_t1());
        const std::size_t prompt = (out.reference_t1.size() - 1) / static_cast<std::size_t>(live.group_size);
        return mixed_score(mix, texts[prompt], sequence, facts, pulse);
    };
    const Passes passes = live.algorithm == Algorithm::ppo ? Passes::many : Passes::one;
    out.rollouts = draw_rollouts(model_->decoder(), learner_.adapter(), nullptr, request, score, passes, pulse);
    out.temperature = scoring_temperature();
    out.max_new_tokens = config_.sampling.max_new_tokens;
    out.seed = config_.seed;
    return out;
}

RolloutScore Session::mixed_score(const RewardMix& mix, const std::string& prompt, const Sequence& sequence,
                                  const ReferenceFacts& facts, const Pulse& pulse) const {
    const double by_model = mix.needs_model() ? normalised(model_score(sequence, facts.features, pulse)) : 0;
    RuleInput input;
    input.prompt = prompt;
    const std::vector<int> reply(sequence.ids.begin() + sequence.prompt_length, sequence.ids.end());
    input.text = model_->tokenizer().decode(reply, /*skip_special=*/true);
    input.tokens = sequence.reply_length();
    input.ended = !reply.empty() && model_->ends().contains(reply.back());
    input.mean_reference_logprob = facts.sum_t1() / std::max(1, sequence.reply_length());
    const RewardScore scored = mix.score(input, by_model);
    RolloutScore out(scored.total);
    if (scored.parts.size() > 1) {
        for (const RewardScore::Part& part : scored.parts) {
            out.parts[part.name] = part.value;
        }
    }
    return out;
}

double Session::scoring_temperature() const {
    return config_.sampling.temperature > 0 ? config_.sampling.temperature : 1.0;
}

}  // namespace plumbline
