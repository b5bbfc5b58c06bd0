#include "core/lab/trained_reward.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cstring>

#include "core/api/errors.h"
#include "core/formats/sha256.h"

namespace plumbline {

using at::Tensor;

TrainedReward::TrainedReward(const Decoder& decoder, PooledReward model)
    : decoder_(&decoder), model_(std::move(model)), base_(model_.weights.detach().clone()) {
    model_.require_grad(true);
    optimizer_ = std::make_unique<AdamW>(model_.tensors(), model_.tensor_names());
}

std::unique_ptr<TrainedReward> TrainedReward::start(const Decoder& decoder, const LinearReward& linear,
                                                    const RewardFitSettings& settings, const LoraConfig& lora,
                                                    std::uint64_t seed) {
    LoraConfig below_middle = lora;
    below_middle.lora_first_block = -1;  // the session's own counts for the policy
    return std::unique_ptr<TrainedReward>(new TrainedReward(
        decoder, PooledReward::from_linear(decoder.config(), linear, settings, below_middle, seed,
                                           decoder.device())));
}

double TrainedReward::score(const Sequence& reply, const Pulse& pulse) const {
    const at::NoGradGuard no_grad;
    return model_.rewards(*decoder_, {&reply, 1}, pulse).item<double>();
}

// w = base + what the steps added. The scale follows too (a feature's deviation changes as replies are
// drawn), and what was added keeps its effect on the raw features.
void TrainedReward::follow(const LinearReward& linear, const RewardFitSettings& settings) {
    const at::NoGradGuard no_grad;
    const FeatureScale& scale = linear.scale();
    std::vector<double> ratio(scale.inverse_deviation.size(), 0);
    for (std::size_t f = 0; f < ratio.size(); ++f) {
        if (scale.inverse_deviation[f] > 0) {
            ratio[f] = model_.scale.inverse_deviation[f] / scale.inverse_deviation[f];
        }
    }
    const Tensor added = (model_.weights - base_) * at::tensor(ratio, at::kDouble);  // (F)
    base_.copy_(linear.weights());
    model_.weights.copy_(base_ + added);  // in place: the optimiser's parameter
    model_.scale = scale;
    model_.ridge = linear.ridge();
    model_.tie_threshold = linear.tie_threshold();
    model_.ties_as_half = settings.ties_as_half;
    model_.absolute_threshold = settings.absolute_threshold;
}

Metrics TrainedReward::step(std::span<const Sequence> replies,
                            std::span<const RewardObservation> observations, std::size_t labels,
                            const Pulse& pulse) {
    if (observations.empty()) {
        return {};
    }
    try {
        Metrics metrics = pooled_reward_gradients(*decoder_, model_, replies, observations, labels, pulse);
        optimizer_->step(lr, 0, clip_norm);
        return metrics;
    } catch (...) {
        optimizer_->zero_grad();  // half a batch's gradient must not enter the next step
        throw;
    }
}

std::vector<Tensor> TrainedReward::state() const {
    std::vector<Tensor> out = model_.state();
    out.push_back(base_.clone());
    const std::vector<Tensor> kept = optimizer_->state();  // the parameters first, which are there already
    for (std::size_t i = model_.tensors().size(); i < kept.size(); ++i) {
        out.push_back(kept[i].clone());
    }
    return out;
}

std::vector<std::byte> TrainedReward::save() const {
    const std::int64_t steps = optimizer_->steps();
    std::vector<std::byte> out(sizeof steps);
    std::memcpy(out.data(), &steps, sizeof steps);
    for (const Tensor& t : state()) {
        const Tensor plain = t.to(at::kCPU).contiguous();
        const auto* bytes = static_cast<const std::byte*>(plain.const_data_ptr());
        out.insert(out.end(), bytes, bytes + plain.nbytes());
    }
    return out;
}

std::unique_ptr<TrainedReward> TrainedReward::restored(const Decoder& decoder, const LoraConfig& lora,
                                                       std::span<const std::byte> state) {
    const std::size_t features = static_cast<std::size_t>(decoder.config().hidden) + 1;
    const std::vector<double> none(features, 0);
    auto out = start(decoder, LinearReward::fit({none, none}, {}, {}, {}), {}, lora, 0);
    std::vector<Tensor> tensors = out->state();
    std::int64_t steps = 0;
    std::size_t size = sizeof steps;
    for (const Tensor& t : tensors) {
        size += t.nbytes();
    }
    const auto refuse = [&](const std::string& what) {
        throw Error("restore checkpoint", "the reward model's state of " + std::to_string(state.size()) +
                                              " bytes " + what + "; the project is damaged");
    };
    if (state.size() != size) {
        refuse("has not the " + std::to_string(size) + " of this model and configuration");
    }
    std::memcpy(&steps, state.data(), sizeof steps);
    if (steps < 0) {
        refuse("counts " + std::to_string(steps) + " steps");
    }
    std::size_t place = sizeof steps;
    for (Tensor& t : tensors) {
        t = t.to(at::kCPU).contiguous();
        std::memcpy(t.mutable_data_ptr(), state.data() + place, t.nbytes());
        place += t.nbytes();
        if (!t.isfinite().all().item<bool>()) {
            refuse("holds a number that is not finite");
        }
    }
    const std::size_t model = out->model_.state().size(), parameters = out->model_.tensors().size();
    out->model_.restore(std::span(tensors).first(model));
    const at::NoGradGuard no_grad;
    out->base_.copy_(tensors[model]);
    const std::vector<Tensor> kept = out->optimizer_->state();
    for (std::size_t i = parameters; i < kept.size(); ++i) {
        Tensor(kept[i]).copy_(tensors[model + 1 + i - parameters]);
    }
    out->optimizer_->set_steps(steps);
    return out;
}

std::string TrainedReward::hash() const {
    return sha256(save());
}

}  // namespace plumbline
