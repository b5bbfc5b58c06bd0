#pragma once
// Which two of the drawn replies a person is asked about. Pure: numbers in, indices out; nothing is drawn
// here.

#include <cstdint>
#include <functional>
#include <utility>

#include "core/api/configs.h"

namespace plumbline {

/// What the reward model believes of r(i) - r(j): a normal distribution.
struct MarginDistribution {
    double mean = 0, deviation = 0;
};
using Margin = std::function<MarginDistribution(int i, int j)>;
using Distance = std::function<double(int i, int j)>;
using Draw = std::function<double(std::uint32_t number)>;  // uniform in [0, 1), the same for the same number

// Each returns (i, j) with i < j < n; of equals the first in the order (0,1), (0,2) … (n-2,n-1). A figure
// that is not a number is never preferred. n < 2 throws Error.

/// The largest distance.
std::pair<int, int> most_different(int n, const Distance& distance);
/// The largest |mean|: the answer is likely known, and teaches by its clear contrast.
std::pair<int, int> farthest_pair(int n, const Margin& margin);
/// The largest deviation: what the reward model knows least about, whichever it expects to win.
std::pair<int, int> most_uncertain_pair(int n, const Margin& margin);
/// The largest expected_information.
std::pair<int, int> most_informative_pair(int n, const Margin& margin);
/// The smallest |mean|: the closest race, whether the model is unsure of it or sure that both are equal.
std::pair<int, int> closest_pair(int n, const Margin& margin);
/// Every pair alike, by two draws.
std::pair<int, int> random_pair(int n, const Draw& draw);

/// By name; `draw` serves random alone, `margin` the others.
std::pair<int, int> choose_pair(PairChoice choice, int n, const Draw& draw, const Margin& margin);

/// What the answer to "which is better?" is expected to tell about the margin m, in nats, 0..log 2 (BALD,
/// 1112.5745 eq. 2): H[E sigma(m)] - E H[sigma(m)], the answer of probability sigma(m), m normal.
double expected_information(MarginDistribution margin);

}  // namespace plumbline
