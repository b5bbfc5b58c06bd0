#pragma once
// AdamW with clipping and a guard: a step either happens with finite numbers or not at all.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace plumbline {

/// The loss or a gradient is not finite; weights are as before the step.
class NonFinite : public std::exception {
  public:
    explicit NonFinite(std::string message) : message_(std::move(message)) {}
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    std::string message_;
};

/// Adam with decoupled weight decay (1711.05101): betas 0.9 and 0.999, epsilon 1e-8. Owns the moments of `parameters`,
/// which keep their gradients in .grad.
class AdamW {
  public:
    AdamW(std::vector<at::Tensor> parameters, std::vector<std::string> names);

    struct Step {
        double gradient_norm = 0;   // before clipping
    };
    /// Clips the global norm to `clip_norm` (0: no clipping), steps, and clears the gradients. Throws NonFinite, which
    /// names the first bad tensor, before anything changed.
    Step step(double lr, double weight_decay, double clip_norm);
    void zero_grad();

    std::int64_t steps() const { return steps_; }
    /// Parameters and moments, for checkpoints: parameters first, then first and second moments, in order.
    std::vector<at::Tensor> state() const;
    void set_steps(std::int64_t steps);

  private:
    std::vector<at::Tensor> parameters_, first_, second_, step_counts_;
    std::vector<std::string> names_;
    std::int64_t steps_ = 0;
};

}  // namespace plumbline
