#pragma once
// The live reward model: a linear Bradley-Terry head with a Gaussian prior on fixed features, fitted exactly after
// every click. Laplace approximation for its uncertainty (Rasmussen & Williams 2006, algorithms 3.1 and 3.2, with the
// linear kernel).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace plumbline {

/// Mean and scale of raw features, from all replies drawn so far.
struct FeatureScale {
    std::vector<double> mean, inverse_deviation;   // (F)
};

struct LinearLabel {
    std::vector<float> left, right;   // raw features (F)
    double target = 1;                // probability that left is better: 1, 0, or 0.5 for a tie
};

/// Immutable value: fit() gives a new one.
class LinearReward {
  public:
    /// Raw features of a reply: pooled activation, then its length in tokens.
    static std::vector<float> raw_features(std::span<const float> pooled, int tokens);
    /// From the raw features of replies; the last feature's weight is `length_scale`.
    static FeatureScale scale_of(std::span<const std::vector<float>> replies, double length_scale);
    /// ridge: precision of the prior on each weight. Empty labels give the prior.
    static LinearReward fit(FeatureScale scale, const std::vector<LinearLabel>& labels, double ridge);

    struct Score {
        double mean = 0, deviation = 0;
    };
    Score score(const std::vector<float>& raw) const;
    double mean_score(const std::vector<float>& raw) const;   // without the uncertainty: one dot product
    /// Of left minus right.
    Score difference(const std::vector<float>& left, const std::vector<float>& right) const;
    /// P(left better), the uncertainty of the weights included (MacKay's approximation of the logistic-normal integral).
    double probability(const std::vector<float>& left, const std::vector<float>& right) const;

    double loss() const { return loss_; }   // mean -log p of the labels, nats a pair
    std::size_t labels() const { return labels_; }
    std::string hash() const;   // SHA-256 of scale and weights

  private:
    at::Tensor standardised(const std::vector<float>& raw) const;   // (F) double
    Score project(const at::Tensor& x) const;
    FeatureScale scale_;
    double ridge_ = 1, loss_ = 0;
    std::size_t labels_ = 0;
    at::Tensor differences_;    // (n, F) double
    at::Tensor weights_;        // (F) double
    at::Tensor root_curvature_; // (n) sqrt W
    at::Tensor factor_;         // (n, n) Cholesky factor of B = I + sqrt W K sqrt W
};

}  // namespace plumbline
