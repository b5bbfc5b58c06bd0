#include "core/training/rollouts.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "core/sampling/token_sampler.h"
#include "core/training/optimizer.h"
#include "core/training/policy_gradient.h"

namespace plumbline {

namespace {

std::vector<float> logprobs_under(const Decoder& decoder, const Adapter& adapter, const Sequence& sequence,
                                  double temperature, const Pulse& pulse) {
    const at::Tensor logprobs =
        policy_logprobs(decoder, &adapter, pack({&sequence, 1}), {}, temperature, pulse).contiguous();  // (T)
    return {logprobs.const_data_ptr<float>(), logprobs.const_data_ptr<float>() + logprobs.numel()};
}

// By the very pass that a step takes, over the group as it packs it.
void score_again(const Decoder& decoder, const Adapter& policy, std::span<Rollout> group, double temperature,
                 const Pulse& pulse) {
    const RolloutBatch batch = batch_of(group, policy);
    if (batch.packed.targets.numel() == 0) {
        return;
    }
    const at::Tensor logprobs =
        policy_logprobs(decoder, &policy, batch.packed, batch.lower, temperature, pulse)
            .to(at::kCPU)
            .contiguous();  // (M)
    const float* next = logprobs.const_data_ptr<float>();
    for (Rollout& rollout : group) {
        std::copy_n(next, rollout.logprobs.size(), rollout.logprobs.begin());
        next += rollout.logprobs.size();
    }
}

}  // namespace

double Rollout::logprob() const {
    return std::accumulate(logprobs.begin(), logprobs.end(), 0.0);
}

double Rollout::reference_logprob() const {
    return std::accumulate(reference_logprobs.begin(), reference_logprobs.end(), 0.0);
}

namespace {

/// A policy that training has driven beyond what can be sampled is training's failure.
std::vector<Reply> replies_of(const Decoder& decoder, const Adapter& policy, const GenerationRequest& request,
                              const Pulse& pulse) {
    try {
        return generate_replies(decoder, &policy, request, pulse);
    } catch (const OutputNotFinite&) {
        throw NonFinite("the policy's output is not finite");
    }
}

}  // namespace

std::vector<Rollout> draw_rollouts(const Decoder& decoder, const Adapter& policy, const Adapter* reference,
                                   GenerationRequest request, const ScoreReply& score, Passes passes,
                                   const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    request.sampling.top_k = 0;
    request.sampling.top_p = 1;
    request.sampling.min_p = 0;
    const double temperature = request.sampling.temperature;
    std::vector<Rollout> rollouts;
    std::vector<Sequence> sequences;
    for (Reply& reply : replies_of(decoder, policy, request, pulse)) {
        Rollout rollout;
        rollout.sequence = join(request.prompts[reply.prompt].ids, reply.ids);
        rollout.logprobs = std::move(reply.logprobs);
        rollout.ended = reply.finish == Finish::eos;
        sequences.push_back(rollout.sequence);
        rollouts.push_back(std::move(rollout));
    }
    const auto samples = static_cast<std::size_t>(request.samples);
    for (std::size_t begin = 0; begin < rollouts.size(); begin += samples) {  // a prompt's at once
        const std::span<Rollout> group = std::span(rollouts).subspan(begin, samples);
        const std::vector<ReferenceFacts> facts =
            reference_facts(decoder, std::span(sequences).subspan(begin, samples), policy.first_block(),
                            temperature, Want::everything, pulse, Prompts::shared);
        for (std::size_t i = 0; i < samples; ++i) {
            Rollout& rollout = group[i];
            rollout.lower = facts[i].lower;
            rollout.reference_logprobs =
                reference ? logprobs_under(decoder, *reference, rollout.sequence, temperature, pulse)
                          : facts[i].logprobs;
            rollout.score = score(rollout.sequence, facts[i]);
        }
        if (decoder.head().precision() == Precision::f32) {
            continue;
        }
        if (passes == Passes::many) {
            score_again(decoder, policy, group, temperature, pulse);
        } else {
            std::ranges::for_each(group, [](Rollout& rollout) { rollout.rounded = true; });
        }
    }
    return rollouts;
}

}  // namespace plumbline
