#include "core/training/adamw.h"

#include <ATen/ATen.h>

namespace plumbline {

using at::Tensor;

AdamW::AdamW(std::vector<Tensor> parameters, std::vector<std::string> names, AdamWSettings settings)
    : Optimizer(std::move(parameters), std::move(names)), settings_(settings) {
    for (const Tensor& p : this->parameters()) {
        first_.push_back(at::zeros_like(p, at::TensorOptions().requires_grad(false)));
        second_.push_back(at::zeros_like(p, at::TensorOptions().requires_grad(false)));
    }
}

void AdamW::update(const std::vector<std::size_t>& places, double lr, double weight_decay) {
    // The fused step takes tensors of one device and type: all of them, but for a reward model's linear weights.
    std::size_t of_a_kind = 0;
    const auto of = [&](std::size_t place) { return parameters()[place].options(); };
    while (of_a_kind < places.size() && of(places[of_a_kind]).device() == of(places[0]).device() &&
           of(places[of_a_kind]).dtype() == of(places[0]).dtype()) {
        ++of_a_kind;
    }
    if (of_a_kind < places.size()) {
        update({places.begin(), places.begin() + static_cast<std::ptrdiff_t>(of_a_kind)}, lr, weight_decay);
        return update({places.begin() + static_cast<std::ptrdiff_t>(of_a_kind), places.end()}, lr, weight_decay);
    }
    std::vector<Tensor> weights, grads, first, second, counts;
    for (const std::size_t i : places) {
        weights.push_back(parameters()[i]);
        grads.push_back(parameters()[i].grad());
        first.push_back(first_[i]);
        second.push_back(second_[i]);
        counts.push_back(at::full({}, static_cast<double>(steps()), first_[i].options().dtype(at::kFloat)));
    }
    if (settings_.form == AdamForm::pytorch) {
        at::_fused_adamw_(weights, grads, first, second, /*max_exp_avg_sqs=*/{}, counts, lr, settings_.beta1,
                          settings_.beta2, weight_decay, settings_.epsilon, /*amsgrad=*/false,
                          /*maximize=*/false);
        return;
    }
    const auto t = static_cast<double>(steps());
    // The rate carries the whole bias correction (1412.6980, end of section 2): epsilon stays as it is.
    const double rate = lr * std::sqrt(1 - std::pow(settings_.beta2, t)) / (1 - std::pow(settings_.beta1, t));
    for (std::size_t i = 0; i < weights.size(); ++i) {
        first[i].lerp_(grads[i], 1 - settings_.beta1);
        second[i].mul_(settings_.beta2).addcmul_(grads[i], grads[i], 1 - settings_.beta2);
        weights[i].mul_(1 - lr * weight_decay);
        weights[i].addcdiv_(first[i], second[i].sqrt().add_(settings_.epsilon), -rate);
    }
}

std::vector<Tensor> AdamW::state() const {
    std::vector<Tensor> out = parameters();
    out.insert(out.end(), first_.begin(), first_.end());
    out.insert(out.end(), second_.begin(), second_.end());
    return out;
}

}  // namespace plumbline
