#pragma once
// A frozen product and the low-rank ones beside it as one step of autograd: y = W x + scale * B_i A_i x, where each
// B_i A_i writes columns of its own (LoRA, 2106.09685, equation 3). What it keeps for the gradient is its input and
// A x; the equal of the same formula in plain tensors, which tests compare it with.

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/frozen_linear.h"
#include "core/model/linear_input.h"

namespace plumbline {

/// The low-rank pairs that share one product.
struct LoraStack {
    struct Part {
        at::Tensor a;              // (r, in), rows of `a` below
        at::Tensor b;              // (columns, r)
        std::int64_t column = 0;   // the first of y that it adds to
        int site = 0;              // which layer of the block
        at::Tensor b_t{};          // (r, columns), while nothing trains; undefined: made anew by each product
    };
    at::Tensor a;                  // (parts * r, in): all A one below the other, so that one product serves them
    std::vector<Part> parts;

    /// Lays the A of the parts one below the other in new memory, of which they are views from then on.
    void join();
    /// Turns every B for the many products that come before it changes.
    void turn();
};

/// (N, out). `frozen` outlives every graph that it takes part in.
at::Tensor lora_product(const FrozenLinear& frozen, const LinearInput& input, const LoraStack& lora, double scale);

}  // namespace plumbline
