#pragma once
// One token from one row of logits: temperature, top-k, top-p, min-p, then inversion of the cumulative sum.

#include <span>
#include <vector>

#include "core/api/configs.h"
#include "core/api/errors.h"

namespace plumbline {

/// A logit is NaN, or all are -inf.
class OutputNotFinite : public Error {
  public:
    OutputNotFinite() : Error("sample", "the model's output is not a finite number; go back to an earlier checkpoint") {}
};

struct SampledToken {
    int id = 0;
    double logprob = 0;   // of the tempered distribution before truncation, nats; greedy: temperature 1
};

/// Keeps scratch memory between calls; one object a thread.
class TokenSampler {
  public:
    /// `uniform01` in [0, 1). Ties keep the lower id first, so that the answer depends on the logits alone.
    /// Throws OutputNotFinite.
    SampledToken sample(std::span<const float> logits, const SamplingConfig& config, double uniform01);
    /// The truncated, renormalised distribution: (id, probability), likeliest first. What sample() draws from.
    std::vector<std::pair<int, double>> distribution(std::span<const float> logits, const SamplingConfig& config);

  private:
    struct Candidate {
        float logit = 0;
        int id = 0;
        float mass = 0;                                  // unnormalised probability, exp(logit/T - max/T)
        bool operator<(const Candidate& other) const {   // likelier, and of equals the lower id
            return logit > other.logit || (logit == other.logit && id < other.id);
        }
    };
    /// The least likely of the fewest likeliest tokens that have some mass, and theirs.
    struct Reached {
        Candidate last;
        double mass = 0;
    };
    enum class Past { reaches, exceeds };

    void begin(std::span<const float> logits, const SamplingConfig& config);
    void grow_head(std::size_t tokens);
    bool extend();
    void keep_likeliest(std::size_t count);
    Reached reach(double mass, Past past) const;
    Reached truncate(const SamplingConfig& config);
    std::vector<Candidate> between(float low, float high) const;

    // The vocabulary is never sorted. A draw needs the likeliest tokens up to some mass: candidates are taken in by tiers
    // until they have it, and the logit where it is reached is found by halving.
    std::span<const float> logits_;
    std::vector<float> block_maxima_;                   // of each loops::block_logits of them
    std::vector<float> masses_;                         // (V)
    std::vector<float> head_logits_, head_masses_;      // those of edge_ or more, in the vocabulary's order
    std::vector<int> head_ids_;
    double mass_ = 0, total_mass_ = 0;                  // of the head, of the vocabulary
    float max_ = 0;
    double inverse_t_ = 1, depth_ = 0;
    double floor_ = 0, edge_ = 0;                       // min-p's least logit; the least of the tiers so far
};

}  // namespace plumbline
