#pragma once
// Double tensors for the tests of losses, from lists and from the golden file.

#include <ATen/ATen.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/golden_file.h"

namespace plumbline::testing {

inline at::Tensor values(std::initializer_list<double> list) {
    return at::tensor(std::vector<double>(list), at::kDouble);
}

inline at::Tensor values(const nlohmann::json& list) {
    return at::tensor(list.get<std::vector<double>>(), at::kDouble);
}

/// What public implementations compute (make_losses.py).
inline nlohmann::json golden_losses(const char* part) {
    return golden_json("losses.json").at(part);
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

}  // namespace plumbline::testing
