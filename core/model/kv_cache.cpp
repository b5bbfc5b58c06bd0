#include "core/model/kv_cache.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "core/model/row_loops.h"

namespace plumbline {

using at::Tensor;

KvCache::KvCache(const DecoderConfig& config, std::int64_t rows, std::int64_t max_reply, at::Device device)
    : shape_{config.heads, config.kv_heads, config.head_dim, 0, config.attention_cap}, rows_(rows), max_reply_(max_reply) {
    for (const BlockPositions& block : config.positions) {
        windows_.push_back(block.window);
    }
    const std::vector<std::int64_t> sizes{rows, config.kv_heads, max_reply, config.head_dim};
    for (int block = 0; block < config.blocks; ++block) {
        k_.push_back(at::empty(sizes, at::TensorOptions(at::kFloat).device(device)));
        v_.push_back(at::empty(sizes, at::TensorOptions(at::kFloat).device(device)));
    }
}

void KvCache::add_group(std::int64_t rows, std::int64_t prompt_length) {
    const std::int64_t first = groups_.empty() ? 0 : groups_.back().first_row + groups_.back().rows;
    groups_.push_back({first, rows, prompt_length, {}, {}});
}

Tensor KvCache::positions() const {
    std::vector<std::int64_t> out;
    for (const Group& g : groups_) {
        out.insert(out.end(), g.rows, g.prompt_length + length_);
    }
    return at::tensor(out, at::TensorOptions().dtype(at::kLong));
}

namespace {

// (N, H', d) of the heads from `first` on.
Tensor heads_of(const Tensor& qkv, std::int64_t first, std::int64_t heads, std::int64_t d) {
    return qkv.narrow(1, first * d, heads * d).view({qkv.size(0), heads, d});
}

constexpr std::int64_t long_prompt = 256;   // from here one product of all rows with it is faster than row by row
constexpr std::int64_t products_a_thread = 1 << 15;   // fewer cost more to hand over than to compute

}  // namespace

void KvCache::keep_prompt(const Tensor& qkv) {
    const HeadShape& s = shape_;
    Group& group = groups_.back();
    group.k.push_back(heads_of(qkv, s.heads, s.kv_heads, s.head_dim).transpose(0, 1).contiguous());
    group.v.push_back(heads_of(qkv, s.heads + s.kv_heads, s.kv_heads, s.head_dim).transpose(0, 1).contiguous());
}

void KvCache::keep(int block, const Tensor& qkv) {
    const HeadShape& s = shape_;
    k_[block].select(2, length_).copy_(heads_of(qkv, s.heads, s.kv_heads, s.head_dim));
    v_[block].select(2, length_).copy_(heads_of(qkv, s.heads + s.kv_heads, s.kv_heads, s.head_dim));
}

KvCache::Unseen KvCache::unseen(const Group& group, int block) const {
    const std::int64_t window = windows_.empty() ? 0 : windows_[static_cast<std::size_t>(block)];
    const std::int64_t before = window > 0 ? std::max<std::int64_t>(group.prompt_length + length_ + 1 - window, 0) : 0;
    return {std::min(before, group.prompt_length), std::max<std::int64_t>(before - group.prompt_length, 0)};
}

Tensor KvCache::attend(int block, const Tensor& qkv) {
    const bool long_prompts =
        std::ranges::any_of(groups_, [](const Group& g) { return g.prompt_length >= long_prompt; });
    if (!qkv.is_cpu() || long_prompts || shape_.cap > 0) {
        return plain_attend(block, qkv);
    }
    const std::int64_t d = shape_.head_dim, kv_heads = shape_.kv_heads, per_kv = shape_.heads / kv_heads,
                       width = qkv.size(1), values_at = (shape_.heads + kv_heads) * d;
    const float* in = qkv.const_data_ptr<float>();
    float *keys = k_[block].data_ptr<float>(), *values = v_[block].data_ptr<float>();
    Tensor out = at::empty({rows_, shape_.heads * d}, qkv.options());
    float* to = out.data_ptr<float>();
    for (const Group& g : groups_) {
        const auto [before, before_reply] = unseen(g, block);
        const std::int64_t in_prompt = g.prompt_length - before, in_reply = length_ + 1 - before_reply;
        const std::int64_t tokens = in_prompt + in_reply, per_row = kv_heads * per_kv * tokens * d;
        const float* prompt_k = g.k[block].const_data_ptr<float>() + before * d;
        const float* prompt_v = g.v[block].const_data_ptr<float>() + before * d;
        const std::int64_t first_reply = before_reply * d;
        at::parallel_for(0, g.rows * kv_heads, std::max<std::int64_t>(1, products_a_thread * kv_heads / per_row),
                         [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> scores(static_cast<std::size_t>(per_kv * tokens)), q(static_cast<std::size_t>(per_kv * d));
            const float scale = 1.0f / std::sqrt(static_cast<float>(d));
            for (std::int64_t i = begin; i < end; ++i) {
                // All rows of a head after each other: the prompt's keys and values stay near.
                const std::int64_t row = g.first_row + i % g.rows, head = i / g.rows;
                const float* of_row = in + row * width;
                std::transform(of_row + head * per_kv * d, of_row + (head + 1) * per_kv * d, q.begin(),
                               [&](float x) { return x * scale; });
                const std::int64_t place = (row * kv_heads + head) * max_reply_ * d;
                std::copy_n(of_row + (shape_.heads + head) * d, d, keys + place + length_ * d);
                std::copy_n(of_row + values_at + head * d, d, values + place + length_ * d);
                const std::int64_t of_head = head * g.prompt_length * d;
                loops::attend(q.data(), per_kv, d, {prompt_k + of_head, prompt_v + of_head, in_prompt},
                              {keys + place + first_reply, values + place + first_reply, in_reply}, scores.data(),
                              to + (row * shape_.heads + head * per_kv) * d);
            }
        });
    }
    return out;
}

Tensor KvCache::plain_attend(int block, const Tensor& qkv) {
    keep(block, qkv);
    const std::int64_t kv_heads = shape_.kv_heads, d = shape_.head_dim, per_kv = shape_.heads / kv_heads;
    const Tensor reply_k = k_[block].narrow(2, 0, length_ + 1);   // (R, KV, t, d)
    const Tensor reply_v = v_[block].narrow(2, 0, length_ + 1);
    const Tensor grouped =
        heads_of(qkv, 0, shape_.heads, d).reshape({rows_, kv_heads, per_kv, d}) / std::sqrt(static_cast<double>(d));
    const Tensor reply_scores = at::matmul(grouped, reply_k.transpose(2, 3));   // (R, KV, G, t)

    std::vector<Tensor> out;
    for (const Group& g : groups_) {
        if (g.rows == 0) {
            continue;
        }
        // All rows of the group meet the shared prompt in one product: (KV, n*G, d) x (KV, d, P).
        const std::int64_t n = g.rows;
        const Unseen before = unseen(g, block);
        const std::int64_t p = g.prompt_length - before.prompt, t = length_ + 1 - before.reply;
        const Tensor prompt_k = g.k[block].narrow(1, before.prompt, p), prompt_v = g.v[block].narrow(1, before.prompt, p);
        const Tensor queries = grouped.narrow(0, g.first_row, n).transpose(0, 1).reshape({kv_heads, n * per_kv, d});
        const Tensor prompt_scores =
            at::bmm(queries, prompt_k.transpose(1, 2)).view({kv_heads, n, per_kv, p}).transpose(0, 1);
        Tensor scores = at::cat({prompt_scores, reply_scores.narrow(0, g.first_row, n).narrow(3, before.reply, t)}, 3);
        if (shape_.cap > 0) {
            scores = shape_.cap * at::tanh(scores / shape_.cap);
        }
        const Tensor weights = at::softmax(scores, 3);   // (n, KV, G, P + t)
        const Tensor prompt_weights = weights.narrow(3, 0, p).transpose(0, 1).reshape({kv_heads, n * per_kv, p});
        const Tensor from_prompt =
            at::bmm(prompt_weights, prompt_v).view({kv_heads, n, per_kv, d}).transpose(0, 1);
        const Tensor from_reply = at::matmul(weights.narrow(3, p, t), reply_v.narrow(0, g.first_row, n).narrow(2, before.reply, t));
        out.push_back(from_prompt + from_reply);   // (n, KV, G, d)
    }
    return at::cat(out, 0).reshape({rows_, shape_.heads * d});
}

void KvCache::keep_rows(const std::vector<std::int64_t>& rows) {
    const Tensor index = at::tensor(rows, at::TensorOptions().dtype(at::kLong)).to(k_[0].device());
    for (std::size_t block = 0; block < k_.size(); ++block) {
        k_[block] = k_[block].index_select(0, index);
        v_[block] = v_[block].index_select(0, index);
    }
    std::int64_t first = 0;
    for (Group& g : groups_) {
        const std::int64_t kept = std::count_if(rows.begin(), rows.end(), [&](std::int64_t r) {
            return r >= g.first_row && r < g.first_row + g.rows;
        });
        g.first_row = first;   // every group moves down by the rows dropped before it
        g.rows = kept;
        first += kept;
    }
    rows_ = static_cast<std::int64_t>(rows.size());
}

}  // namespace plumbline
