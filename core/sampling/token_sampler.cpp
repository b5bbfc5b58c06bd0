#include "core/sampling/token_sampler.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/api/errors.h"

namespace plumbline {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double first_depth = 6, last_depth = 64;   // nats below the likeliest; beyond is the rest

struct Likelier {
    bool operator()(const std::pair<float, int>& a, const std::pair<float, int>& b) const {
        return a.first > b.first || (a.first == b.first && a.second < b.second);
    }
};

}  // namespace

void TokenSampler::begin(std::span<const float> logits, const SamplingConfig& config) {
    const at::NoGradGuard no_grad;
    inverse_t_ = config.temperature > 0 ? 1.0 / config.temperature : 1.0;
    const auto n = static_cast<std::int64_t>(logits.size());
    const at::Tensor row = at::from_blob(const_cast<float*>(logits.data()), {n}, at::kFloat);
    max_ = n > 0 ? static_cast<double>(row.max().item<float>()) : infinity;   // NaN when one is
    if (!std::isfinite(max_)) {
        throw Error("sample", "the model's output is not a finite number; go back to an earlier checkpoint");
    }
    scratch_.resize(logits.size());
    at::Tensor mass = at::from_blob(scratch_.data(), {n}, at::kFloat);
    at::sub_out(mass, row, max_).mul_(inverse_t_).exp_();
    total_mass_ = mass.sum().item<double>();
    logits_ = logits;
    head_.clear();
    mass_ = 0;
    depth_ = first_depth;
    edge_ = infinity;
    floor_ = config.min_p > 0 ? max_ + std::log(config.min_p) / inverse_t_ : -std::numeric_limits<float>::max();
}

// Takes in the next tier. False: there is none.
bool TokenSampler::extend() {
    if (edge_ <= floor_) {
        return false;
    }
    const double lower = depth_ > last_depth ? floor_ : std::max(floor_, max_ - depth_ / inverse_t_);
    for (std::size_t i = 0; i < logits_.size(); ++i) {
        if (logits_[i] >= lower && logits_[i] < edge_) {
            head_.emplace_back(logits_[i], static_cast<int>(i));
            mass_ += scratch_[i];
        }
    }
    edge_ = lower;
    depth_ *= 2;
    return true;
}

// Shortens head_ to the fewest likeliest of its tokens whose mass is `mass` or more (`over`: is above it), the least
// likely of them last. All of head_ when it has less. A quickselect by mass.
void TokenSampler::likeliest_with(double mass, bool over) {
    constexpr std::ptrdiff_t few = 32;
    auto begin = head_.begin(), end = head_.end();
    double before = 0;
    const auto reached = [&](double sum) { return over ? sum > mass : sum >= mass; };
    while (end - begin > few) {
        const auto middle = begin + (end - begin) / 2, last = end - 1;
        const auto a = *begin, b = *middle, c = *last;
        const Likelier likelier;
        const auto pivot = likelier(a, b) ? (likelier(b, c) ? b : likelier(a, c) ? c : a)
                                          : (likelier(a, c) ? a : likelier(b, c) ? c : b);
        const auto split = std::partition(begin, end, [&](const auto& token) { return likelier(token, pivot); });
        double left = 0;   // a median has one likelier token at least: both sides shrink
        std::for_each(begin, split, [&](const auto& token) { left += weight(token); });
        if (reached(before + left)) {
            end = split;
        } else {
            before += left;
            begin = split;
        }
    }
    std::sort(begin, end, Likelier());
    for (; begin != end; ++begin) {
        before += weight(*begin);
        if (reached(before)) {
            head_.erase(begin + 1, head_.end());
            return;
        }
    }
    head_.erase(end, head_.end());
}

// Leaves in head_ what stays. Top-p counts within what top-k left; without top-k its whole is the vocabulary's mass.
void TokenSampler::truncate(const SamplingConfig& config) {
    const std::size_t limit = config.temperature <= 0 ? 1 : static_cast<std::size_t>(std::max(config.top_k, 0));
    double whole = total_mass_;
    if (limit > 0) {
        while (head_.size() < limit && extend()) {}
        if (head_.size() > limit) {
            std::nth_element(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(limit), head_.end(), Likelier());
            head_.resize(limit);
        }
        edge_ = floor_;   // no more of them
        mass_ = 0;
        for (const auto& token : head_) {
            mass_ += weight(token);
        }
        whole = config.temperature <= 0 ? whole : mass_;
    }
    const double wanted = config.top_p < 1 ? config.top_p * whole : infinity;
    while (mass_ < wanted && extend()) {}
    if (mass_ > wanted) {
        likeliest_with(wanted, false);
        mass_ = 0;
        for (const auto& token : head_) {
            mass_ += weight(token);
        }
    }
}

SampledToken TokenSampler::sample(std::span<const float> logits, const SamplingConfig& config, double uniform01) {
    begin(logits, config);
    double target = uniform01 * total_mass_;
    if (config.temperature > 0 && config.top_k <= 0 && config.top_p >= 1 && config.min_p <= 0) {
        while (mass_ <= target && extend()) {}   // of all of the vocabulary, as much as the draw needs
    } else {
        truncate(config);
        target = uniform01 * mass_;
    }
    likeliest_with(target, true);
    const auto& [logit, id] = head_.back();
    return {id, (logit - max_) * inverse_t_ - std::log(total_mass_)};
}

std::vector<std::pair<int, double>> TokenSampler::distribution(std::span<const float> logits,
                                                               const SamplingConfig& config) {
    begin(logits, config);
    truncate(config);
    std::sort(head_.begin(), head_.end(), Likelier());
    std::vector<std::pair<int, double>> out;
    for (const auto& token : head_) {
        out.emplace_back(token.second, weight(token) / mass_);
    }
    return out;
}

}  // namespace plumbline
