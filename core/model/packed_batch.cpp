#include "core/model/packed_batch.h"

#include <ATen/ATen.h>

#include "core/api/errors.h"

namespace plumbline {

using at::Tensor;

namespace {

Tensor to_tensor(const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::TensorOptions().dtype(at::kLong));
}

}  // namespace

Sequence join(const std::vector<int>& prompt, const std::vector<int>& reply) {
    Sequence sequence{prompt, static_cast<int>(prompt.size())};
    sequence.ids.insert(sequence.ids.end(), reply.begin(), reply.end());
    return sequence;
}

PackedBatch pack(std::span<const Sequence> sequences) {
    std::vector<std::int64_t> ids, positions, predictors, targets, reply_rows;
    PackedBatch batch;
    batch.starts = {0};
    batch.reply_starts = {0};
    for (const Sequence& s : sequences) {
        if (s.prompt_length < 1) {
            throw Error("score a reply", "the prompt has no token; give at least one");
        }
        const auto start = static_cast<std::int64_t>(ids.size());
        for (std::size_t i = 0; i < s.ids.size(); ++i) {
            ids.push_back(s.ids[i]);
            positions.push_back(static_cast<std::int64_t>(i));
            if (static_cast<int>(i) >= s.prompt_length) {
                predictors.push_back(start + static_cast<std::int64_t>(i) - 1);
                targets.push_back(s.ids[i]);
                reply_rows.push_back(start + static_cast<std::int64_t>(i));
            }
        }
        batch.starts.push_back(static_cast<std::int64_t>(ids.size()));
        batch.reply_starts.push_back(static_cast<std::int64_t>(targets.size()));
    }
    batch.ids = to_tensor(ids);
    batch.positions = to_tensor(positions);
    batch.predictors = to_tensor(predictors);
    batch.targets = to_tensor(targets);
    batch.reply_rows = to_tensor(reply_rows);
    return batch;
}

Tensor sum_replies(const PackedBatch& batch, const Tensor& per_token) {
    std::vector<Tensor> sums;
    for (std::int64_t b = 0; b < batch.size(); ++b) {
        sums.push_back(per_token.slice(0, batch.reply_starts[b], batch.reply_starts[b + 1]).sum());
    }
    return at::stack(sums);   // (B)
}

}  // namespace plumbline
