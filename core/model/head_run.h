#pragma once
// Attention of one run for the query heads that share one key head: their rows are gathered out of the packed batch for
// attention_loops.h, and what comes out is put back. Over plain memory, N rows in all; W = (H + 2 KV) d.

#include <cstdint>

#include "core/model/attention.h"
#include "core/model/attention_loops.h"

namespace plumbline {

class HeadRun {
  public:
    HeadRun(const CausalRun& run, std::int64_t kv_head, const HeadShape& shape);

    /// rotated (N, W) -> out (N, H d), normalizers (N, H), of the run's tokens [begin, end); begin a multiple of
    /// loops::attention_tokens.
    void attend(const float* rotated, std::int64_t begin, std::int64_t end, float* out, float* normalizers) const;

    /// What attend() read and wrote.
    struct Attended {
        const float *rotated = nullptr, *out = nullptr, *normalizers = nullptr;
    };
    /// grad (N, H d) of out -> into (N, W), the run's own rows; of_prompt (2, P, d): what falls to the prompt's keys and
    /// values.
    void backward(const Attended& attended, const float* grad, float* into, float* of_prompt) const;
    /// Adds that to the prompt's rows of `into`.
    void add_to_prompt(const float* of_prompt, float* into) const;

  private:
    struct Rooms;
    static Rooms& rooms();

    std::int64_t row_of(std::int64_t key) const;
    std::int64_t floats() const { return of_.tokens * of_.queries * of_.head_dim; }
    float scale() const;
    void read_queries(const float* rotated, std::int64_t begin, std::int64_t end) const;
    const float* rows(const float* rotated, std::int64_t column, std::int64_t n, int room) const;
    const float* turned(const float* rotated, std::int64_t column, std::int64_t n, int room) const;
    void for_queries(std::int64_t begin, std::int64_t end, const auto& work) const;

    CausalRun run_;
    loops::RunShape of_;            // head_dim padded
    std::int64_t d_, heads_, width_;
    std::int64_t key_, value_;      // columns of W
    std::int64_t first_query_;      // head
};

}  // namespace plumbline
