#include "core/training/calibration.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/api/errors.h"

namespace plumbline {
namespace {

bool is_share(double value) {
    return value >= 0 && value <= 1;
}

/// The bin whose (low, high] has the probability.
std::size_t bin_of(double probability, const std::vector<ReliabilityBin>& bins) {
    const auto bin = std::lower_bound(bins.begin(), bins.end(), probability,
                                      [](const ReliabilityBin& b, double p) { return b.high < p; });
    return static_cast<std::size_t>(bin - bins.begin());
}

}  // namespace

Calibration calibration(std::span<const Prediction> predictions, int bins) {
    if (bins < 1 || bins > 1000) {
        throw Error("calibration", std::to_string(bins) + " bins; use 1..1000");
    }
    Calibration out;
    out.bins.resize(static_cast<std::size_t>(bins));
    for (int b = 0; b < bins; ++b) {
        out.bins[static_cast<std::size_t>(b)].low = static_cast<double>(b) / bins;
        out.bins[static_cast<std::size_t>(b)].high = static_cast<double>(b + 1) / bins;
    }
    double right_side = 0, margins = 0;
    for (const Prediction& p : predictions) {
        if (!is_share(p.probability) || !is_share(p.outcome) || !std::isfinite(p.margin)) {
            throw Error("calibration", "probability " + std::to_string(p.probability) + ", outcome " +
                                           std::to_string(p.outcome) + ", margin " +
                                           std::to_string(p.margin) +
                                           " is no prediction; go back to an earlier reward model");
        }
        ReliabilityBin& bin = out.bins[bin_of(p.probability, out.bins)];
        ++bin.n;
        bin.predicted += p.probability;
        bin.observed += p.outcome;
        ++out.n;
        if (p.outcome != 0.5) {
            const bool left = p.outcome > 0.5;
            ++out.preferences;
            right_side += p.probability == 0.5 ? 0.5 : (p.probability > 0.5) == left ? 1 : 0;
            margins += left ? p.margin : -p.margin;
        }
    }
    for (ReliabilityBin& bin : out.bins) {
        if (bin.n > 0) {
            out.expected_error += std::abs(bin.observed - bin.predicted) / out.n;
            bin.predicted /= bin.n;
            bin.observed /= bin.n;
        }
    }
    if (out.preferences > 0) {
        out.accuracy = right_side / out.preferences;
        out.margin = margins / out.preferences;
    }
    return out;
}

std::vector<Prediction> mirrored(std::span<const Prediction> predictions) {
    std::vector<Prediction> out(predictions.begin(), predictions.end());
    for (const Prediction& p : predictions) {
        out.push_back({1 - p.probability, 1 - p.outcome, -p.margin});
    }
    return out;
}

}  // namespace plumbline
