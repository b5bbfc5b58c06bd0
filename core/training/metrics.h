#pragma once
// What a training step measured.

#include <map>
#include <string>

namespace plumbline {

using Metrics = std::map<std::string, double>;  // names as in the metrics list: "loss/policy", "objective/kl"

}  // namespace plumbline
