#pragma once
// Replies from a model: N of one prompt, or of several prompts, in one batch.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/api/configs.h"
#include "core/api/events.h"
#include "core/model/decoder.h"
#include "core/model/pulse.h"
#include "core/sampling/counter_random.h"
#include "core/text/reply_ends.h"

namespace plumbline {

/// A prompt to answer and where its random numbers come from.
struct GenerationPrompt {
    std::vector<int> ids;
    std::uint32_t number = 0;   // RandomPlace::prompt
};

struct Reply {
    int prompt = 0;                // index into the prompts
    int sample = 0;                // index within the prompt
    std::vector<int> ids;          // the token that ended it included
    std::vector<float> logprobs;   // at the sampling temperature, before truncation
    Finish finish = Finish::length;
};

struct GenerationRequest {
    std::span<const GenerationPrompt> prompts;
    int samples = 1;               // a prompt
    SamplingConfig sampling;
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;
    ReplyEnds ends;                // none: only the length ends a reply
};

/// Called for each new token: (row of the batch, id, ended).
using TokenSink = std::function<void(int row, int id, bool ended)>;

/// Replies ordered by prompt, then sample. Knows nothing of text. Throws Stopped at the next token after a stop.
std::vector<Reply> generate_replies(const Decoder& decoder, const Adapter* adapter, const GenerationRequest& request,
                                    const Pulse& pulse, const TokenSink& on_token = {});

}  // namespace plumbline
