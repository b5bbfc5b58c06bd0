#pragma once
// The optimiser that a setting names.

#include <memory>
#include <string>
#include <vector>

#include "core/training/adamw.h"

namespace plumbline {

/// `adam` is read for adamw only.
std::unique_ptr<Optimizer> make_optimizer(OptimizerKind kind, std::vector<at::Tensor> parameters,
                                          std::vector<std::string> names, const AdamWSettings& adam = {});

}  // namespace plumbline
