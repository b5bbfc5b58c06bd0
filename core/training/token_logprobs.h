#pragma once
// Log-probabilities of given tokens without ever holding a (N, V) tensor: the output layer runs in row chunks and
// its backward pass recomputes them.

#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder.h"

namespace plumbline {

/// h: (M, D) before the final norm, row i predicting targets[i]; targets: (M) int64. Returns (M) log-probabilities of
/// softmax(logits / temperature), nats; differentiable in h, and in the output layer where it is the adapter's own.
at::Tensor token_logprobs(const Decoder& decoder, const Adapter* adapter, const at::Tensor& h, const at::Tensor& targets, double temperature,
                          const Pulse& pulse);

/// Of the backbone at several temperatures from one product each chunk, without gradients: (K, M).
at::Tensor reference_logprobs(const Decoder& decoder, const at::Tensor& h, const at::Tensor& targets,
                              const std::vector<double>& temperatures, const Pulse& pulse);

}  // namespace plumbline
