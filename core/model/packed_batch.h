#pragma once
// Sequences of different lengths laid end to end: N tokens in all, no padding anywhere.

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

namespace plumbline {

/// A prompt and its reply as token ids. The reply is what is scored and learned.
struct Sequence {
    std::vector<int> ids;
    int prompt_length = 0;   // at least 1: the first reply token needs a token before it

    int reply_length() const { return static_cast<int>(ids.size()) - prompt_length; }
};

Sequence join(const std::vector<int>& prompt, const std::vector<int>& reply);

/// B sequences with N tokens, M of them in replies.
struct PackedBatch {
    at::Tensor ids;                          // (N) int64
    at::Tensor positions;                    // (N) int64, from 0 in each sequence
    std::vector<std::int64_t> starts;        // (B+1) offsets into N
    at::Tensor predictors;                   // (M) int64, rows of N whose output predicts a reply token
    at::Tensor targets;                      // (M) int64, those reply tokens
    at::Tensor reply_rows;                   // (M) int64, rows of N that hold the reply tokens themselves
    std::vector<std::int64_t> reply_starts;  // (B+1) offsets into M

    std::int64_t size() const { return static_cast<std::int64_t>(starts.size()) - 1; }
};

PackedBatch pack(std::span<const Sequence> sequences);

/// per_token (M) -> (B): sums over each sequence's reply; differentiable.
at::Tensor sum_replies(const PackedBatch& batch, const at::Tensor& per_token);

}  // namespace plumbline
