#include "core/training/linear_reward.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/api/errors.h"
#include "core/formats/sha256.h"
#include "core/training/reward_likelihood.h"

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

std::span<const double> view(const Tensor& t) {
    return {t.const_data_ptr<double>(), static_cast<std::size_t>(t.numel())};
}

/// S t, row by row: t (m, C) -> (R, C).
Tensor root_times(const std::vector<RewardLikelihood::RootRow>& root, const Tensor& t) {
    Tensor out = at::zeros({static_cast<std::int64_t>(root.size()), t.size(1)}, at::kDouble);
    const std::int64_t columns = t.size(1);
    const double* from = t.const_data_ptr<double>();
    double* to = out.mutable_data_ptr<double>();
    for (const RewardLikelihood::RootRow& row : root) {
        for (const auto& [argument, factor] : row) {
            const double* line = from + argument * columns;
            for (std::int64_t c = 0; c < columns; ++c) {
                to[c] += factor * line[c];
            }
        }
        to += columns;
    }
    return out;
}

/// S^T t: t (R) -> (m).
Tensor transposed_root_times(const std::vector<RewardLikelihood::RootRow>& root, const Tensor& t,
                             std::int64_t m) {
    Tensor out = at::zeros({m}, at::kDouble);
    double* to = out.mutable_data_ptr<double>();
    const double* from = t.const_data_ptr<double>();
    for (std::size_t r = 0; r < root.size(); ++r) {
        for (const auto& [argument, factor] : root[r]) {
            to[argument] += factor * from[r];
        }
    }
    return out;
}

/// The mode in the space of arguments: v = K alpha.
struct Mode {
    Tensor v, alpha;                // (m)
    RewardLikelihood::Value value;  // at v
    Tensor factor;                  // (R, R)
};

// Newton's iteration of algorithm 3.1 with W = S^T S, so that B = I + S K S^T is symmetric and positive
// definite, and with a line search on log p(answers | v) - v^T K^-1 v / 2, which is concave: it converges
// from anywhere.
Mode find_mode(const RewardLikelihood& likelihood, const Tensor& k) {
    const std::int64_t m = k.size(0);
    Mode mode{at::zeros({m}, at::kDouble), at::zeros({m}, at::kDouble), {}, {}};
    if (likelihood.learns_threshold()) {
        mode.alpha[-1] = 0.5;  // eta; its prior variance is 1
        mode.v[-1] = 0.5;
    }
    const auto objective = [](double log_likelihood, const Tensor& alpha, const Tensor& v) {
        return log_likelihood - 0.5 * alpha.dot(v).item<double>();
    };
    mode.value = likelihood.at(view(mode.v));
    double best = objective(mode.value.log_likelihood, mode.alpha, mode.v);
    for (int iteration = 0;; ++iteration) {
        const auto& root = mode.value.root;
        const Tensor sk = root_times(root, k);                     // (R, m)
        const Tensor sks = root_times(root, sk.t().contiguous());  // (R, R)
        const auto [factor, info] = at::linalg_cholesky_ex(at::eye(sks.size(0), at::kDouble) + sks);
        if (info.item<int>() != 0) {
            throw Error(operation, "the features are too large for the arithmetic; check their scale");
        }
        mode.factor = factor;
        const Tensor gradient = at::tensor(at::ArrayRef<double>(mode.value.gradient), at::kDouble);  // (m)
        const Tensor sv = root_times(root, mode.v.unsqueeze(1)).squeeze(1);
        const Tensor b = transposed_root_times(root, sv, m) + gradient;
        const Tensor solved = at::cholesky_solve(at::mv(sk, b).unsqueeze(1), factor).squeeze(1);  // (R)
        const Tensor step = b - transposed_root_times(root, solved, m) - mode.alpha;
        const Tensor move = at::mv(k, step);
        const double slope = (gradient - mode.alpha).dot(move).item<double>();  // not negative
        if (iteration == 200 || move.abs().max().item<double>() < 1e-10) {
            break;
        }
        double length = 1;
        bool found = false;
        for (; length > 1e-12 && !found; length /= 2) {
            const Tensor alpha = mode.alpha + length * step, v = mode.v + length * move;
            RewardLikelihood::Value value = likelihood.at(view(v));
            const double reached = objective(value.log_likelihood, alpha, v);
            // Near the mode the gain drowns in rounding.
            if (reached >= best + 1e-4 * length * slope - 1e-13 * (1 + std::abs(best))) {
                mode.alpha = alpha;
                mode.v = v;
                mode.value = std::move(value);
                best = reached;
                found = true;
            }
        }
        if (!found) {
            break;
        }
    }
    return mode;
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
    Tensor x = at::zeros({m, features}, at::kDouble);  // features of the arguments; none of a learned eta
    std::map<int, Tensor> standardised;
    for (std::int64_t i = 0; i < m; ++i) {
        Tensor row = x[i];
        for (const auto& [item, factor] : arguments[i]) {
            auto known = standardised.find(item);
            if (known == standardised.end()) {
                known = standardised.emplace(item, model.standardised(replies[item])).first;
            }
            row.add_(known->second, factor);
        }
    }
    Tensor k = at::mm(x, x.t()) / settings.ridge;  // (m, m) prior covariance of the arguments
    if (likelihood.learns_threshold()) {
        k[m - 1][m - 1] = 1;  // eta ~ half-normal(1), independent of the weights
    }
    const Mode mode = find_mode(likelihood, k);
    if (likelihood.learns_threshold()) {
        model.tie_threshold_ = std::exp(mode.v[-1].item<double>());
    }
    model.loss_ = -mode.value.log_likelihood / static_cast<double>(observations.size());
    model.weights_ = at::mv(x.t(), mode.alpha) / settings.ridge;
    model.directions_ = root_times(mode.value.root, x) / settings.ridge;
    model.factor_ = mode.factor;
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
    double variance = x.dot(x).item<double>() / ridge_;  // of the prior
    if (directions_.defined()) {
        // Algorithm 3.2: k** - k*^T S^T B^-1 S k*.
        const Tensor covariance = at::mv(directions_, x);  // (R)
        const Tensor v = at::linalg_solve_triangular(factor_, covariance.unsqueeze(1), /*upper=*/false);
        variance -= v.square().sum().item<double>();
    }
    return {mean, std::sqrt(std::max(0.0, variance))};
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
