// Ways to ask well. All look at every pair: with at most 16 candidates there are 120.

#include "core/lab/pair_choosers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "core/api/errors.h"

namespace plumbline {
namespace {

void require_two(int n) {
    if (n < 2) {
        throw Error("choose pair", "there are " + std::to_string(n) + " replies; draw at least 2");
    }
}

template <class Value>
std::pair<int, int> largest(int n, Value value) {
    require_two(n);
    std::pair<int, int> best{0, 1};
    double most = -std::numeric_limits<double>::infinity();
    for (int i = 0; i < n; ++i) {
        for (int j = i + 1; j < n; ++j) {
            const double v = value(i, j);
            if (v > most) {
                most = v;
                best = {i, j};
            }
        }
    }
    return best;
}

/// Entropy of a yes or no of probability p, nats.
double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -p * std::log(p) - (1 - p) * std::log1p(-p);
}

/// entropy(sigma(m)) without loss for large |m|: log(1 + e^-|m|) + |m| sigma(-|m|).
double entropy_of_margin(double m) {
    const double e = std::exp(-std::abs(m));
    return std::log1p(e) + std::abs(m) * e / (1 + e);
}

double logistic(double x) {
    return 1 / (1 + std::exp(-x));
}

double normal_below(double x) {
    return std::erfc(-x / std::numbers::sqrt2) / 2;
}

}  // namespace

double expected_information(MarginDistribution margin) {
    const double mean = margin.mean, s = margin.deviation;
    if (!std::isfinite(mean) || !std::isfinite(s)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (s <= 0) {
        return 0;
    }
    // E sigma(m) = E Phi(c m) + E[sigma(m) - Phi(c m)]: the first is exact, Phi(c mean / sqrt(1 + c^2 s^2)),
    // and the rest fades away from 0 as the entropy does, so that a short range holds both integrals however
    // wide the normal.
    constexpr double c = 1 / 1.702, faded = 40, tail = 9;
    const double low = std::max(-faded, mean - tail * s), high = std::min(faded, mean + tail * s);
    double rest = 0, conditional = 0;
    if (low < high) {
        // The trapezoid rule: for functions as smooth as these the error falls as exp(-2 pi^2 (s / step)^2).
        const int steps = std::max(8, static_cast<int>(std::ceil((high - low) / std::min(0.25, s / 2))));
        const double step = (high - low) / steps;
        for (int i = 0; i <= steps; ++i) {
            const double m = low + i * step;
            const double z = (m - mean) / s;
            const double weight = (i == 0 || i == steps ? 0.5 : 1) * step * std::exp(-z * z / 2) /
                                  (s * std::sqrt(2 * std::numbers::pi));
            rest += weight * (logistic(m) - normal_below(c * m));
            conditional += weight * entropy_of_margin(m);
        }
    }
    const double answer = normal_below(c * mean / std::sqrt(1 + c * c * s * s)) + rest;
    return std::max(0.0, entropy(answer) - conditional);
}

std::pair<int, int> most_different(int n, const Distance& distance) {
    return largest(n, distance);
}

std::pair<int, int> farthest_pair(int n, const Margin& margin) {
    return largest(n, [&](int i, int j) { return std::abs(margin(i, j).mean); });
}

std::pair<int, int> most_uncertain_pair(int n, const Margin& margin) {
    return largest(n, [&](int i, int j) { return margin(i, j).deviation; });
}

std::pair<int, int> most_informative_pair(int n, const Margin& margin) {
    return largest(n, [&](int i, int j) { return expected_information(margin(i, j)); });
}

std::pair<int, int> closest_pair(int n, const Margin& margin) {
    return largest(n, [&](int i, int j) { return -std::abs(margin(i, j).mean); });
}

std::pair<int, int> random_pair(int n, const Draw& draw) {
    require_two(n);
    const int first = static_cast<int>(draw(0) * n);
    const int other = static_cast<int>(draw(1) * (n - 1));
    return std::minmax(first, other + (other >= first ? 1 : 0));
}

std::pair<int, int> choose_pair(PairChoice choice, int n, const Draw& draw, const Margin& margin) {
    switch (choice) {
        case PairChoice::farthest:
            return farthest_pair(n, margin);
        case PairChoice::uncertainty:
            return most_uncertain_pair(n, margin);
        case PairChoice::information:
            return most_informative_pair(n, margin);
        case PairChoice::margin:
            return closest_pair(n, margin);
        case PairChoice::random:
            return random_pair(n, draw);
    }
    throw Error("choose pair", "there is no way of choosing number " +
                                   std::to_string(static_cast<int>(choice)) + "; use one of the named ones");
}

}  // namespace plumbline
