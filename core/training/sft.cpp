#include "core/training/sft.h"

#include <ATen/ATen.h>

#include "core/training/finite.h"
#include "core/training/policy.h"

namespace plumbline {

using at::Tensor;

Metrics sft_gradients(const Decoder& decoder, const Adapter& adapter, std::span<const Demonstration> examples,
                      double divisor, const Pulse& pulse) {
    double tokens = 0;
    for (const Demonstration& example : examples) {
        tokens += example.sequence.reply_length();
    }
    if (tokens == 0) {
        return {};
    }
    double nats = 0;
    for (const Demonstration& example : examples) {
        pulse.check();
        if (example.sequence.reply_length() == 0) {
            continue;
        }
        const PackedBatch batch = pack({&example.sequence, 1});
        const Tensor loss = -policy_logprobs(decoder, &adapter, batch, example.lower, 1.0, pulse).sum();
        nats += finite(loss.item<double>(), "the loss of a demonstration");
        (loss / (divisor > 0 ? divisor : tokens)).backward();
    }
    return {{"loss/policy", nats / tokens},
            {"tokens/response_length", tokens / static_cast<double>(examples.size())}};
}

}  // namespace plumbline
