#include "core/training/value_head.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

ValueHead ValueHead::zeros(std::int64_t hidden, at::Device device) {
    const at::TensorOptions floats = at::TensorOptions(at::kFloat).device(device);
    return {at::zeros({1, hidden}, floats).requires_grad_(true), at::zeros({1}, floats).requires_grad_(true)};
}

Tensor ValueHead::operator()(const Tensor& states) const {
    return at::linear(states.detach(), weight, bias).squeeze(1);  // (M)
}

std::vector<Tensor> ValueHead::tensors() const {
    return {weight, bias};
}

std::vector<std::string> ValueHead::tensor_names() const {
    return {"value.weight", "value.bias"};
}

}  // namespace plumbline
