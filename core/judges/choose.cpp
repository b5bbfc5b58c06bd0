// From scores to answers: equal scores are a tie, and a person's faults get in between.

#include <algorithm>
#include <cmath>

#include "core/api/judge.h"
#include "core/judges/words.h"

namespace plumbline {
namespace {

/// SplitMix64's output function: a bijection of 64 bits that leaves no visible pattern.
std::uint64_t mix(std::uint64_t z) {
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/// FNV-1a, the same on every machine.
std::uint64_t hash(const std::string& text) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    return h;
}

/// A number in [0, 1) of 64 well mixed bits.
double unit(std::uint64_t mixed) {
    return static_cast<double>(mixed >> 11) * 0x1p-53;
}

enum class Fault : std::uint64_t { noise, position, circle_pair, circle_place, thumbs };

/// A number in [0, 1) that depends on its arguments alone.
double draw(std::uint64_t seed, Fault fault, std::uint64_t click, std::uint64_t part) {
    const std::uint64_t of_click = mix(mix(seed) + click);
    if (fault == Fault::noise && part == 0) {
        return unit(of_click);
    }
    return unit(mix(mix(of_click + static_cast<std::uint64_t>(fault)) + part));
}

/// The taste that goes in circles: every text has a place on a circle, and a beats what lies on the half
/// after it. Three texts that no half circle holds beat each other in a ring: a quarter of all triples.
bool circle_prefers(std::uint64_t seed, const std::string& a, const std::string& b) {
    const double ahead =
        draw(seed, Fault::circle_place, 0, hash(b)) - draw(seed, Fault::circle_place, 0, hash(a));
    return ahead - std::floor(ahead) < 0.5;
}

}  // namespace

double Judge::felt_score(const std::string& prompt, const JudgedReply& reply) const {
    const double judged = score(prompt, reply);
    return options.length_bias == 0 ? judged : judged + options.length_bias * count_words(reply.text);
}

Choice Judge::choose(const std::string& prompt, const JudgedReply& left, const JudgedReply& right,
                     std::uint64_t click) const {
    return compare(prompt, left, right, click, 0);
}

Choice Judge::compare(const std::string& prompt, const JudgedReply& left, const JudgedReply& right,
                      std::uint64_t click, std::uint64_t comparison) const {
    if (draw(options.seed, Fault::position, click, comparison) < options.position_bias) {
        return Choice::left;
    }
    bool left_is_better = false;
    // The sum of the hashes: whichever of the two stands left.
    const bool in_circles = left.text != right.text &&
                            draw(options.seed, Fault::circle_pair, 0, hash(left.text) + hash(right.text)) <
                                options.intransitivity;
    if (in_circles) {
        left_is_better = circle_prefers(options.seed, left.text, right.text);
    } else {
        const double a = felt_score(prompt, left);
        const double b = felt_score(prompt, right);
        if (std::abs(a - b) <=
            std::max(tie_share(), options.tie_share) * std::max(std::abs(a), std::abs(b))) {
            return Choice::tie;
        }
        left_is_better = a > b;
    }
    const bool flipped = draw(options.seed, Fault::noise, click, comparison) < options.noise;
    return left_is_better != flipped ? Choice::left : Choice::right;
}

std::vector<int> Judge::rank(const std::string& prompt, std::span<const JudgedReply> replies,
                             std::uint64_t click) const {
    std::vector<int> order;
    for (std::size_t j = 0; j < replies.size(); ++j) {
        std::size_t place = order.size();
        while (place > 0) {
            const auto i = static_cast<std::size_t>(order[place - 1]);  // i < j: shown to the left of j
            if (compare(prompt, replies[i], replies[j], click, j * (j - 1) / 2 + i) != Choice::right) {
                break;
            }
            --place;
        }
        order.insert(order.begin() + static_cast<std::ptrdiff_t>(place), static_cast<int>(j));
    }
    return order;
}

int Judge::thumbs(const std::string& prompt, const JudgedReply& reply, double reference_median,
                  std::uint64_t click) const {
    const bool flipped = draw(options.seed, Fault::thumbs, click, hash(reply.text)) < options.noise;
    return has_property(prompt, reply, reference_median) != flipped ? 1 : -1;
}

Strength Judge::strength(const std::string& prompt, const JudgedReply& left, const JudgedReply& right) const {
    const double a = felt_score(prompt, left);
    const double b = felt_score(prompt, right);
    const double larger = std::max(std::abs(a), std::abs(b));
    const double share = larger == 0 ? 0 : std::abs(a - b) / larger;
    return share < 1.0 / 3 ? Strength::slight : share < 2.0 / 3 ? Strength::clear : Strength::much;
}

}  // namespace plumbline
