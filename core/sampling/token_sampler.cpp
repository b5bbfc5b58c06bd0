#include "core/sampling/token_sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/sampling/vocabulary_loops.h"

namespace plumbline {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double first_depth = 6, last_depth = 64;   // nats below the likeliest; beyond is the rest

}  // namespace

void TokenSampler::begin(std::span<const float> logits, const SamplingConfig& config) {
    inverse_t_ = config.temperature > 0 ? 1.0 / config.temperature : 1.0;
    const auto n = static_cast<std::int64_t>(logits.size());
    masses_.resize(logits.size());
    block_maxima_.resize((logits.size() + loops::block_logits - 1) / loops::block_logits);
    max_ = n > 0 ? loops::block_maxima(logits.data(), n, block_maxima_.data()) : NAN;
    total_mass_ = std::isfinite(max_)
                      ? loops::masses_of(logits.data(), n, max_, static_cast<float>(inverse_t_), masses_.data())
                      : NAN;
    if (!std::isfinite(total_mass_)) {
        throw OutputNotFinite();
    }
    logits_ = logits;
    head_logits_.clear();
    head_masses_.clear();
    head_ids_.clear();
    mass_ = 0;
    depth_ = first_depth;
    edge_ = infinity;
    floor_ = config.min_p > 0 ? max_ + std::log(config.min_p) / inverse_t_ : -std::numeric_limits<float>::max();
}

void TokenSampler::grow_head(std::size_t tokens) {
    head_logits_.resize(tokens);
    head_masses_.resize(tokens);
    head_ids_.resize(tokens);
}

// Takes in the next tier. False: there is none.
bool TokenSampler::extend() {
    if (edge_ <= floor_) {
        return false;
    }
    const double lower = depth_ > last_depth ? floor_ : std::max(floor_, max_ - depth_ / inverse_t_);
    constexpr auto size = static_cast<std::size_t>(loops::block_logits);
    for (std::size_t block = 0; block < block_maxima_.size(); ++block) {
        if (block_maxima_[block] < lower) {
            continue;
        }
        const std::size_t begin = block * size, end = std::min(logits_.size(), begin + size);
        std::size_t kept = head_ids_.size();
        grow_head(kept + end - begin);
        for (std::size_t i = begin; i < end; ++i) {   // without a branch: half of a block may be in, in no order
            const bool in = logits_[i] >= lower && logits_[i] < edge_;
            head_logits_[kept] = logits_[i];
            head_masses_[kept] = masses_[i];
            head_ids_[kept] = static_cast<int>(i);
            mass_ += in ? masses_[i] : 0;
            kept += in;
        }
        grow_head(kept);
    }
    edge_ = lower;
    depth_ *= 2;
    return true;
}

// Those of the head with a logit in (low, high].
std::vector<TokenSampler::Candidate> TokenSampler::between(float low, float high) const {
    std::vector<Candidate> out;
    for (std::size_t i = 0; i < head_logits_.size(); ++i) {
        if (head_logits_[i] > low && head_logits_[i] <= high) {
            out.push_back({head_logits_[i], head_ids_[i], head_masses_[i]});
        }
    }
    return out;
}

// Halves the span of logits in which the sought token lies, until a few tokens are left to be put in order. The least
// likely of the head where that has less mass.
TokenSampler::Reached TokenSampler::reach(double mass, Past past) const {
    constexpr std::int64_t few = 32;
    const auto n = static_cast<std::int64_t>(head_logits_.size());
    const auto reached = [&](double sum) { return past == Past::exceeds ? sum > mass : sum >= mass; };
    float low = -infinity, high = max_;
    if (n > few) {
        low = std::nextafter(*std::min_element(head_logits_.begin(), head_logits_.end()), low);
    }
    double before = 0;                            // of the tokens above high
    std::int64_t above_high = 0, above_low = n;
    while (above_low - above_high > few) {
        const float middle = low + (high - low) / 2;
        if (middle <= low || middle >= high) {
            break;   // the rest are equals
        }
        const loops::Above above = loops::above(head_logits_.data(), head_masses_.data(), n, middle);
        if (reached(above.mass)) {
            low = middle;
            above_low = above.count;
        } else {
            high = middle;
            above_high = above.count;
            before = above.mass;
        }
    }
    std::vector<Candidate> rest = between(low, high);
    std::sort(rest.begin(), rest.end());
    for (const Candidate& candidate : rest) {
        before += candidate.mass;
        if (reached(before)) {
            return {candidate, before};
        }
    }
    return {rest.back(), before};
}

void TokenSampler::keep_likeliest(std::size_t count) {
    std::vector<Candidate> all = between(-infinity, max_);
    if (all.size() > count) {
        std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
        all.resize(count);
    }
    head_logits_.clear();
    head_masses_.clear();
    head_ids_.clear();
    mass_ = 0;
    for (const Candidate& token : all) {
        head_logits_.push_back(token.logit);
        head_masses_.push_back(token.mass);
        head_ids_.push_back(token.id);
        mass_ += token.mass;
    }
}

// The last token that stays, and the mass of all that do. Top-p counts within what top-k left; without top-k its whole
// is the vocabulary's mass.
TokenSampler::Reached TokenSampler::truncate(const SamplingConfig& config) {
    const std::size_t limit = config.temperature <= 0 ? 1 : static_cast<std::size_t>(std::max(config.top_k, 0));
    double whole = total_mass_;
    if (limit > 0) {
        while (head_ids_.size() < limit && extend()) {}
        keep_likeliest(limit);
        edge_ = floor_;   // no more of them
        whole = config.temperature <= 0 ? whole : mass_;
    }
    const double wanted = config.top_p < 1 ? config.top_p * whole : infinity;
    while (mass_ < wanted && extend()) {}
    return reach(wanted, Past::reaches);
}

SampledToken TokenSampler::sample(std::span<const float> logits, const SamplingConfig& config, double uniform01) {
    begin(logits, config);
    Candidate drawn;
    if (config.temperature > 0 && config.top_k <= 0 && config.top_p >= 1 && config.min_p <= 0) {
        const double target = uniform01 * total_mass_;
        while (mass_ <= target && extend()) {}   // of all of the vocabulary, as much as the draw needs
        drawn = reach(target, Past::exceeds).last;
    } else {
        const Reached kept = truncate(config);
        drawn = std::min(kept.last, reach(uniform01 * kept.mass, Past::exceeds).last);
    }
    return {drawn.id, (static_cast<double>(drawn.logit) - max_) * inverse_t_ - std::log(total_mass_)};
}

std::vector<std::pair<int, double>> TokenSampler::distribution(std::span<const float> logits,
                                                               const SamplingConfig& config) {
    begin(logits, config);
    const Reached kept = truncate(config);
    std::vector<Candidate> all = between(-infinity, max_);
    std::erase_if(all, [&](const Candidate& token) { return kept.last < token; });
    std::sort(all.begin(), all.end());
    std::vector<std::pair<int, double>> out;
    for (const Candidate& token : all) {
        out.emplace_back(token.id, token.mass / kept.mass);
    }
    return out;
}

}  // namespace plumbline
