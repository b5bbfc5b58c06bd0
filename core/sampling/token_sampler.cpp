#include "core/sampling/token_sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/api/errors.h"

namespace plumbline {

namespace {

bool likelier(const std::pair<float, int>& a, const std::pair<float, int>& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
}

}  // namespace

void TokenSampler::keep_likeliest(std::span<const float> logits, const SamplingConfig& config) {
    const double inverse_t = config.temperature > 0 ? 1.0 / config.temperature : 1.0;
    float top = -INFINITY;
    bool bad = logits.empty();
    for (const float l : logits) {
        bad |= std::isnan(l);
        top = std::max(top, l);
    }
    if (bad || !std::isfinite(top)) {
        throw Error("sample", "the model's output is not a finite number; go back to an earlier checkpoint");
    }
    max_ = top;
    total_mass_ = 0;
    for (const float l : logits) {
        total_mass_ += std::exp((static_cast<double>(l) - max_) * inverse_t);
    }

    // How many may stay: top-k and min-p are known at once; top-p needs the sorted order of the head only, which
    // is grown until its mass suffices.
    const auto vocabulary = logits.size();
    std::size_t limit = config.top_k > 0 ? std::min<std::size_t>(config.top_k, vocabulary) : vocabulary;
    if (config.temperature <= 0) {
        limit = 1;
    }
    const double floor_logit = config.min_p > 0 ? max_ + std::log(config.min_p) / inverse_t : -INFINITY;
    kept_.clear();
    for (std::size_t i = 0; i < vocabulary; ++i) {
        if (logits[i] >= floor_logit && logits[i] > -INFINITY) {
            kept_.emplace_back(logits[i], static_cast<int>(i));
        }
    }
    limit = std::min(limit, kept_.size());
    // Top-p counts within what top-k left; without top-k its whole is the vocabulary's mass.
    const bool all_matter = config.top_p >= 1.0;
    std::size_t sorted = 0, head = all_matter ? limit : std::min<std::size_t>(limit, 256);
    double whole = total_mass_;
    if (limit < vocabulary && config.top_k > 0) {
        head = limit;
    }
    weights_.clear();
    double mass = 0;
    for (;;) {
        std::partial_sort(kept_.begin() + sorted, kept_.begin() + head, kept_.end(), likelier);
        if (head == limit && config.top_k > 0) {
            whole = 0;
            for (std::size_t i = 0; i < limit; ++i) {
                whole += std::exp((kept_[i].first - max_) * inverse_t);
            }
        }
        for (; sorted < head; ++sorted) {
            const double w = std::exp((kept_[sorted].first - max_) * inverse_t);
            weights_.push_back(w);
            mass += w;
            if (!all_matter && mass >= config.top_p * whole) {
                kept_.resize(sorted + 1);
                kept_mass_ = mass;
                return;
            }
        }
        if (head == limit) {
            kept_.resize(limit);
            kept_mass_ = mass;
            return;
        }
        head = std::min(limit, head * 4);
    }
}

SampledToken TokenSampler::sample(std::span<const float> logits, const SamplingConfig& config, double uniform01) {
    keep_likeliest(logits, config);
    const double target = uniform01 * kept_mass_;
    double sum = 0;
    std::size_t chosen = weights_.size() - 1;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        sum += weights_[i];
        if (target < sum) {
            chosen = i;
            break;
        }
    }
    return {kept_[chosen].second, std::log(weights_[chosen]) - std::log(total_mass_)};
}

std::vector<std::pair<int, double>> TokenSampler::distribution(std::span<const float> logits,
                                                               const SamplingConfig& config) {
    keep_likeliest(logits, config);
    std::vector<std::pair<int, double>> out;
    for (std::size_t i = 0; i < kept_.size(); ++i) {
        out.emplace_back(kept_[i].second, weights_[i] / kept_mass_);
    }
    return out;
}

}  // namespace plumbline
