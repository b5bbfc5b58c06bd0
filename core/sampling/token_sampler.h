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
    void begin(std::span<const float> logits, const SamplingConfig& config);
    bool extend();
    void truncate(const SamplingConfig& config);
    void likeliest_with(double mass, bool over);
    double weight(const std::pair<float, int>& token) const { return scratch_[static_cast<std::size_t>(token.second)]; }

    // The vocabulary is never sorted. A draw needs the likeliest tokens up to some mass: candidates are taken in by tiers
    // until they have it, and a weighted selection splits them there.
    std::span<const float> logits_;
    std::vector<std::pair<float, int>> head_;   // (logit, id) of edge_ or more, in no order
    std::vector<float> scratch_;                // (V) unnormalised probabilities, exp(logit/T - max/T)
    double mass_ = 0, total_mass_ = 0;          // of head_, of the vocabulary
    double max_ = 0, inverse_t_ = 1, depth_ = 0;
    double floor_ = 0, edge_ = 0;               // min-p's least logit; the least of the tiers so far
};

}  // namespace plumbline
