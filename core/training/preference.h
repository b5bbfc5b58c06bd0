#pragma once
// Direct preference optimisation in all its forms: what pairs contribute to the gradient. Leaves out:
// choosing the pairs, the reference's log-probs, the optimiser's step.

#include <span>

#include "core/losses/pair_losses.h"
#include "core/model/adapter.h"
#include "core/model/decoder.h"
#include "core/training/metrics.h"
#include "core/training/preference_pair.h"

namespace plumbline {

/// Adds the gradient of the mean of `loss` over `pairs` to the adapter's .grad, one pair at a time, and
/// returns the batch's metrics: loss/policy, rewards/chosen, rewards/rejected, rewards/margin,
/// rewards/accuracy, logps/chosen, logps/rejected. No pairs: no gradient, no metrics. Throws Error for a
/// reply of no tokens, NonFinite before a bad loss reaches a gradient, Stopped between pairs.
Metrics preference_gradients(const Decoder& decoder, const Adapter& adapter,
                             std::span<const PreferencePair> pairs, const PairLoss& loss,
                             const PairLossSettings& settings, const Pulse& pulse);

}  // namespace plumbline
