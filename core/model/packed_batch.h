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

bool have_one_prompt(const Sequence& a, const Sequence& b);
Sequence join(const std::vector<int>& prompt, const std::vector<int>& reply);

/// Rows that attend causally to each other, and to all rows of a prompt that stands before them.
struct CausalRun {
    std::int64_t begin = 0, rows = 0;
    std::int64_t prompt_begin = 0, prompt_rows = 0;   // 0: its prompt is its own, or it is one
};

/// Where a sequence's rows stand: its prompt's, which others may share, and its reply's.
struct SequenceRows {
    std::int64_t prompt = 0, prompt_rows = 0, reply = 0, reply_rows = 0;
    bool shares = false;   // with the sequence before it
};

/// B sequences with N tokens, M of them in replies.
struct PackedBatch {
    at::Tensor ids;                          // (N) int64
    at::Tensor positions;                    // (N) int64, from 0 in each sequence
    std::vector<CausalRun> runs;             // in order; they cover N
    at::Tensor predictors;                   // (M) int64, rows of N whose output predicts a reply token
    at::Tensor targets;                      // (M) int64, those reply tokens
    at::Tensor reply_rows;                   // (M) int64, rows of N that hold the reply tokens themselves
    std::vector<std::int64_t> reply_starts;  // (B+1) offsets into M
    std::vector<SequenceRows> sequences;     // (B)

    std::int64_t size() const { return static_cast<std::int64_t>(sequences.size()); }
};

/// each: one after the other. shared: neighbours with the same prompt have its rows once, which gives the same up to
/// rounding for less work.
enum class Prompts { each, shared };
PackedBatch pack(std::span<const Sequence> sequences, Prompts prompts = Prompts::each);

/// Rows (N, …) of a batch as they belong to sequence `i`: (T, …), its prompt's first.
at::Tensor rows_of(const PackedBatch& batch, const at::Tensor& rows, std::int64_t i);
/// The inverse: (T, …) of each sequence -> (N, …).
at::Tensor pack_rows(const PackedBatch& batch, std::span<const at::Tensor> of_sequences);

/// per_token (M) -> (B): sums over each sequence's reply; differentiable.
at::Tensor sum_replies(const PackedBatch& batch, const at::Tensor& per_token);

}  // namespace plumbline
