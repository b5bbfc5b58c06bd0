#include "core/training/linear_reward.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/formats/sha256.h"

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
        v = v > 1e-12 ? 1 / std::sqrt(v) : 0;   // a feature that never varies says nothing
    }
    if (features > 0) {
        scale.inverse_deviation.back() *= length_scale;
    }
    return scale;
}

LinearReward LinearReward::fit(FeatureScale scale, const std::vector<LinearLabel>& labels, double ridge) {
    LinearReward model;
    model.scale_ = std::move(scale);
    model.ridge_ = ridge;
    model.labels_ = labels.size();
    const auto features = static_cast<std::int64_t>(model.scale_.mean.size());
    model.weights_ = at::zeros({features}, at::kDouble);
    if (labels.empty()) {
        return model;
    }
    std::vector<Tensor> rows;
    std::vector<double> targets;
    for (const LinearLabel& l : labels) {
        rows.push_back(model.standardised(l.left) - model.standardised(l.right));
        targets.push_back(l.target);
    }
    const Tensor x = at::stack(rows);                              // (n, F)
    const Tensor y = at::tensor(targets, at::kDouble);             // (n)
    const Tensor k = at::mm(x, x.t()) / ridge;                     // (n, n) prior covariance of the margins
    const auto n = static_cast<std::int64_t>(labels.size());
    const Tensor identity = at::eye(n, at::kDouble);

    // Newton's iteration of algorithm 3.1: f is the vector of margins r_left - r_right.
    Tensor f = at::zeros({n}, at::kDouble), a = at::zeros({n}, at::kDouble), root, factor;
    for (int iteration = 0; iteration < 100; ++iteration) {
        const Tensor p = at::sigmoid(f), w = p * (1 - p);
        root = w.sqrt();
        factor = std::get<0>(at::linalg_cholesky_ex(identity + root.unsqueeze(1) * k * root.unsqueeze(0)));
        const Tensor b = w * f + (y - p);
        const Tensor solved = at::cholesky_solve((root * at::mv(k, b)).unsqueeze(1), factor).squeeze(1);
        a = b - root * solved;
        const Tensor next = at::mv(k, a);
        const double change = (next - f).abs().max().item<double>();
        f = next;
        if (change < 1e-10) {
            break;
        }
    }
    const Tensor losses = -(y * at::log_sigmoid(f) + (1 - y) * at::log_sigmoid(-f));
    model.loss_ = losses.mean().item<double>();
    model.weights_ = at::mv(x.t(), a) / ridge;
    model.differences_ = x;
    model.root_curvature_ = root;
    model.factor_ = factor;
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
    double variance = x.dot(x).item<double>() / ridge_;   // of the prior
    if (differences_.defined()) {
        // Algorithm 3.2: k** - k*^T sqrtW B^-1 sqrtW k*.
        const Tensor covariance = root_curvature_ * at::mv(differences_, x) / ridge_;   // (n)
        const Tensor v = at::linalg_solve_triangular(factor_, covariance.unsqueeze(1), /*upper=*/false);
        variance -= v.square().sum().item<double>();
    }
    return {mean, std::sqrt(std::max(0.0, variance))};
}

LinearReward::Score LinearReward::score(const std::vector<float>& raw) const { return project(standardised(raw)); }

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

LinearReward::Score LinearReward::difference(const std::vector<float>& left, const std::vector<float>& right) const {
    return project(standardised(left) - standardised(right));
}

double LinearReward::probability(const std::vector<float>& left, const std::vector<float>& right) const {
    const Score d = difference(left, right);
    return 1 / (1 + std::exp(-d.mean / std::sqrt(1 + M_PI * d.deviation * d.deviation / 8)));
}

}  // namespace plumbline
