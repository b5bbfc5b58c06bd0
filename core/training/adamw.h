#pragma once
// Adam with decoupled weight decay (1711.05101), in two forms.

#include <vector>

#include "core/api/configs.h"
#include "core/training/optimizer.h"

namespace plumbline {

struct AdamWSettings {
    double beta1 = 0.9;     // 0 to below 1
    double beta2 = 0.999;   // 0 to below 1
    double epsilon = 1e-8;  // above 0
    /// pytorch: m' / (sqrt(v') + epsilon) of the bias-corrected moments. tensorflow: epsilon before the
    /// correction, m' / (sqrt(v') + epsilon / sqrt(1 - beta2^t)), so that the first steps are smaller where
    /// epsilon is large beside the gradients: what PPO was first tuned with, at epsilon 1e-5.
    AdamForm form = AdamForm::pytorch;
};

/// Owns the moments of `parameters`. The tensorflow form decays weights as the other does.
class AdamW : public Optimizer {
  public:
    AdamW(std::vector<at::Tensor> parameters, std::vector<std::string> names, AdamWSettings settings = {});

    /// Parameters, then first and second moments, in order.
    std::vector<at::Tensor> state() const override;

  private:
    void update(const std::vector<std::size_t>& places, double lr, double weight_decay) override;

    AdamWSettings settings_;
    std::vector<at::Tensor> first_, second_;
};

}  // namespace plumbline
