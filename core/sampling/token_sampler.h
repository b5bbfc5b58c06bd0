#pragma once
// One token from one row of logits: temperature, top-k, top-p, min-p, then inversion of the cumulative sum.

#include <span>
#include <vector>

#include "core/api/configs.h"

namespace plumbline {

struct SampledToken {
    int id = 0;
    double logprob = 0;   // of the tempered distribution before truncation, nats; greedy: temperature 1
};

/// Keeps scratch memory between calls; one object a thread.
class TokenSampler {
  public:
    /// `uniform01` in [0, 1). Ties keep the lower id first, so that the answer depends on the logits alone.
    /// Throws Error when a logit is NaN or all are -inf.
    SampledToken sample(std::span<const float> logits, const SamplingConfig& config, double uniform01);
    /// The truncated, renormalised distribution: (id, probability), likeliest first. What sample() draws from.
    std::vector<std::pair<int, double>> distribution(std::span<const float> logits, const SamplingConfig& config);

  private:
    void keep_likeliest(std::span<const float> logits, const SamplingConfig& config);
    std::vector<std::pair<float, int>> kept_;   // (logit, id), likeliest first
    std::vector<double> weights_;               // unnormalised probabilities of kept_
    double kept_mass_ = 0, total_mass_ = 0;     // in units of exp(logit/T - max/T)
    double max_ = 0;
};

}  // namespace plumbline
