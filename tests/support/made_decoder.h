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
        blocks.push_back({tensor({c.hidden}), tensor({c.hidden}),
                          layer((c.heads + 2 * c.kv_heads) * c.head_dim, c.hidden),
                          layer(c.hidden, c.heads * c.head_dim), layer(2 * c.mlp, c.hidden),
                          layer(c.hidden, c.mlp)});
    }
    const at::Tensor table = tensor({c.vocab, c.hidden});
    FrozenLinear embedding(table, precision);
    embedding.keep_plain(table);
    return {c, std::move(embedding), {}, tensor({c.hidden}), std::move(blocks)};
}

}  // namespace plumbline::testing
