#include "core/model/packed_batch.h"

#include <ATen/ATen.h>

#include <algorithm>

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

bool have_one_prompt(const Sequence& a, const Sequence& b) {
    const auto of_prompt = [](const Sequence& s) {
        return std::span(s.ids).first(static_cast<std::size_t>(s.prompt_length));
    };
    return std::ranges::equal(of_prompt(a), of_prompt(b));
}

PackedBatch pack(std::span<const Sequence> sequences, Prompts prompts) {
    std::vector<std::int64_t> ids, positions, predictors, targets, reply_rows;
    PackedBatch batch;
    batch.reply_starts = {0};
    const auto add = [&](const Sequence& s, int from, int to) {
        for (int i = from; i < to; ++i) {
            ids.push_back(s.ids[i]);
            positions.push_back(i);
        }
    };
    const auto joined = [&](std::size_t a, std::size_t b) {
        return prompts == Prompts::shared && b < sequences.size() && have_one_prompt(sequences[a], sequences[b]);
    };
    std::int64_t prompt = 0;   // first row of the present prompt
    for (std::size_t number = 0; number < sequences.size(); ++number) {
        const Sequence& s = sequences[number];
        if (s.prompt_length < 1) {
            throw Error("score a reply", "the prompt has no token; give at least one");
        }
        const auto length = static_cast<int>(s.ids.size());
        const bool same = number > 0 && joined(number - 1, number);
        const bool apart = same || joined(number, number + 1);
        if (!same) {
            prompt = static_cast<std::int64_t>(ids.size());
            add(s, 0, s.prompt_length);
        }
        const auto begin = static_cast<std::int64_t>(ids.size());
        add(s, s.prompt_length, length);
        for (int i = s.prompt_length; i < length; ++i) {
            const std::int64_t row = begin + i - s.prompt_length;
            predictors.push_back(i == s.prompt_length ? prompt + s.prompt_length - 1 : row - 1);
            targets.push_back(s.ids[i]);
            reply_rows.push_back(row);
        }
        if (!apart) {
            batch.runs.push_back({prompt, length});
        } else {
            if (!same) {
                batch.runs.push_back({prompt, s.prompt_length});
            }
            batch.runs.push_back({begin, length - s.prompt_length, prompt, s.prompt_length});
        }
        batch.sequences.push_back({prompt, s.prompt_length, begin, length - s.prompt_length, same});
        batch.reply_starts.push_back(static_cast<std::int64_t>(targets.size()));
    }
    batch.ids = to_tensor(ids);
    batch.positions = to_tensor(positions);
    batch.predictors = to_tensor(predictors);
    batch.targets = to_tensor(targets);
    batch.reply_rows = to_tensor(reply_rows);
    return batch;
}

Tensor rows_of(const PackedBatch& batch, const Tensor& rows, std::int64_t i) {
    const SequenceRows& p = batch.sequences[i];
    return at::cat({rows.narrow(0, p.prompt, p.prompt_rows), rows.narrow(0, p.reply, p.reply_rows)});
}

Tensor pack_rows(const PackedBatch& batch, std::span<const Tensor> of_sequences) {
    std::vector<Tensor> out;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
        const SequenceRows& p = batch.sequences[i];
        out.push_back(p.shares ? of_sequences[i].narrow(0, p.prompt_rows, p.reply_rows) : of_sequences[i]);
    }
    return at::cat(out);
}

Tensor sum_replies(const PackedBatch& batch, const Tensor& per_token) {
    std::vector<Tensor> sums;
    for (std::int64_t b = 0; b < batch.size(); ++b) {
        sums.push_back(per_token.slice(0, batch.reply_starts[b], batch.reply_starts[b + 1]).sum());
    }
    return at::stack(sums);   // (B)
}

}  // namespace plumbline
