#pragma once
// Grouped-query attention of packed sequences: causal within each run and to the prompt that it stands behind.

#include <cstdint>
#include <span>

#include <ATen/core/Tensor.h>

#include "core/model/packed_batch.h"
#include "core/model/row_ops.h"

namespace plumbline {

/// Columns of a row as the qkv product writes it: H query heads, then KV key heads, then KV value heads, d each. And how
/// they attend.
struct HeadShape {
    std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
    std::int64_t window = 0;   // how many tokens a query sees, its own included; 0: all before it
    double cap = 0;            // scores are cap * tanh(score / cap); 0: as they are
};

/// qkv (N, (H + 2 KV) d) as the product gave it -> (N, H d): rotated by position, then attended. Differentiable as one
/// step of autograd that keeps the rotated rows and the result.
at::Tensor attention(const at::Tensor& qkv, const Rotation& rotation, std::span<const CausalRun> runs,
                     const HeadShape& shape);
/// The same of rows rotated already, outside autograd.
at::Tensor attend(const at::Tensor& rotated, std::span<const CausalRun> runs, const HeadShape& shape);

/// The same formula in plain tensors on any device: what attention() is compared with, and what runs off the CPU.
at::Tensor plain_attention(const at::Tensor& qkv, const Rotation& rotation, std::span<const CausalRun> runs,
                           const HeadShape& shape);

}  // namespace plumbline
