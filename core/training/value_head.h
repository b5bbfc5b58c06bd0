#pragma once
// PPO's guess of what a reply will still earn: a linear head on the policy's final states.

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace plumbline {

/// value = w . state + b, zero at first. The states are detached: the value loss trains the head alone and
/// never reaches the policy, whose weights the two need not share out. Stepped by the caller's own optimiser.
/// Shares tensors when copied.
struct ValueHead {
    at::Tensor weight;  // (1, D)
    at::Tensor bias;    // (1)

    static ValueHead zeros(std::int64_t hidden, at::Device device = at::kCPU);  // requires gradients
    /// states: (M, D) after the final norm -> (M), differentiable in the head only.
    at::Tensor operator()(const at::Tensor& states) const;
    std::vector<at::Tensor> tensors() const;  // weight, bias: for optimisers and checkpoints
    std::vector<std::string> tensor_names() const;
};

}  // namespace plumbline
