#include "core/training/linear_reward.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/api/errors.h"
#include "core/formats/sha256.h"
#include "core/training/reward_mode.h"

namespace plumbline {

using at::Tensor;

std::vector<float> LinearReward::raw_features(std::span<const float> pooled, int tokens) {
    std::vector<float> out(pooled.begin(), pooled.end());
    out.push_back(static_cast<float>(tokens));
    return out;
}

FeatureScale LinearReward::scale_of(std::span<const std::vector<float>> replies, double length_scale) {
    const std::size_t features = replies.empty() ? 0 : replies.front().size();
    const auto n = static_cast<double>(replies.size());
    FeatureScale scale{std::vector<double>(features, 0), std::vector<double>(features, 0)};
    for (const auto& r : replies) {
        for (std::size_t f = 0; f < features; ++f) {
            scale.mean[f] += r[f] / n;
        }
    }
    for (const auto& r : replies) {
        for (std::size_t f = 0; f < features; ++f) {
            const double d = r[f] - scale.mean[f];
            scale.inverse_deviation[f] += d * d / n;
        }
    }
    for (double& v : scale.inverse_deviation) {
        v = v > 1e-12 ? 1 / std::sqrt(v) : 0;  // a feature that never varies says nothing
    }
    if (features > 0) {
        scale.inverse_deviation.back() *= length_scale;
    }
    return scale;
}

namespace {

constexpr const char* operation = "fit reward";

void check_features(const FeatureScale& scale, std::span<const std::vector<float>> replies) {
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (replies[i].size() != scale.mean.size()) {
            throw Error(operation, "reply " + std::to_string(i) + " has " +
                                       std::to_string(replies[i].size()) + " features where the scale has " +
                                       std::to_string(scale.mean.size()) + "; read them from one model");
        }
        if (!std::all_of(replies[i].begin(), replies[i].end(), [](float x) { return std::isfinite(x); })) {
            throw Error(operation,
                        "reply " + std::to_string(i) + " has a feature that is not finite; leave it out");
        }
    }
}

}  // namespace

LinearReward LinearReward::fit(FeatureScale scale, std::span<const std::vector<float>> replies,
                               std::span<const RewardObservation> observations,
                               const RewardFitSettings& settings) {
    check_features(scale, replies);
    const RewardLikelihood likelihood(observations, replies.size(), settings);
    LinearReward model;
    model.scale_ = std::move(scale);
    model.ridge_ = settings.ridge;
    model.labels_ = observations.size();
    model.tie_threshold_ = std::exp(likelihood.fixed_threshold());
    const auto features = static_cast<std::int64_t>(model.scale_.mean.size());
    model.weights_ = at::zeros({features}, at::kDouble);
    if (observations.empty()) {
        return model;
    }
    const auto& arguments = likelihood.arguments();
    const auto m = static_cast<std::int64_t>(arguments.size());
    const bool learns = likelihood.learns_threshold();
    // v = G z with w = z / sqrt(ridge), and eta, ~ half-normal(1), behind the weights.
    Tensor g = at::zeros({m, features + learns}, at::kDouble);
    std::map<int, Tensor> whitened;
    for (std::int64_t i = 0; i < m; ++i) {
        Tensor row = g[i].slice(0, 0, features);
        for (const auto& [item, factor] : arguments[i]) {
            auto known = whitened.find(item);
            if (known == whitened.end()) {
                known = whitened.emplace(item, model.standardised(replies[item]) / std::sqrt(settings.ridge))
                            .first;
            }
            row.add_(known->second, factor);
        }
    }
    if (learns) {
        g[m - 1][features] = 1;
    }
    RewardMode mode = find_reward_mode(likelihood, g);
    if (learns) {
        model.tie_threshold_ = std::exp(mode.z[-1].item<double>());
    }
    model.loss_ = -mode.value.log_likelihood / static_cast<double>(observations.size());
    model.weights_ = mode.z.slice(0, 0, features) / std::sqrt(settings.ridge);
    model.mode_ = std::make_shared<RewardMode>(std::move(mode));
    return model;
}

Tensor LinearReward::standardised(const std::vector<float>& raw) const {
    std::vector<double> out(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        out[i] = (raw[i] - scale_.mean[i]) * scale_.inverse_deviation[i];
    }
    return at::tensor(out, at::kDouble);
}

LinearReward::Score LinearReward::project(const Tensor& x) const {
    const double mean = weights_.dot(x).item<double>();
    Tensor direction = x / std::sqrt(ridge_);
    if (!mode_) {
        return {mean, direction.norm().item<double>()};  // the prior
    }
    if (mode_->z.size(0) > x.size(0)) {
        direction = at::constant_pad_nd(direction, {0, 1});  // a score has nothing of eta
    }
    return {mean, std::sqrt(mode_->variance(direction))};
}

LinearReward::Score LinearReward::score(const std::vector<float>& raw) const {
    return project(standardised(raw));
}

double LinearReward::mean_score(const std::vector<float>& raw) const {
    double sum = 0;
    const double* w = weights_.const_data_ptr<double>();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        sum += w[i] * (raw[i] - scale_.mean[i]) * scale_.inverse_deviation[i];
    }
    return sum;
}

std::string LinearReward::hash() const {
    std::vector<double> all = scale_.mean;
    all.insert(all.end(), scale_.inverse_deviation.begin(), scale_.inverse_deviation.end());
    const double* w = weights_.const_data_ptr<double>();
    all.insert(all.end(), w, w + weights_.numel());
    return sha256(std::as_bytes(std::span(all)));
}

LinearReward::Score LinearReward::difference(const std::vector<float>& left,
                                             const std::vector<float>& right) const {
    return project(standardised(left) - standardised(right));
}

double LinearReward::probability(const std::vector<float>& left, const std::vector<float>& right) const {
    const Score d = difference(left, right);
    return 1 / (1 + std::exp(-d.mean / std::sqrt(1 + M_PI * d.deviation * d.deviation / 8)));
}

LinearReward::Outcome LinearReward::outcome(const std::vector<float>& left,
                                            const std::vector<float>& right) const {
    const Score d = difference(left, right);
    const double eta = std::log(tie_threshold_),
                 widening = std::sqrt(1 + M_PI * d.deviation * d.deviation / 8);
    const double wins = 1 / (1 + std::exp((eta - d.mean) / widening)),
                 loses = 1 / (1 + std::exp((eta + d.mean) / widening));
    return {wins, std::max(0.0, 1 - wins - loses), loses};
}

}  // namespace plumbline
