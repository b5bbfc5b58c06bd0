#pragma once
// Keys and values of a batch under generation. Rows of one group share their prompt's; each row has its own reply.

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/decoder_config.h"

namespace plumbline {

/// Preallocated for `max_reply` tokens a row. Rows advance in step: all of them are at reply position length().
class KvCache {
  public:
    KvCache(const DecoderConfig& config, std::int64_t rows, std::int64_t max_reply, at::Device device = at::kCPU);

    struct Group {
        std::int64_t first_row = 0, rows = 0, prompt_length = 0;
        std::vector<at::Tensor> k, v;   // per block, (KV, P, d)
    };
    /// Starts the next group; its keys and values are pushed per block by the prefill.
    void add_group(std::int64_t rows, std::int64_t prompt_length);
    Group& last_group() { return groups_.back(); }

    /// Positions (R) of the tokens that come next.
    at::Tensor positions() const;
    /// k, v (R, KV, d) of the new token; q (R, H, d). Returns the attended values, (R, H * d).
    at::Tensor attend(int block, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);
    void advance() { ++length_; }
    std::int64_t length() const { return length_; }
    /// Keeps only the given rows (ascending).
    void keep_rows(const std::vector<std::int64_t>& rows);
    std::int64_t rows() const { return rows_; }

  private:
    std::int64_t rows_, length_ = 0, kv_heads_, head_dim_;
    std::vector<Group> groups_;
    std::vector<at::Tensor> k_, v_;     // per block, (R, KV, max_reply, d)
};

}  // namespace plumbline
