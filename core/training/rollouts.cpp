#include "core/training/rollouts.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>

namespace plumbline {

std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const RolloutScore& score, const Pulse& pulse) {
    at::NoGradGuard no_grad;
    request.sampling.top_k = 0;
    request.sampling.top_p = 1;
    request.sampling.min_p = 0;
    const double temperature = request.sampling.temperature;
    std::vector<Rollout> rollouts;
    for (const Reply& reply : generate_replies(decoder, &policy, request, pulse)) {
        Rollout rollout;
        rollout.sequence = join(request.prompts[reply.prompt].ids, reply.ids);
        const ReferenceFacts facts = reference_facts(decoder, {&rollout.sequence, 1}, policy.first_block(), temperature,
                                                     Want::everything, pulse)
                                         .front();
        rollout.lower = facts.lower;
        rollout.logprob = std::accumulate(reply.logprobs.begin(), reply.logprobs.end(), 0.0);
        rollout.reference_logprob =
            reference ? policy_logprobs(decoder, reference, pack({&rollout.sequence, 1}), {}, temperature, pulse)
                            .sum()
                            .item<double>()
                      : facts.sum();
        rollout.ended = reply.finish == Finish::eos;
        rollout.score = score(rollout.sequence, facts);
        rollouts.push_back(std::move(rollout));
    }
    return rollouts;
}

}  // namespace plumbline
