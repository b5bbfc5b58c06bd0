#pragma once
// A decoder of any sizes whose tensors a test makes.

#include <functional>

#include "core/model/decoder.h"

namespace plumbline::testing {

/// `tensor(shape)` makes each weight, norms and the embedding too; the output layer is the embedding.
inline Decoder made_decoder(const DecoderConfig& c, Precision precision,
                            const std::function<at::Tensor(std::vector<std::int64_t> shape)>& tensor) {
    const auto layer = [&](std::int64_t out, std::int64_t in) {
        return FrozenLinear(tensor({out, in}), precision);
    };
    std::vector<DecoderBlock> blocks;
    for (int i = 0; i < c.blocks; ++i) {
        DecoderBlock& block = blocks.emplace_back();
        for (int v = 0; v < block_vectors; ++v) {
            const auto vector = static_cast<BlockVector>(v);
            if (const std::int64_t size = c.size_of(vector); size > 0) {
                block.vector(vector) = tensor({size});
            }
        }
        block.qkv = layer((c.heads + 2 * c.kv_heads) * c.head_dim, c.hidden);
        block.output = layer(c.hidden, c.heads * c.head_dim);
        block.gate_up = layer(c.gate_up_width(), c.hidden);
        block.down = layer(c.hidden, c.mlp);
    }
    const at::Tensor table = tensor({c.vocab, c.hidden});
    DecoderEnds ends;
    ends.embedding = FrozenLinear(table, precision);
    ends.embedding.keep_plain(table);
    ends.final_norm = tensor({c.hidden});
    if (c.norm == NormKind::layer) {
        ends.final_norm_bias = tensor({c.hidden});
    }
    if (c.learned_positions > 0) {
        ends.positions = tensor({c.learned_positions, c.hidden});
    }
    return {c, std::move(ends), std::move(blocks)};
}

}  // namespace plumbline::testing
