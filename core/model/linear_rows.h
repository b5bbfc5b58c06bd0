#pragma once
// A LinearInput on the CPU by a few rows at a time, for products that take them while they are in the cache.

#include <cstdint>

#include "core/model/linear_input.h"

namespace plumbline {

class LinearRows {
  public:
    explicit LinearRows(const LinearInput& input);

    /// work(rows [row, row + n) of the value, (n, in) f32); where `rounded`, perhaps in bf16 as the upper halves of floats.
    template <typename Work>
    void with(std::int64_t row, std::int64_t n, bool rounded, const Work& work) const {
        if (holds_bf16() || (rounded && !is_plain())) {
            work(bf16(row, n));
        } else {
            work(floats(row, n));
        }
    }
    /// The same in f32 always; not of an x in bf16. Until the next call on this thread.
    const float* floats(std::int64_t row, std::int64_t n) const;
    /// grad (n, in) of these rows -> that of x, (n, …), and the value once more, (n, in), where it is not x itself.
    void backward(std::int64_t row, std::int64_t n, const float* grad, float* grad_x, float* value) const;

  private:
    bool holds_bf16() const { return x_.scalar_type() == at::kBFloat16; }
    bool is_plain() const { return kind_ == LinearInput::Kind::plain; }
    const std::uint16_t* bf16(std::int64_t row, std::int64_t n) const;

    at::Tensor x_;   // contiguous
    LinearInput::Kind kind_;
    at::Tensor norm_weight_;
    float eps_;
    std::int64_t in_;
};

}  // namespace plumbline
