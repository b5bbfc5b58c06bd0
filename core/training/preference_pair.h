#pragma once
// Two replies to one prompt, one preferred, with what the reference says of them.

#include <ATen/core/Tensor.h>

#include "core/model/packed_batch.h"

namespace plumbline {

/// The reference's log-probs are sums over reply tokens at temperature 1, nats. `lower` tensors, (T, D)
/// states entering the adapter's first block, may be undefined: they are then computed.
struct PreferencePair {
    Sequence chosen, rejected;
    at::Tensor chosen_lower, rejected_lower;
    double reference_chosen = 0, reference_rejected = 0;
};

}  // namespace plumbline
