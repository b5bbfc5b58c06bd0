#pragma once
// On-policy replies with their prices: what a policy-gradient step trains on.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/sampling/generator.h"
#include "core/training/policy.h"

namespace plumbline {

/// What a reply earned: in all, and each part by name where there are several.
struct RolloutScore {
    RolloutScore() = default;
    RolloutScore(double score) : total(score) {}  // one part needs no name
    double total = 0;
    std::map<std::string, double> parts;
};

/// One sampled reply of T tokens with its price. Rollouts of one prompt stand together.
struct Rollout {
    Sequence sequence;
    at::Tensor lower;                       // states entering the adapter's first block; may be undefined
    std::vector<float> logprobs;            // (T) policy when sampled, at the sampling temperature
    std::vector<float> reference_logprobs;  // (T) reference, the same way
    RolloutScore score;
    bool ended = true;  // with EOS

    double logprob() const;  // sums, 0 for a reply of no tokens
    double reference_logprob() const;
};

/// The score of a reply, given what the backbone says of it.
using ScoreReply = std::function<RolloutScore(const Sequence& sequence, const ReferenceFacts& facts)>;

/// Draws request.samples replies a prompt from the policy, without truncation (the ratio and the KL are of
/// the whole distribution), and scores them. `reference`: nullptr for the backbone. Grouped by prompt, in
/// order.
std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const ScoreReply& score, const Pulse& pulse);

}  // namespace plumbline
