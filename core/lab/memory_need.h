#pragma once
// What a work holds of memory at its peak, foretold from sizes alone. Standard library only: the catalogue of
// models reads it too.

#include <algorithm>
#include <cstdint>

#include "core/model/decoder_config.h"

namespace plumbline {

/// What one backward pass holds at once: rows, a shared prompt's counted once; and rows whose keys and values
/// are kept for each of its attention heads, where a prompt is shared once as they are and once beside each
/// reply.
struct GraphSize {
    std::int64_t rows = 0, seen = 0;

    /// Replies of one length to one prompt.
    static GraphSize of_group(std::int64_t prompt, std::int64_t replies, std::int64_t reply) {
        const std::int64_t rows = prompt + replies * reply;
        return {rows, rows + replies * (prompt + reply)};
    }
    static GraphSize of_rows(std::int64_t rows) { return {rows, rows}; }
};

namespace memory {

/// Program and arithmetic library, before any weight is read: measured, 140 MiB on x86-64.
inline constexpr std::int64_t library_bytes = std::int64_t{140} << 20;
/// What reading the blocks leaves free in the heap: a sixth of their f32 bytes, at most 64 MiB (measured).
inline constexpr std::int64_t most_left_by_reading = std::int64_t{64} << 20;
/// Floats that the backward pass finds kept in one adapted block, in widths of the model. Of every row:
/// normed and plain states; queries and what they attend to; gate, up and their products; LoRA's narrow
/// states. Of every row that a reply's attention sees, a shared prompt's again for each reply: keys and
/// values. tests/lab/memory_test.cpp measures them.
inline constexpr std::int64_t kept_hidden = 4, kept_heads = 3, kept_mlp = 4, kept_ranks = 7,
                              kept_seen_heads = 2;
/// Holes that the heap keeps between activations, a share of them: measured.
inline constexpr double heap_holes = 0.4;
/// Chunks of the output layer's rows (token_logprobs.h) at work at once.
inline constexpr std::int64_t logit_rows = 3 * 64;

inline std::int64_t width(Precision precision) {
    return precision == Precision::bf16 ? 2 : 4;
}

/// Activations of one adapted block, floats.
inline std::int64_t activation_floats(const DecoderConfig& c, int lora_rank, const GraphSize& graph) {
    const std::int64_t heads = c.heads * c.head_dim;
    return graph.rows *
               (kept_hidden * c.hidden + kept_heads * heads + kept_mlp * c.mlp + kept_ranks * lora_rank) +
           graph.seen * kept_seen_heads * heads;
}

/// LoRA weights of one block, floats: A and B of its seven linear layers.
inline std::int64_t lora_floats(const DecoderConfig& c, int rank) {
    const std::int64_t heads = c.heads * c.head_dim, kv_heads = c.kv_heads * c.head_dim;
    return rank * ((c.hidden + heads) * 2 + (c.hidden + kv_heads) * 2 + (c.hidden + c.mlp) * 3);
}

/// For an opened model in a live session with the usual settings, where no more than its weights is known.
inline std::int64_t session_estimate(std::int64_t parameters, std::int64_t embedding, Precision precision) {
    // Packed weights, the embedding's plain rows, the transposed packs of a trained upper half and output
    // layer; the library, a pair's activations and the optimiser.
    const std::int64_t blocks = parameters - embedding;
    return width(precision) * (3 * embedding + blocks + blocks / 2) + (std::int64_t{400} << 20);
}

}  // namespace memory

/// A work with an opened model. Zero: not done.
struct MemoryWork {
    std::int64_t file_bytes = 0;  // of the model, mapped while it is read
    // Sampling: `rows` replies of `reply_tokens` in one batch, to `prompts` of `prompt_tokens`.
    std::int64_t prompts = 0, prompt_tokens = 0, rows = 0, reply_tokens = 0;
    // Training.
    GraphSize graph;
    int lora_rank = 0, first_block = 0;
    bool all_weights = false;  // no LoRA: every weight trains
    bool output_layer = true;  // the loss is of log-probabilities; false: a reward head
    int kept_states = 0;       // weights and moments kept beside those at work
};

/// Bytes, by what holds them.
struct MemoryNeed {
    std::int64_t library = 0, weights = 0,
                 opening = 0;  // opening: while the model is read, beside its weights
    std::int64_t transposed = 0, trained = 0, activations = 0, sampling = 0;

    std::int64_t peak() const {
        return library + weights + std::max(opening, transposed + trained + std::max(activations, sampling));
    }
};

inline MemoryNeed memory_need(const DecoderConfig& c, Precision precision, const MemoryWork& work) {
    const std::int64_t width = memory::width(precision), embedding = c.vocab * c.hidden;
    const std::int64_t inside =
        c.parameters() - embedding * (c.tied_embeddings ? 1 : 2);  // the blocks' weights
    MemoryNeed need;
    need.library = memory::library_bytes + std::min(4 * inside / 6, memory::most_left_by_reading);
    need.weights =
        width * (inside + embedding * (c.tied_embeddings ? 2 : 3));  // the embedding is packed and plain
    need.opening = work.file_bytes + (precision == Precision::bf16 ? 4 * embedding : 0);
    if (work.rows > 0) {
        const std::int64_t tokens = work.rows * work.reply_tokens + work.prompts * work.prompt_tokens;
        need.sampling = 8 * c.blocks * c.kv_heads * c.head_dim * tokens + 2 * 4 * work.rows * c.vocab;
    }
    if (work.graph.rows > 0) {
        const std::int64_t blocks = work.all_weights ? c.blocks : c.blocks - work.first_block;
        const std::int64_t trained =
            work.all_weights ? c.parameters() : blocks * memory::lora_floats(c, work.lora_rank);
        // Weights, gradients, two moments; of all weights also their start.
        need.trained = 4 * trained * ((work.all_weights ? 5 : 4) + 3 * work.kept_states);
        if (!work.all_weights) {
            const std::int64_t head = work.output_layer ? embedding : 0;
            const std::int64_t first_qkv =
                c.hidden * c.head_dim * (c.heads + 2 * c.kv_heads);  // nothing below trains
            need.transposed = width * (inside / c.blocks * blocks - first_qkv + head);
        }
        const auto floats =
            static_cast<double>(blocks * memory::activation_floats(c, work.lora_rank, work.graph));
        const std::int64_t logits =
            work.output_layer ? c.vocab * (work.all_weights ? 3 * work.graph.rows : memory::logit_rows) : 0;
        need.activations = static_cast<std::int64_t>(4 * floats * (1 + memory::heap_holes)) + 4 * logits;
    }
    return need;
}

}  // namespace plumbline
