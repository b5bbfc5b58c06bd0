#include "core/lab/offline_stage.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/training/make_optimizer.h"

namespace plumbline {

using at::Tensor;

std::unique_ptr<Optimizer> stage_optimizer(const OptimizerConfig& config, std::vector<Tensor> parameters,
                                           std::vector<std::string> names) {
    return make_optimizer(config.optimizer, std::move(parameters), std::move(names),
                          {config.adam_beta1, config.adam_beta2, config.adam_epsilon, config.adam_form});
}

NamedTensors named_state(const std::string& prefix, const Optimizer& optimizer,
                         const std::vector<std::string>& names) {
    NamedTensors out;
    const std::vector<Tensor> state = optimizer.state();
    for (std::size_t i = 0; i < state.size(); ++i) {
        const std::size_t kind = i / names.size();
        out.emplace_back(prefix + (kind == 0 ? "weights" : "moment" + std::to_string(kind)) + "/" +
                             names[i % names.size()],
                         state[i]);
    }
    return out;
}

void add_metrics(Metrics& total, const Metrics& metrics, double n) {
    for (const auto& [name, value] : metrics) {
        const auto [entry, first] = total.emplace(name, 0);
        if (name == "reward/min") {
            entry->second = first ? value : std::min(entry->second, value);
        } else if (name == "reward/max") {
            entry->second = first ? value : std::max(entry->second, value);
        } else {
            entry->second += value / n;
        }
    }
}

void TrainingStage::train(std::vector<Tensor> parameters, std::vector<std::string> names) {
    parameters_ = parameters;
    names_ = names;
    optimizer_ = stage_optimizer(config_, std::move(parameters), std::move(names));
}

Metrics TrainingStage::add_gradients(const Batch&) {
    return {};
}

void TrainingStage::take_step(double rate, Metrics& metrics) {
    metrics["grad_norm"] =
        optimizer_->step(config_.lr * rate, config_.weight_decay, config_.clip_norm).gradient_norm;
}

Metrics TrainingStage::step(const std::vector<Batch>& batches, int, double rate) {
    clear_gradients();
    Metrics metrics;
    const auto n = static_cast<double>(batches.size());
    for (const Batch& batch : batches) {
        add_metrics(metrics, add_gradients(batch), n);
    }
    if (batches.size() > 1) {
        for (const Tensor& parameter : parameters_) {
            if (parameter.grad().defined()) {
                parameter.grad().div_(n);
            }
        }
    }
    take_step(rate, metrics);
    return metrics;
}

NamedTensors TrainingStage::tensors() const {
    return named_state("", *optimizer_, names_);
}

std::map<std::string, double> TrainingStage::numbers() const {
    return {{"optimizer_steps", static_cast<double>(optimizer_->steps())}};
}

void TrainingStage::set_numbers(const std::map<std::string, double>& numbers) {
    optimizer_->set_steps(static_cast<std::int64_t>(numbers.at("optimizer_steps")));
}

}  // namespace plumbline
