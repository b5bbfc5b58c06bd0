#pragma once
// What every optimiser shares: a guard, clipping, and the form in which its state is saved. A step either
// happens with finite numbers or not at all.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace plumbline {

/// The loss or a gradient is not finite; weights are as before the step.
class NonFinite : public std::exception {
  public:
    explicit NonFinite(std::string message) : message_(std::move(message)) {}
    const char* what() const noexcept override { return message_.c_str(); }

  private:
    std::string message_;
};

/// Changes `parameters`, which keep their gradients in .grad. One thread at a time.
class Optimizer {
  public:
    virtual ~Optimizer() = default;

    struct Step {
        double gradient_norm = 0;  // before clipping
    };
    /// Clips the global norm to `clip_norm` (0: no clipping), decays every parameter that has a gradient by
    /// lr * weight_decay of itself, steps, and clears the gradients. Parameters without a gradient stay as
    /// they are. Throws NonFinite, which names the first bad tensor, before anything changed.
    Step step(double lr, double weight_decay, double clip_norm);
    void zero_grad();

    std::int64_t steps() const { return steps_; }
    /// With the tensors of state(), all that a checkpoint needs.
    void set_steps(std::int64_t steps) { steps_ = steps; }
    /// Parameters first, in order, then whatever else the next step depends on. The tensors themselves, not
    /// copies.
    virtual std::vector<at::Tensor> state() const = 0;

  protected:
    /// `names` of the parameters, for messages.
    Optimizer(std::vector<at::Tensor> parameters, std::vector<std::string> names);
    Optimizer(const Optimizer&) = default;
    Optimizer(Optimizer&&) = default;
    Optimizer& operator=(const Optimizer&) = default;
    Optimizer& operator=(Optimizer&&) = default;

    const std::vector<at::Tensor>& parameters() const { return parameters_; }

  private:
    /// Changes the parameters of these places, all of which have a finite, clipped gradient. Without
    /// autograd; steps() counts this step already.
    virtual void update(const std::vector<std::size_t>& places, double lr, double weight_decay) = 0;

    std::vector<at::Tensor> parameters_;
    std::vector<std::string> names_;
    std::int64_t steps_ = 0;
};

}  // namespace plumbline
