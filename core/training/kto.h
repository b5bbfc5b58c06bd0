#pragma once
// KTO (2402.01306): learning from single replies called good or bad. Leaves out: choosing the replies, the
// optimiser's step.

#include <optional>
#include <span>
#include <vector>

#include "core/model/adapter.h"
#include "core/model/decoder.h"
#include "core/training/metrics.h"

namespace plumbline {

/// `lower` may be undefined. The reference's log-prob is summed over reply tokens at temperature 1, nats.
struct KtoReply {
    Sequence sequence;
    at::Tensor lower;
    double reference_logprob = 0;
    bool desirable = true;
};

struct KtoSettings {
    double beta = 0.1;              // KL weight, above 0
    double desirable_weight = 1;    // 0..100
    double undesirable_weight = 1;  // 0..100
    /// z, nats a reply, when it was measured elsewhere, on rollouts say; else it comes from mismatched pairs.
    std::optional<double> kl = std::nullopt;
};

/// Each reply behind the prompt of the next one, the last behind the first's: what z is estimated from, as
/// TRL does. Empty for fewer than two replies.
std::vector<Sequence> mismatched(std::span<const KtoReply> replies);

/// Adds the gradient of the mean KTO loss to the adapter's .grad, one reply at a time. z is settings.kl, or
/// the mean log-ratio of the mismatched pairs, at least 0; one reply alone has z = 0. `reference`: nullptr
/// for the backbone, asked only for z. Metrics: loss/policy, objective/kl (z), rewards/chosen and
/// rewards/rejected (means over the desirable and the others), rewards/margin (where there are both),
/// logps/chosen, logps/rejected. No replies: nothing. Throws Error for a reply of no tokens, NonFinite,
/// Stopped.
Metrics kto_gradients(const Decoder& decoder, const Adapter& adapter, const Adapter* reference,
                      std::span<const KtoReply> replies, const KtoSettings& settings, const Pulse& pulse);

}  // namespace plumbline
