#pragma once
// lora_product() by a weight in tiles (tile_weight.h): the input is computed, A x taken and both laid for the matrix unit
// while they are in the cache, and B A x is added to the product before it leaves the unit.

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/model/linear_input.h"
#include "core/model/lora_product.h"
#include "core/model/tile_weight.h"

namespace plumbline::tile_lora {

/// Whether the parts' columns lie as the unit takes them.
bool takes(const TileWeight& weight, const LoraStack& lora);

/// Of a part in the columns of `low`: r rounded up to 16, zeros behind.
std::int64_t room_of(std::int64_t rank);

/// A part's column of the product and its weights.
struct Part {
    std::int64_t column = 0;
    at::Tensor a, b;   // (r, in), (columns, r)
};

struct Product {
    at::Tensor y;     // (N, out), f32
    at::Tensor low;   // (N, parts * room_of(r)), scale A x
};
Product forward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale);

struct Gradients {
    at::Tensor x;                // of input.x; undefined where not asked for
    std::vector<at::Tensor> a, b;
};
/// grad (N, out), f32, contiguous.
Gradients backward(const TileWeight& weight, const LinearInput& input, const std::vector<Part>& parts, double scale,
                   const at::Tensor& low, const at::Tensor& grad, bool of_x);

}  // namespace plumbline::tile_lora
