#pragma once
// What a person said about replies, in the form that reward models are fitted to.

#include <vector>

namespace plumbline {

/// One answer of a person about replies, which it names by their index in a list of distinct replies. "Both
/// bad" is a tie and two `bad`.
struct RewardObservation {
    enum class Kind { preference, tie, ranking, good, bad };
    Kind kind = Kind::preference;
    /// preference: {better, worse}; tie: {a, b}; good and bad: {a}; ranking: two or more different ones, the
    /// best first; those after the first `ranked` are in no order, below them.
    std::vector<int> items;
    int ranked = 0;     // of a ranking: places given, 1..items; items - 1 says as much as all
    double margin = 0;  // of a preference: its strength, as the least difference of rewards that it asks for
};

/// How the observations bear on utilities. With a tie threshold theta in use, a preference is
/// P(a better) = sigmoid(u_a - u_b - log theta) and a tie takes the rest (Rao & Kupper 1967); rankings know
/// no ties.
struct RewardFitSettings {
    double ridge = 10;  // precision of the Gaussian prior on each standardised weight, above 0
    /// theta, above 1 where there are ties; 0: learned, with log theta ~ half-normal(1), and 1 without any
    /// tie.
    double tie_threshold = 0;
    bool ties_as_half = false;      // a tie is half a preference each way; no threshold
    double absolute_threshold = 0;  // the utility that divides good from bad
};

}  // namespace plumbline
