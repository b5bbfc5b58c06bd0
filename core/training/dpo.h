#pragma once
// Direct preference optimisation: what a pair contributes to the gradient. Leaves out: choosing the pairs, the
// optimiser's step.

#include <map>
#include <span>
#include <string>

#include "core/training/policy.h"

namespace plumbline {

/// A pair with the reference's summed log-probs at temperature 1. `lower` tensors may be undefined.
struct PreferencePair {
    Sequence chosen, rejected;
    at::Tensor chosen_lower, rejected_lower;
    double reference_chosen = 0, reference_rejected = 0;
};

using Metrics = std::map<std::string, double>;   // names as in the metrics list

/// Adds the gradient of the mean DPO loss over `pairs` to the adapter's .grad, one pair at a time, and returns the
/// batch's metrics (loss/policy, rewards/..., logps/...). Throws NonFinite before a bad loss reaches a gradient, Stopped
/// between pairs.
Metrics dpo_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const PreferencePair> pairs,
                      double beta, const Pulse& pulse);

}  // namespace plumbline
