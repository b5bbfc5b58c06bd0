#include "core/training/adamw.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace plumbline {

using at::Tensor;

AdamW::AdamW(std::vector<Tensor> parameters, std::vector<std::string> names)
    : parameters_(std::move(parameters)), names_(std::move(names)) {
    for (const Tensor& p : parameters_) {
        first_.push_back(at::zeros_like(p, at::TensorOptions().requires_grad(false)));
        second_.push_back(at::zeros_like(p, at::TensorOptions().requires_grad(false)));
        step_counts_.push_back(at::zeros({}, at::kFloat));
    }
}

AdamW::Step AdamW::step(double lr, double weight_decay, double clip_norm) {
    at::NoGradGuard no_grad;
    std::vector<Tensor> with_grad, grads, first, second, counts;
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
        with_grad.push_back(parameters_[i]);
        grads.push_back(grad);
        first.push_back(first_[i]);
        second.push_back(second_[i]);
        counts.push_back(step_counts_[i]);
    }
    const double total = std::sqrt(square);
    if (clip_norm > 0 && total > clip_norm) {
        for (Tensor& g : grads) {
            g.mul_(clip_norm / (total + 1e-6));   // as torch.nn.utils.clip_grad_norm_
        }
    }
    ++steps_;
    for (Tensor& c : step_counts_) {
        c.fill_(static_cast<double>(steps_));
    }
    if (!with_grad.empty()) {
        at::_fused_adamw_(with_grad, grads, first, second, /*max_exp_avg_sqs=*/{}, counts, lr, 0.9, 0.999,
                          weight_decay, 1e-8, /*amsgrad=*/false, /*maximize=*/false);
    }
    zero_grad();
    return {total};
}

void AdamW::zero_grad() {
    for (Tensor& p : parameters_) {
        p.mutable_grad() = Tensor();
    }
}

std::vector<Tensor> AdamW::state() const {
    std::vector<Tensor> out = parameters_;
    out.insert(out.end(), first_.begin(), first_.end());
    out.insert(out.end(), second_.begin(), second_.end());
    return out;
}

void AdamW::set_steps(std::int64_t steps) {
    steps_ = steps;
    for (Tensor& c : step_counts_) {
        c.fill_(static_cast<double>(steps));
    }
}

}  // namespace plumbline
