#pragma once
// The forward passes that training and scoring share: policy log-probs through the adapter, reference facts once a reply.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder.h"
#include "core/api/configs.h"
#include "core/model/adapter.h"
#include "core/model/packed_batch.h"

namespace plumbline {

/// A policy that starts as the backbone, ready to train.
std::unique_ptr<Adapter> new_policy(const Decoder& decoder, const LoraConfig& config, std::uint64_t seed);

/// A reply with all that the frozen backbone says of it, computed once: training needs no more of the lower blocks.
struct ReferenceFacts {
    at::Tensor lower;                        // (T, D) states entering the first adapted block
    std::vector<float> features;             // D mean over reply tokens of the states entering the middle block
    std::vector<float> logprobs;             // per reply token, at `temperature`
    std::vector<float> logprobs_t1;          // the same at temperature 1

    double sum() const;
    double sum_t1() const;
};

enum class Want { everything, lower_only };

/// One pass of the backbone over all sequences. `first_block`: the adapter's.
std::vector<ReferenceFacts> reference_facts(const Decoder& decoder, std::span<const Sequence> sequences,
                                            int first_block, double temperature, Want want, const Pulse& pulse,
                                            Prompts prompts = Prompts::each);

/// The log-prob of each reply at temperature 1, outside autograd; neighbours may share a prompt. Null adapter: the backbone.
std::vector<double> reply_logprobs(const Decoder& decoder, const Adapter* adapter, std::span<const Sequence> sequences,
                                   const Pulse& pulse);

/// The policy's states that predict the reply tokens, (M, D) before the final norm, differentiable in the adapter.
/// `lower`: (N, D) entering the adapter's first block, not used where the adapter owns the embedding; undefined:
/// computed here.
at::Tensor policy_states(const Decoder& decoder, const Adapter* adapter, const PackedBatch& batch,
                         const at::Tensor& lower, const Pulse& pulse);
/// The policy's log-probs of all reply tokens, (M), from those states.
at::Tensor policy_logprobs(const Decoder& decoder, const Adapter* adapter, const PackedBatch& batch,
                           const at::Tensor& lower, double temperature, const Pulse& pulse);

}  // namespace plumbline
