#pragma once
// What a work holds of memory at its peak, foretold from sizes alone. Standard library only: the catalogue of
// models reads it too.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/model/families/family.h"

namespace plumbline {

namespace memory {

/// Program and arithmetic library, before any weight is read: measured, 140 MiB on x86-64.
inline constexpr std::int64_t library_bytes = std::int64_t{140} << 20;
/// More of both, and the kernels that it writes for each shape, once something learns: measured, 20 to 40
/// MiB.
inline constexpr std::int64_t learning_bytes = std::int64_t{28} << 20;
/// What reading the blocks leaves free in the heap: a sixth of their f32 bytes, at most 64 MiB (measured).
inline constexpr std::int64_t most_left_by_reading = std::int64_t{64} << 20;
/// Holes that the heap keeps between activations, a share of them: measured.
inline constexpr double heap_holes = 0.12;
/// Replies of a session whose states below the trained blocks are kept for the next time that they teach.
inline constexpr std::size_t kept_replies = 256;
/// Rows of the output layer at work at once (token_logprobs.cpp).
inline constexpr std::int64_t logit_rows = 144;

inline std::int64_t width(Precision precision) {
    return precision == Precision::bf16 ? 2 : 4;
}

/// Floats that the backward pass finds kept in one adapted block for each row: the states that enter its two
/// halves, rotated queries, keys and values, what was attended to and the softmax's normalisers, gate and up,
/// LoRA's narrow states. tests/lab/memory_test.cpp measures them.
inline std::int64_t activation_floats(const DecoderConfig& c, int lora_rank) {
    std::int64_t out = 2 * c.hidden + c.head_dim * (2 * c.heads + 2 * c.kv_heads) + c.heads + 2 * c.mlp +
                       static_cast<std::int64_t>(linear_modules(c).size()) * lora_rank;
    // What plain tensors keep where a family differs from Llama: what a norm read or wrote and its scales, gated
    // activations.
    if (c.norm == NormKind::layer) out += (c.parallel ? 1 : 2) * c.hidden + 4;
    if (c.post_norms) out += 2 * c.hidden + 2;
    if (c.qk_norm == QkNorm::each_head) out += c.query_width() + c.key_width() + c.heads + c.kv_heads;
    if (c.qk_norm == QkNorm::whole) out += c.query_width() + 2 * c.key_width() + 2;
    if (c.gated && c.activation != Activation::silu) out += 2 * c.mlp;
    return out;
}
/// The same where every weight trains, and each product keeps what it read.
inline std::int64_t activation_floats_of_all(const DecoderConfig& c) {
    return 4 * c.hidden + 3 * c.head_dim * c.heads + 4 * c.mlp;
}

/// LoRA weights of one block, floats: A and B of its linear layers.
inline std::int64_t lora_floats(const DecoderConfig& c, int rank) {
    std::int64_t out = 0;
    for (const LinearModule& module : linear_modules(c)) {
        out += rank * (module.in + module.out);
    }
    return out;
}

/// For an opened model in a live session with the usual settings, where no more than its weights is known.
/// `one_copy` as in MemoryWork.
inline std::int64_t session_estimate(std::int64_t parameters, std::int64_t embedding, Precision precision,
                                     bool one_copy) {
    // Packed weights, and the transposed packs of a trained upper half and output layer.
    const std::int64_t transposed = one_copy ? 0 : embedding + (parameters - embedding) / 2;
    // The library, activations, optimiser and kept states: fitted to memory_need() of models of 0.5 to 1700 million.
    const auto rest = static_cast<std::int64_t>(175e6 + 36e3 * std::sqrt(static_cast<double>(parameters)));
    return width(precision) * (parameters + transposed) + rest;
}

}  // namespace memory

/// A work with an opened model. Zero: not done.
struct MemoryWork {
    std::int64_t file_bytes = 0;  // of the model, mapped while it is read
    std::int64_t stored_bytes = 0;  // of its blocks, which sampling reads as they are stored
    bool one_copy = false;  // gradients go through the weights as they are packed (tile_weight.h)
    // Sampling: `rows` replies of `reply_tokens` in one batch, to `prompts` of `prompt_tokens`.
    std::int64_t prompts = 0, prompt_tokens = 0, rows = 0, reply_tokens = 0;
    // Training.
    std::int64_t graph_rows = 0;  // that one backward pass holds at once, a shared prompt's counted once
    int lora_rank = 0, first_block = 0;
    bool all_weights = false;  // no LoRA: every weight trains
    bool output_layer = true;  // the loss is of log-probabilities; false: a reward head
    int kept_states = 0;       // weights and moments kept beside those at work
    std::int64_t kept_rows = 0;   // whose states below the trained blocks are kept
};

/// Bytes, by what holds them.
struct MemoryNeed {
    std::int64_t library = 0, weights = 0,
                 opening = 0;  // opening: while the model is read, beside its weights
    std::int64_t stored = 0, transposed = 0, trained = 0, kept = 0, activations = 0, sampling = 0;

    std::int64_t peak() const {
        const std::int64_t at_work = stored + transposed + trained + kept + std::max(activations, sampling);
        return library + weights + std::max(opening, at_work);
    }
};

inline MemoryNeed memory_need(const DecoderConfig& c, Precision precision, const MemoryWork& work) {
    const std::int64_t width = memory::width(precision), embedding = c.vocab * c.hidden;
    const std::int64_t inside =
        c.parameters() - embedding * (c.tied_embeddings ? 1 : 2);  // the blocks' weights
    MemoryNeed need;
    need.library = memory::library_bytes + std::min(4 * inside / 6, memory::most_left_by_reading);
    // The embedding is packed, and once more as the file has it.
    need.weights =
        width * (c.parameters() - c.hidden - c.blocks * c.vectors_of_a_block()) +
        static_cast<std::int64_t>(static_cast<double>(work.file_bytes) * static_cast<double>(embedding) /
                                  static_cast<double>(c.parameters()));
    need.opening = work.file_bytes + 4 * embedding;
    if (work.rows > 0) {
        const std::int64_t tokens = work.rows * work.reply_tokens + work.prompts * work.prompt_tokens;
        need.stored = work.stored_bytes;
        need.sampling = 8 * c.blocks * c.kv_heads * c.head_dim * tokens + 2 * 4 * work.rows * c.vocab;
    }
    if (work.graph_rows > 0) {
        need.library += memory::learning_bytes;
        const std::int64_t blocks = work.all_weights ? c.blocks : c.blocks - work.first_block;
        const std::int64_t trained =
            work.all_weights ? c.parameters() : blocks * memory::lora_floats(c, work.lora_rank);
        // Weights, gradients, two moments; of all weights also their start.
        need.trained = 4 * trained * ((work.all_weights ? 5 : 4) + 3 * work.kept_states);
        need.kept = 4 * c.hidden * work.kept_rows;
        if (!work.all_weights && !work.one_copy) {
            const std::int64_t head = work.output_layer ? embedding : 0;
            const std::int64_t first_qkv =
                c.hidden * c.head_dim * (c.heads + 2 * c.kv_heads);  // nothing below trains
            need.transposed = width * (inside / c.blocks * blocks - first_qkv + head);
        }
        const std::int64_t of_a_row = work.all_weights ? memory::activation_floats_of_all(c)
                                                       : memory::activation_floats(c, work.lora_rank);
        const auto floats = static_cast<double>(blocks * work.graph_rows * of_a_row);
        const std::int64_t logits =
            work.output_layer ? c.vocab * (work.all_weights ? 3 * work.graph_rows : memory::logit_rows) : 0;
        need.activations = static_cast<std::int64_t>(4 * floats * (1 + memory::heap_holes)) + 4 * logits;
    }
    return need;
}

}  // namespace plumbline
