#include "core/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace plumbline {

using at::Tensor;

Optimizer::Optimizer(std::vector<Tensor> parameters, std::vector<std::string> names)
    : parameters_(std::move(parameters)), names_(std::move(names)) {}

Optimizer::Step Optimizer::step(double lr, double weight_decay, double clip_norm) {
    at::NoGradGuard no_grad;
    std::vector<std::size_t> places;
    std::vector<Tensor> grads;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        if (parameters_[i].grad().defined()) {
            places.push_back(i);
            grads.push_back(parameters_[i].grad());
        }
    }
    double square = 0;
    if (!grads.empty()) {
        std::vector<Tensor> norms = at::_foreach_norm(grads);
        for (Tensor& norm : norms) {
            norm = norm.to(norms.front().device());   // a reward model's linear weights stay on the CPU
        }
        square = at::stack(norms).to(at::kDouble).square().sum().item<double>();  // waits for a device once
        for (std::size_t k = 0; !std::isfinite(square) && k < places.size(); ++k) {
            if (!std::isfinite(norms[k].item<double>())) {
                zero_grad();
                throw NonFinite("the gradient of " + names_[places[k]] + " is not finite");
            }
        }
    }
    const double total = std::sqrt(square);
    if (clip_norm > 0 && total > clip_norm) {
        at::_foreach_mul_(grads, clip_norm / (total + 1e-6));  // as torch.nn.utils.clip_grad_norm_
    }
    ++steps_;
    if (!places.empty()) {
        update(places, lr, weight_decay);
    }
    zero_grad();
    return {total};
}

void Optimizer::zero_grad() {
    for (Tensor& p : parameters_) {
        p.mutable_grad() = Tensor();
    }
}

}  // namespace plumbline
