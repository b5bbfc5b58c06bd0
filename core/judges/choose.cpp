// From scores to a click: equal scores are a tie, and noise flips a choice now and then.

#include <algorithm>
#include <cmath>

#include "core/api/judge.h"

namespace plumbline {
namespace {

/// SplitMix64's output function: a bijection of 64 bits that leaves no visible pattern.
std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/// A number in [0, 1) that depends on seed and click alone.
double uniform(std::uint64_t seed, std::uint64_t click) {
    return static_cast<double>(mix(mix(seed) + click) >> 11) * 0x1p-53;
}

}  // namespace

Choice Judge::choose(const std::string& prompt, const JudgedReply& left, const JudgedReply& right,
                     std::uint64_t click) const {
    const double a = score(prompt, left);
    const double b = score(prompt, right);
    if (std::abs(a - b) <= tie_share() * std::max(std::abs(a), std::abs(b))) {
        return Choice::tie;
    }
    const bool flipped = uniform(options.seed, click) < options.noise;
    return (a > b) != flipped ? Choice::left : Choice::right;
}

}  // namespace plumbline
