#pragma once
// What a person can say of the replies on the screen.

#include <utility>
#include <vector>

namespace plumbline {

enum class Choice { left, right, tie, skip, both_bad, ranking, thumbs };
enum class Strength { slight, clear, much };   // of left or right: how much better

/// As files have it.
constexpr const char* words_of(Strength strength) {
    return strength == Strength::slight ? "slight" : strength == Strength::clear ? "clear" : "much";
}

/// Whether a choice says which of two replies is better.
constexpr bool is_preference(Choice choice) { return choice == Choice::left || choice == Choice::right; }

/// One answer. Places count the replies on the screen from 0, from left to right.
struct Verdict {
    Choice choice = Choice::skip;
    Strength strength = Strength::clear;
    /// ranking: places, best first; fewer than are shown leave the rest unordered, one alone is the best of N.
    /// thumbs: for each place 1 (good), -1 (bad) or 0 (not said). Empty for the other choices.
    std::vector<int> places{};

    bool operator==(const Verdict&) const = default;
};

/// Places (better, worse) of replies that an answer to `shown` of them compares: of a ranking each one over all below it,
/// of thumbs each good one over each bad one.
std::vector<std::pair<int, int>> implied_pairs(const Verdict& verdict, int shown);

}  // namespace plumbline
