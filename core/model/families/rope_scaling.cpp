#include "core/model/families/rope_scaling.h"

#include <algorithm>
#include <numbers>

namespace plumbline {

std::vector<double> linear_factors(std::int64_t dims, double factor) {
    return std::vector<double>(static_cast<std::size_t>(dims / 2), factor);
}

std::vector<double> llama3_factors(const Rope& plain, std::int64_t dims, const Llama3Scaling& s) {
    std::vector<double> out;
    for (const double frequency : plain.frequencies(dims)) {
        const double turns = s.original_context * frequency / (2 * std::numbers::pi);   // within the original context
        const double kept = std::clamp((turns - s.low) / (s.high - s.low), 0.0, 1.0);
        out.push_back(1.0 / ((1 - kept) / s.factor + kept));
    }
    return out;
}

std::vector<double> yarn_factors(const Rope& plain, std::int64_t dims, const YarnScaling& s) {
    const auto entry_that_turns = [&](double times) {   // within the original context
        return static_cast<double>(dims) * std::log(s.original_context / (times * 2 * std::numbers::pi)) /
               (2 * std::log(plain.theta));
    };
    double low = entry_that_turns(s.beta_fast), high = entry_that_turns(s.beta_slow);
    if (s.whole_bounds) {
        low = std::floor(low);
        high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(dims - 1));
    if (low == high) {
        high += 0.001;
    }
    std::vector<double> out;
    for (std::int64_t i = 0; i < dims / 2; ++i) {
        const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
        out.push_back(1.0 / (stretched / s.factor + (1 - stretched)));
    }
    return out;
}

double yarn_magnitude(double factor, double m) { return factor <= 1 ? 1.0 : 0.1 * m * std::log(factor) + 1.0; }

double longrope_magnitude(double factor, double original) {
    return factor <= 1 ? 1.0 : std::sqrt(1 + std::log(factor) / std::log(original));
}

}  // namespace plumbline
