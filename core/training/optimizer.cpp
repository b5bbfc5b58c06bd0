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
    double square = 0;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
        const Tensor& grad = parameters_[i].grad();
        if (!grad.defined()) {
            continue;
        }
        const double norm = grad.norm().item<double>();
        if (!std::isfinite(norm)) {
            zero_grad();
            throw NonFinite("the gradient of " + names_[i] + " is not finite");
        }
        square += norm * norm;
        places.push_back(i);
    }
    const double total = std::sqrt(square);
    if (clip_norm > 0 && total > clip_norm) {
        for (const std::size_t i : places) {
            parameters_[i].mutable_grad().mul_(clip_norm /
                                               (total + 1e-6));  // as torch.nn.utils.clip_grad_norm_
        }
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
