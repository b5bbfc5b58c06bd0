#pragma once
// Keys and values of a batch under generation. Rows of one group share their prompt's; each row has its own reply.

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/attention.h"
#include "core/model/decoder_config.h"

namespace plumbline {

/// Preallocated for `max_reply` tokens a row. Rows advance in step: all of them are at reply position length().
class KvCache {
  public:
    KvCache(const DecoderConfig& config, std::int64_t rows, std::int64_t max_reply, at::Device device = at::kCPU);

    /// Starts the next group; its keys and values come block by block through keep_prompt.
    void add_group(std::int64_t rows, std::int64_t prompt_length);
    /// qkv (P, (H + 2 KV) d), rotated, of the last group's prompt.
    void keep_prompt(const at::Tensor& qkv);

    /// Positions (R) of the tokens that come next.
    at::Tensor positions() const;
    /// qkv (R, (H + 2 KV) d), rotated, of the new tokens. Keeps their keys and values and returns what their queries
    /// attend to, (R, H d).
    at::Tensor attend(int block, const at::Tensor& qkv);
    /// The same in plain tensors: what runs off the CPU and behind long prompts, and what attend() is compared with.
    at::Tensor plain_attend(int block, const at::Tensor& qkv);
    void advance() { ++length_; }
    std::int64_t length() const { return length_; }
    /// Keeps only the given rows (ascending).
    void keep_rows(const std::vector<std::int64_t>& rows);
    std::int64_t rows() const { return rows_; }

  private:
    struct Group {
        std::int64_t first_row = 0, rows = 0, prompt_length = 0;
        std::vector<at::Tensor> k, v;   // per block, (KV, P, d)
    };
    void keep(int block, const at::Tensor& qkv);
    /// How many tokens of a group's prompt, and of its replies, lie before what the block's queries see now.
    struct Unseen {
        std::int64_t prompt = 0, reply = 0;
    };
    Unseen unseen(const Group& group, int block) const;

    HeadShape shape_;
    std::vector<std::int64_t> windows_;   // by block; empty: none
    std::int64_t rows_, length_ = 0, max_reply_;
    std::vector<Group> groups_;
    std::vector<at::Tensor> k_, v_;     // per block, (R, KV, max_reply, d)
};

}  // namespace plumbline
