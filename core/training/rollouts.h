#pragma once
// On-policy replies with their prices: what a policy-gradient step trains on.

#include <functional>
#include <vector>

#include "core/sampling/generator.h"
#include "core/training/rloo.h"

namespace plumbline {

/// The score of a reply, given what the backbone says of it.
using RolloutScore = std::function<double(const Sequence& sequence, const ReferenceFacts& facts)>;

/// Draws request.samples replies a prompt from the policy, without truncation (the ratio and the KL are of the whole
/// distribution), and scores them. `reference`: nullptr for the backbone. Grouped by prompt, in order.
std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const RolloutScore& score, const Pulse& pulse);

}  // namespace plumbline
