#pragma once
// Gradient descent: every weight moves by the same multiple of its gradient, so a step goes where the
// examples agree.

#include <vector>

#include "core/training/optimizer.h"

namespace plumbline {

/// p <- p - lr (g + weight_decay p). No momentum: nothing but the parameters to save.
class Sgd : public Optimizer {
  public:
    Sgd(std::vector<at::Tensor> parameters, std::vector<std::string> names);

    std::vector<at::Tensor> state() const override;

  private:
    void update(const std::vector<std::size_t>& places, double lr, double weight_decay) override;
};

}  // namespace plumbline
