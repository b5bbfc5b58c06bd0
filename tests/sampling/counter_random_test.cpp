#include "core/sampling/counter_random.h"

#include <gtest/gtest.h>

namespace plumbline {
namespace {

// Known answers for philox4x32-10 from the Random123 distribution (kat_vectors).
TEST(Philox, GivesTheKnownAnswers) {
    using Words = std::array<std::uint32_t, 4>;
    EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Uniform, StaysInItsRangeAndDependsOnEveryPartOfThePlace) {
    const RandomPlace place{1, 2, 3, 4, 5};
    const double u = uniform(place);
    EXPECT_GE(u, 0);
    EXPECT_LT(u, 1);
    EXPECT_EQ(u, uniform(place));
    for (const RandomPlace other : {RandomPlace{2, 2, 3, 4, 5}, {1, 3, 3, 4, 5}, {1, 2, 4, 4, 5}, {1, 2, 3, 5, 5}, {1, 2, 3, 4, 6}}) {
        EXPECT_NE(u, uniform(other));
    }
}

// 100,000 draws in ten bins: chi-square with 9 degrees of freedom stays under 27.9 (p = 0.001).
TEST(Uniform, FillsTheUnitIntervalEvenly) {
    std::array<int, 10> bins{};
    for (std::uint32_t i = 0; i < 100000; ++i) {
        ++bins[static_cast<std::size_t>(uniform({42, 1, 0, i % 7, i}) * 10)];
    }
    double chi = 0;
    for (const int n : bins) {
        chi += (n - 10000.0) * (n - 10000.0) / 10000.0;
    }
    EXPECT_LT(chi, 27.9);
}

}  // namespace
}  // namespace plumbline
