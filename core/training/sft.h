#pragma once
// Supervised fine-tuning: next-word loss on the replies only. Leaves out: choosing the examples, the
// optimiser's step.

#include <span>

#include "core/model/adapter.h"
#include "core/model/decoder.h"
#include "core/training/metrics.h"

namespace plumbline {

/// A prompt and the reply to imitate. For plain text the prompt is its first token. `lower` may be undefined.
struct Demonstration {
    Sequence sequence;
    at::Tensor lower;
};

/// Adds the gradient of -sum log pi(token) / divisor, over all reply tokens, to the adapter's .grad, one
/// example at a time. `divisor` 0: the batch's own reply tokens, so the loss is a mean. A constant suits
/// batches sorted by length, where the mean would weigh the tokens of short replies more. Metrics, means over
/// real tokens whatever the divisor: loss/policy (nats a token), tokens/response_length. No reply tokens: no
/// gradient; no examples: no metrics either. Throws NonFinite, Stopped.
Metrics sft_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Demonstration> examples,
                      double divisor, const Pulse& pulse);

}  // namespace plumbline
