#include "core/api/labels.h"

#include <cstddef>

namespace plumbline {

std::vector<std::pair<int, int>> implied_pairs(const Verdict& verdict, int shown) {
    std::vector<std::pair<int, int>> out;
    const auto at = [](int place) { return static_cast<std::size_t>(place); };
    switch (verdict.choice) {
        case Choice::left: return {{0, 1}};
        case Choice::right: return {{1, 0}};
        case Choice::ranking: {
            std::vector<bool> placed(at(shown), false);
            for (const int better : verdict.places) {
                placed[at(better)] = true;
                for (int worse = 0; worse < shown; ++worse) {
                    if (!placed[at(worse)]) {
                        out.emplace_back(better, worse);
                    }
                }
            }
            return out;
        }
        case Choice::thumbs:
            for (int good = 0; good < shown; ++good) {
                for (int bad = 0; bad < shown; ++bad) {
                    if (verdict.places[at(good)] > 0 && verdict.places[at(bad)] < 0) {
                        out.emplace_back(good, bad);
                    }
                }
            }
            return out;
        default: return out;
    }
}

}  // namespace plumbline
