#include "core/training/sgd.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

Sgd::Sgd(std::vector<Tensor> parameters, std::vector<std::string> names)
    : Optimizer(std::move(parameters), std::move(names)) {}

void Sgd::update(const std::vector<std::size_t>& places, double lr, double weight_decay) {
    for (const std::size_t i : places) {
        Tensor p = parameters()[i];
        const Tensor grad = p.grad();
        if (weight_decay != 0) {
            p.mul_(1 - lr * weight_decay);
        }
        p.sub_(grad, lr);
    }
}

std::vector<Tensor> Sgd::state() const {
    return parameters();
}

}  // namespace plumbline
