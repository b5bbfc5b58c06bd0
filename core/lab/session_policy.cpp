// What a click makes of the policy: steps on the person's answers, or on replies that the policy writes now.

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/lab/session.h"

namespace plumbline {

// A tie says nothing of what to prefer; a label held out teaches nobody.
bool Session::teaches_policy(const StoredLabel& label) const {
    return label.verdict.choice != Choice::tie && label.verdict.choice != Choice::skip && !is_heldout(label.id);
}

void Session::learn_policy(Lesson& lesson, const Pulse& pulse) {
    const LiveConfig& live = config_.live;
    if (std::none_of(lesson.clicks.begin(), lesson.clicks.end(),
                     [&](const Click& click) { return teaches_policy(click.label); })) {
        return;
    }
    for (int i = 0; i < live.steps_per_click; ++i) {
        const double group_kl = kl();
        Learner::Update update;
        switch (info(live.algorithm).learns_from) {
            case LearnsFrom::pairs: {
                const std::vector<PreferencePair> pairs = training_pairs(lesson, pulse);
                if (pairs.empty()) {
                    return;   // both bad, thumbs of one kind: nothing to compare
                }
                update = learner_.step_pairs(pairs, live, group_kl, pulse);
                break;
            }
            case LearnsFrom::replies: {
                const std::vector<KtoReply> replies = rated_replies(lesson, pulse);
                if (replies.empty()) {
                    return;
                }
                update = learner_.step_replies(replies, live, group_kl, pulse);
                break;
            }
            case LearnsFrom::samples: {
                const Learner::Samples drawn = samples(pulse);
                std::vector<DrawnReply> replies;
                for (const Rollout& r : drawn.rollouts) {
                    const std::span<const int> ids(r.sequence.ids);
                    replies.push_back({ids.subspan(r.sequence.prompt_length), r.logprobs, r.ended});
                }
                guard_against_collapse(replies);
                update = learner_.step_samples(drawn, live, pulse);
                break;
            }
        }
        if (info(live.algorithm).learns_from != LearnsFrom::samples) {
            guard_against_collapse(latest_replies());
            add_latest_replies(update.metrics, pulse);
            update.metrics["objective/kl"] = group_kl;
        }
        for (const auto& [name, value] : update.metrics) {
            lesson.points.push_back({name, lesson.label, static_cast<double>(policy_steps()), value});
        }
        lesson.events.push_back({0, "policy",
                                 nlohmann::json{{"label", lesson.label},
                                                {"step", policy_steps()},
                                                {"algorithm", info(live.algorithm).name}}
                                     .dump(),
                                 learner_.weights_hash(pulse)});
        emit_(PolicyStepped{lesson.label, policy_steps(), live.algorithm, update.metrics["loss/policy"], update.lr,
                            update.note});
    }
}

// The replies of the latest groups, newest first.
std::vector<DrawnReply> Session::latest_replies() const {
    constexpr int groups = 3;
    std::vector<DrawnReply> out;
    int left = groups;
    for (auto it = generations_.rbegin(); it != generations_.rend() && left > 0; ++it, --left) {
        for (const StoredCandidate& c : it->second.candidates) {
            out.push_back({c.ids, c.logprobs, c.finish == Finish::eos});
        }
    }
    return out;
}

// Against the replies that the policy wrote before it learned anything, and as many more of its first ones as a judgement
// needs.
void Session::guard_against_collapse(std::span<const DrawnReply> now) const {
    const double guard = config_.live.collapse_guard;
    if (guard == 0) {
        return;
    }
    CollapseLimits limits;
    std::vector<DrawnReply> first;
    for (const auto& [id, generation] : generations_) {
        if (generation.policy_version > 0 && static_cast<int>(first.size()) >= limits.fewest_first) {
            break;
        }
        for (const StoredCandidate& c : generation.candidates) {
            first.push_back({c.ids, c.logprobs, c.finish == Finish::eos});
        }
    }
    limits.entropy_share = std::min(1.0, limits.entropy_share / guard);
    limits.repetition_rise = std::min(1.0, limits.repetition_rise * guard);
    limits.length_factor = std::clamp(limits.length_factor * guard, 1.0, 100.0);
    limits.eos_fall = std::min(1.0, limits.eos_fall * guard);
    if (const auto words = collapse(reply_statistics(first), reply_statistics(now), limits)) {
        throw Collapsed(*words);
    }
}

// Where the policy stands by the reward, on the replies drawn last.
void Session::add_latest_replies(Metrics& metrics, const Pulse& pulse) const {
    const StoredGeneration& latest = generations_.rbegin()->second;
    const auto n = static_cast<double>(latest.candidates.size());
    for (const StoredCandidate& c : latest.candidates) {
        metrics["objective/score"] += normalised(model_score(sequence_of(latest, c.id), c.features, pulse)) / n;
        metrics["tokens/response_length"] += static_cast<double>(c.ids.size()) / n;
        metrics["tokens/eos_rate"] += (c.finish == Finish::eos) / n;
        for (const float logprob : c.logprobs) {
            metrics["objective/entropy"] -= logprob / n;
        }
    }
}

}  // namespace plumbline
