#pragma once
// Whether a reward model's probabilities can be trusted: of the pairs that it gives 70%, 70% should come
// true.

#include <span>
#include <vector>

namespace plumbline {

/// One pair that the reward model was asked about and did not learn from.
struct Prediction {
    double probability = 0.5;  // that left is better, 0..1
    double outcome = 1;        // what the person said: 1 left, 0 right, 0.5 a tie
    double margin = 0;         // r(left) - r(right)
};

struct ReliabilityBin {
    double low = 0, high = 0;  // probabilities in (low, high]; the first bin has 0 too
    int n = 0;
    double predicted = 0;  // mean probability; 0 in an empty bin
    double observed = 0;   // mean outcome; 0 in an empty bin
};

struct Calibration {
    int n = 0;
    int preferences = 0;  // of them no ties
    double accuracy = 0;  // share of the preferences on the side of the larger probability; 0.5 counts half
    double margin = 0;    // mean margin of the preferences, the preferred reply's minus the other's
    double expected_error = 0;         // ECE: sum over bins of n_bin / n |observed - predicted|
    std::vector<ReliabilityBin> bins;  // of equal width, empty ones included
};

/// Left and right must not be sorted by the answer: where they are (files of chosen and rejected), see
/// mirrored(). Throws Error for a probability or outcome outside 0..1, a margin that is no number, or fewer
/// than 1 or more than 1000 bins. No predictions: zeros and empty bins.
Calibration calibration(std::span<const Prediction> predictions, int bins = 10);

/// Each prediction and the same with the sides exchanged.
std::vector<Prediction> mirrored(std::span<const Prediction> predictions);

}  // namespace plumbline
