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
    bool ended = true;     // with EOS
    bool rounded = false;  // logprobs are as the sampler rounded them: see Passes

    double logprob() const;  // sums, 0 for a reply of no tokens
    double reference_logprob() const;
};

/// The score of a reply, given what the backbone says of it.
using ScoreReply = std::function<RolloutScore(const Sequence& sequence, const ReferenceFacts& facts)>;

/// How many passes learn from rollouts. In bf16 a product of few rows and one of many round apart, and a few
/// blocks make whole percents of it in a ratio. many: the rollouts are scored once more as the passes pack
/// them, and those log-probabilities replace the sampler's. one: that pass is itself the policy that drew
/// them, and takes its own (old_logprobs), which saves the scoring; until then they are marked `rounded`. In
/// f32 both leave the sampler's.
enum class Passes { one, many };

/// Draws request.samples replies a prompt from the policy, without truncation (the ratio and the KL are of
/// the whole distribution), and scores them. `reference`: nullptr for the backbone. Grouped by prompt, in
/// order.
std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const ScoreReply& score, Passes passes,
                                   const Pulse& pulse);

}  // namespace plumbline
