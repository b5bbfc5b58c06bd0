#include "core/training/rollouts.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <numeric>

namespace plumbline {

namespace {

std::vector<float> logprobs_under(const Decoder& decoder, const Adapter& adapter, const Sequence& sequence,
                                  double temperature, const Pulse& pulse) {
    const at::Tensor logprobs =
        policy_logprobs(decoder, &adapter, pack({&sequence, 1}), {}, temperature, pulse).contiguous();  // (T)
    return {logprobs.const_data_ptr<float>(), logprobs.const_data_ptr<float>() + logprobs.numel()};
}

}  // namespace

double Rollout::logprob() const {
    return std::accumulate(logprobs.begin(), logprobs.end(), 0.0);
}

double Rollout::reference_logprob() const {
    return std::accumulate(reference_logprobs.begin(), reference_logprobs.end(), 0.0);
}

std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const ScoreReply& score, const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    request.sampling.top_k = 0;
    request.sampling.top_p = 1;
    request.sampling.min_p = 0;
    const double temperature = request.sampling.temperature;
    std::vector<Rollout> rollouts;
    for (Reply& reply : generate_replies(decoder, &policy, request, pulse)) {
        Rollout rollout;
        rollout.sequence = join(request.prompts[reply.prompt].ids, reply.ids);
        const ReferenceFacts facts = reference_facts(decoder, {&rollout.sequence, 1}, policy.first_block(),
                                                     temperature, Want::everything, pulse)
                                         .front();
        rollout.lower = facts.lower;
        rollout.logprobs = std::move(reply.logprobs);
        rollout.reference_logprobs =
            reference ? logprobs_under(decoder, *reference, rollout.sequence, temperature, pulse)
                      : facts.logprobs;
        rollout.ended = reply.finish == Finish::eos;
        rollout.score = score(rollout.sequence, facts);
        rollouts.push_back(std::move(rollout));
    }
    return rollouts;
}

}  // namespace plumbline
