#include "core/model/kv_cache.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace plumbline {

using at::Tensor;

KvCache::KvCache(const DecoderConfig& config, std::int64_t rows, std::int64_t max_reply, at::Device device)
    : rows_(rows), kv_heads_(config.kv_heads), head_dim_(config.head_dim) {
    for (int block = 0; block < config.blocks; ++block) {
        k_.push_back(at::empty({rows, kv_heads_, max_reply, head_dim_}, at::TensorOptions(at::kFloat).device(device)));
        v_.push_back(at::empty({rows, kv_heads_, max_reply, head_dim_}, at::TensorOptions(at::kFloat).device(device)));
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

Tensor KvCache::attend(int block, const Tensor& q, const Tensor& k, const Tensor& v) {
    k_[block].select(2, length_).copy_(k);
    v_[block].select(2, length_).copy_(v);
    const Tensor reply_k = k_[block].narrow(2, 0, length_ + 1);   // (R, KV, t, d)
    const Tensor reply_v = v_[block].narrow(2, 0, length_ + 1);
    const std::int64_t per_kv = q.size(1) / kv_heads_;
    const Tensor grouped = q.view({rows_, kv_heads_, per_kv, head_dim_}) / std::sqrt(double(head_dim_));
    const Tensor reply_scores = at::matmul(grouped, reply_k.transpose(2, 3));   // (R, KV, G, t)

    std::vector<Tensor> out;
    for (const Group& g : groups_) {
        if (g.rows == 0) {
            continue;
        }
        // All rows of the group meet the shared prompt in one product: (KV, n*G, d) x (KV, d, P).
        const std::int64_t n = g.rows, p = g.prompt_length;
        const Tensor queries = grouped.narrow(0, g.first_row, n).transpose(0, 1).reshape({kv_heads_, n * per_kv, head_dim_});
        const Tensor prompt_scores =
            at::bmm(queries, g.k[block].transpose(1, 2)).view({kv_heads_, n, per_kv, p}).transpose(0, 1);
        const Tensor weights =
            at::softmax(at::cat({prompt_scores, reply_scores.narrow(0, g.first_row, n)}, 3), 3);   // (n, KV, G, P+t)
        const Tensor prompt_weights = weights.narrow(3, 0, p).transpose(0, 1).reshape({kv_heads_, n * per_kv, p});
        const Tensor from_prompt =
            at::bmm(prompt_weights, g.v[block]).view({kv_heads_, n, per_kv, head_dim_}).transpose(0, 1);
        const Tensor from_reply = at::matmul(weights.narrow(3, p, length_ + 1), reply_v.narrow(0, g.first_row, n));
        out.push_back(from_prompt + from_reply);   // (n, KV, G, d)
    }
    return at::cat(out, 0).reshape({rows_, kv_heads_ * per_kv * head_dim_});
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
