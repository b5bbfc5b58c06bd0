#include "core/training/pooled_reward.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/api/errors.h"
#include "core/sampling/counter_random.h"
#include "core/training/finite.h"
#include "core/training/reward_likelihood.h"

namespace plumbline {

using at::Tensor;

namespace {

int middle_block(const DecoderConfig& model) {
    return model.blocks / 2;
}  // as reference_facts

Tensor to_tensor(const std::vector<double>& values) {
    return at::tensor(values, at::kDouble);
}

/// The indexes of a step's observations, in order: a partial Fisher-Yates shuffle.
std::vector<std::size_t> batch_of(std::size_t labels, const PooledRewardSettings& settings,
                                  std::int64_t step) {
    std::vector<std::size_t> all(labels);
    std::iota(all.begin(), all.end(), std::size_t{0});
    const std::size_t size = std::min<std::size_t>(labels, settings.batch_size);
    for (std::size_t i = 0; i < size; ++i) {
        const double u = uniform(settings.seed, Use::shuffle, static_cast<std::uint64_t>(step),
                                 static_cast<std::uint32_t>(i));
        std::swap(all[i], all[i + static_cast<std::size_t>(u * static_cast<double>(labels - i))]);
    }
    all.resize(size);
    std::sort(all.begin(), all.end());
    return all;
}

/// The same observation about the distinct replies that it names, which are given back in order.
std::vector<int> make_local(RewardObservation& observation) {
    std::vector<int> distinct;
    for (int& item : observation.items) {
        const auto known = std::find(distinct.begin(), distinct.end(), item);
        const auto place = static_cast<int>(known - distinct.begin());
        if (known == distinct.end()) {
            distinct.push_back(item);
        }
        item = place;
    }
    return distinct;
}

/// Pairs (better, worse) of places in `items` that the observation states.
std::vector<std::pair<int, int>> stated_pairs(const RewardObservation& observation) {
    const auto& items = observation.items;
    if (observation.kind == RewardObservation::Kind::preference) {
        return {{items[0], items[1]}};
    }
    std::vector<std::pair<int, int>> out;
    if (observation.kind == RewardObservation::Kind::ranking) {
        for (int i = 0; i < observation.ranked; ++i) {
            for (std::size_t j = i + 1; j < items.size(); ++j) {
                out.emplace_back(items[i], items[j]);
            }
        }
    }
    return out;
}

}  // namespace

bool pooled_takes_over(int usable_labels, int threshold) {
    return threshold > 0 && usable_labels >= threshold;
}

PooledReward PooledReward::from_linear(const DecoderConfig& model, const LinearReward& linear,
                                       const RewardFitSettings& settings, const LoraConfig& config,
                                       std::uint64_t seed, at::Device device) {
    if (linear.weights().size(0) != model.hidden + 1) {
        throw Error("start reward model", "the linear head has " + std::to_string(linear.weights().size(0)) +
                                              " features where the model gives " +
                                              std::to_string(model.hidden + 1) +
                                              "; fit it on this model's replies");
    }
    DecoderConfig lower_half = model;
    lower_half.blocks = middle_block(model);
    PooledReward out;
    if (lower_half.blocks > 0) {
        out.adapter = LoraAdapter::fresh(lower_half, config, seed, device);
    }
    out.weights = linear.weights().detach().clone();
    out.scale = linear.scale();
    out.ridge = linear.ridge();
    out.tie_threshold = linear.tie_threshold();
    out.ties_as_half = settings.ties_as_half;
    out.absolute_threshold = settings.absolute_threshold;
    return out;
}

Tensor PooledReward::rewards(const Decoder& decoder, std::span<const Sequence> replies,
                             const Pulse& pulse) const {
    const PackedBatch batch = pack(replies);
    const int middle = middle_block(decoder.config()), first = adapter.first_block();
    Tensor h;
    {
        at::NoGradGuard no_grad;  // nothing below the adapter trains
        h = decoder.run(decoder.embed(batch, nullptr), batch, 0, first, nullptr, pulse);  // (N, D)
    }
    h = decoder.run(h, batch, first, middle, &adapter, pulse).index_select(0, batch.reply_rows.to(h.device()));  // (M, D)
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
        const std::int64_t begin = batch.reply_starts[i], end = batch.reply_starts[i + 1];
        const Tensor pooled =
            end > begin ? h.slice(0, begin, end).mean(0) : at::zeros({h.size(1)}, h.options());
        rows.push_back(at::cat({pooled, at::full({1}, static_cast<double>(end - begin), h.options())}));
    }
    const Tensor features = at::stack(rows).to(at::kCPU, at::kDouble);  // (B, F)
    return at::mv((features - to_tensor(scale.mean)) * to_tensor(scale.inverse_deviation), weights);  // (B)
}

std::vector<Tensor> PooledReward::tensors() const {
    std::vector<Tensor> out = adapter.tensors();
    out.push_back(weights);
    return out;
}

std::vector<std::string> PooledReward::tensor_names() const {
    std::vector<std::string> out = adapter.tensor_names();
    out.push_back("pooled.weights");
    return out;
}

void PooledReward::require_grad(bool on) {
    adapter.require_grad(on);
    weights.requires_grad_(on);
}

std::vector<Tensor> PooledReward::state() const {
    std::vector<Tensor> out;
    for (const Tensor& t : tensors()) {
        out.push_back(t.detach().clone());
    }
    out.push_back(to_tensor(scale.mean));
    out.push_back(to_tensor(scale.inverse_deviation));
    out.push_back(to_tensor({ridge, tie_threshold, ties_as_half ? 1.0 : 0.0, absolute_threshold}));
    return out;
}

void PooledReward::restore(std::span<const Tensor> state) {
    at::NoGradGuard no_grad;
    const std::vector<Tensor> own = tensors(), shape = this->state();
    const auto names = tensor_names();
    if (state.size() != shape.size()) {
        throw Error("restore reward model", "there are " + std::to_string(state.size()) +
                                                " tensors where the model has " +
                                                std::to_string(shape.size()) + "; it is of another shape");
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (state[i].sizes() != shape[i].sizes() || state[i].scalar_type() != shape[i].scalar_type() ||
            !state[i].isfinite().all().item<bool>()) {
            throw Error("restore reward model", (i < names.size() ? names[i] : std::string("its scale")) +
                                                    " does not fit or is not finite; start the model again");
        }
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
        Tensor(own[i]).copy_(state[i]);
    }
    const auto values = [](const Tensor& t) {
        const Tensor plain = t.contiguous();
        return std::vector<double>(plain.const_data_ptr<double>(),
                                   plain.const_data_ptr<double>() + plain.numel());
    };
    scale = {values(state[own.size()]), values(state[own.size() + 1])};
    const std::vector<double> numbers = values(state[own.size() + 2]);
    ridge = numbers[0];
    tie_threshold = numbers[1];
    ties_as_half = numbers[2] != 0;
    absolute_threshold = numbers[3];
}

Metrics pooled_reward_gradients(const Decoder& decoder, const PooledReward& model,
                                std::span<const Sequence> replies,
                                std::span<const RewardObservation> observations, std::size_t labels,
                                const Pulse& pulse) {
    if (observations.empty()) {
        return {};
    }
    RewardFitSettings settings;
    settings.ridge = model.ridge;
    settings.tie_threshold = model.ties_as_half ? 0 : model.tie_threshold;  // as fitted: no longer learned
    settings.ties_as_half = model.ties_as_half;
    settings.absolute_threshold = model.absolute_threshold;
    const RewardLikelihood checked(observations, replies.size(), settings);  // before anything changes

    Metrics total{{"reward/min", INFINITY}, {"reward/max", -INFINITY}};
    const auto n = static_cast<double>(observations.size());
    double scored = 0, pairs = 0, right = 0, margin = 0;
    for (RewardObservation observation : observations) {
        pulse.check();
        std::vector<Sequence> named;
        for (const int item : make_local(observation)) {
            named.push_back(replies[item]);
        }
        const RewardLikelihood likelihood({&observation, 1}, named.size(), settings);
        const Tensor rewards = model.rewards(decoder, named, pulse);  // (B)
        const double* r = rewards.const_data_ptr<double>();
        std::vector<double> v;
        for (const auto& argument : likelihood.arguments()) {
            v.push_back(0);
            for (const auto& [item, factor] : argument) {
                v.back() += factor * r[item];
            }
        }
        const RewardLikelihood::Value value = likelihood.at(v);
        total["loss/reward"] -= finite(value.log_likelihood, "the reward model's loss") / n;
        std::vector<double> slope(named.size(), 0);  // of the mean loss in each reward
        for (std::size_t k = 0; k < v.size(); ++k) {
            for (const auto& [item, factor] : likelihood.arguments()[k]) {
                slope[item] -= factor * value.gradient[k] / n;
            }
        }
        rewards.backward(to_tensor(slope));

        for (std::size_t i = 0; i < named.size(); ++i) {
            total["reward/min"] = std::min(total["reward/min"], r[i]);
            total["reward/max"] = std::max(total["reward/max"], r[i]);
            total["reward/mean"] += r[i];
            ++scored;
        }
        for (const auto& [better, worse] : stated_pairs(observation)) {
            ++pairs;
            right += r[better] > r[worse];
            margin += r[better] - r[worse];
        }
    }
    total["reward/mean"] /= scored;
    if (pairs > 0) {
        total["reward/accuracy"] = right / pairs;
        total["reward/margin"] = margin / pairs;
    }
    (model.weights.square().sum() * (model.ridge / (2 * static_cast<double>(labels)))).backward();
    return total;
}

Metrics pooled_reward_step(const Decoder& decoder, PooledReward& model, Optimizer& optimizer,
                           std::span<const Sequence> replies, std::span<const RewardObservation> observations,
                           const PooledRewardSettings& settings, const Pulse& pulse) {
    if (observations.empty()) {
        return {};
    }
    std::vector<RewardObservation> batch;
    for (const std::size_t i : batch_of(observations.size(), settings, optimizer.steps())) {
        batch.push_back(observations[i]);
    }
    try {
        Metrics metrics = pooled_reward_gradients(decoder, model, replies, batch, observations.size(), pulse);
        metrics["grad_norm"] = optimizer.step(settings.lr, 0, settings.clip_norm).gradient_norm;
        return metrics;
    } catch (...) {
        optimizer.zero_grad();  // half a batch's gradient must not enter the next step
        throw;
    }
}

}  // namespace plumbline
