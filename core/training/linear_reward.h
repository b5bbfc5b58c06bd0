#pragma once
// The live reward model: a linear head with a Gaussian prior on fixed features, fitted exactly after every
// answer to all kinds of them together, with the uncertainty of its Laplace approximation (reward_mode.h).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/training/reward_observation.h"

namespace plumbline {

struct RewardMode;

/// Mean and scale of raw features, from all replies drawn so far.
struct FeatureScale {
    std::vector<double> mean, inverse_deviation;  // (F)
};

/// Immutable value: fit() gives a new one.
class LinearReward {
  public:
    /// Raw features of a reply: pooled activation, then its length in tokens.
    static std::vector<float> raw_features(std::span<const float> pooled, int tokens);
    /// From the raw features of replies; the last feature's weight is `length_scale`.
    static FeatureScale scale_of(std::span<const std::vector<float>> replies, double length_scale);
    /// The mode of the posterior; no observations give the prior. `replies`: raw features (F) each, which the
    /// observations name by index. Throws Error for a wrong index, count or size, ConfigError for settings
    /// out of range.
    static LinearReward fit(FeatureScale scale, std::span<const std::vector<float>> replies,
                            std::span<const RewardObservation> observations,
                            const RewardFitSettings& settings);

    struct Score {
        double mean = 0, deviation = 0;
    };
    Score score(const std::vector<float>& raw) const;
    double mean_score(const std::vector<float>& raw) const;  // without the uncertainty: one dot product
    /// Of left minus right.
    Score difference(const std::vector<float>& left, const std::vector<float>& right) const;
    /// P(left better) of a choice without ties, the uncertainty of the weights included (MacKay's
    /// approximation of the logistic-normal integral).
    double probability(const std::vector<float>& left, const std::vector<float>& right) const;
    struct Outcome {
        double left = 0, tie = 0, right = 0;  // probabilities, of sum 1
    };
    /// What a person who may also call a tie would say, by the same approximation at the fitted threshold.
    Outcome outcome(const std::vector<float>& left, const std::vector<float>& right) const;

    double loss() const { return loss_; }  // mean -log p of the observations, nats a label
    std::size_t labels() const { return labels_; }
    double tie_threshold() const { return tie_threshold_; }  // theta: fixed, learned, or 1
    double ridge() const { return ridge_; }
    const FeatureScale& scale() const { return scale_; }
    const at::Tensor& weights() const { return weights_; }  // (F) double, of standardised features
    std::string hash() const;                               // SHA-256 of scale and weights

  private:
    at::Tensor standardised(const std::vector<float>& raw) const;  // (F) double
    Score project(const at::Tensor& x) const;
    FeatureScale scale_;
    double ridge_ = 1, loss_ = 0, tie_threshold_ = 1;
    std::size_t labels_ = 0;
    at::Tensor weights_;  // (F) double
    // Of weights times sqrt(ridge), and of a learned eta; null: the prior.
    std::shared_ptr<const RewardMode> mode_;
};

}  // namespace plumbline
