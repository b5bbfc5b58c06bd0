#pragma once
// Rollouts, gradients and small policies that the tests of the policy-gradient algorithms share.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <vector>

#include "core/model/full_weights.h"
#include "core/model/lora.h"
#include "core/training/rollouts.h"
#include "tests/support/torch_model.h"

namespace plumbline::testing {

inline const Decoder& tiny_decoder() {
    return golden_model().decoder();
}

/// A LoRA policy away from the backbone, ready to train.
inline LoraAdapter moved_lora(std::uint64_t seed = 3) {
    LoraAdapter adapter = LoraAdapter::fresh(tiny_decoder().config(), LoraConfig{}, seed);
    for (at::Tensor& t : adapter.tensors()) {
        t.add_(0.02 * at::sin(at::arange(t.numel(), t.options()) * 1.7).view(t.sizes()));
    }
    adapter.require_grad(true);
    return adapter;
}

inline std::vector<float> token_logprobs_of(const Adapter* adapter, const Sequence& sequence,
                                            double temperature) {
    const at::NoGradGuard no_grad;
    const at::Tensor t =
        policy_logprobs(tiny_decoder(), adapter, pack({&sequence, 1}), {}, temperature, still).contiguous();
    return {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()};
}

/// A reply that the policy is taken to have sampled, at temperature 0.9.
inline Rollout rollout_of(const Adapter& policy, const Sequence& sequence, double score) {
    Rollout r;
    r.sequence = sequence;
    r.logprobs = token_logprobs_of(&policy, sequence, 0.9);
    r.reference_logprobs = token_logprobs_of(nullptr, sequence, 0.9);
    r.score = score;
    return r;
}

/// Four replies of different lengths with scores 0, 1, 2, 3; the third has no EOS.
inline std::vector<Rollout> some_rollouts(const Adapter& policy) {
    std::vector<Rollout> out;
    const auto rows = golden_json("tiny_logprobs.json").at("rows");
    for (std::size_t i = 0; i < 4; ++i) {
        out.push_back(rollout_of(policy, golden_sequence(rows.at(i)), static_cast<double>(i)));
        out.back().ended = i != 2;
    }
    return out;
}

/// The gradients so far, cleared.
inline std::vector<at::Tensor> take_gradients(const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> out;
    for (const at::Tensor& t : tensors) {
        out.push_back(t.grad().defined() ? t.grad().clone() : at::zeros_like(t));
        t.mutable_grad() = at::Tensor();
    }
    return out;
}

/// |a - b| over |b|, of all tensors together.
inline double relative_difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += (a[i] - b[i]).square().sum().item<double>();
        size += b[i].square().sum().item<double>();
    }
    return std::sqrt(difference / size);
}

inline double size_of(const std::vector<at::Tensor>& gradients) {
    double square = 0;
    for (const at::Tensor& g : gradients) {
        square += g.square().sum().item<double>();
    }
    return std::sqrt(square);
}

}  // namespace plumbline::testing
