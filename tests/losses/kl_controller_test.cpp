#include "core/losses/kl_controller.h"

#include <gtest/gtest.h>

#include <cmath>

namespace plumbline {
namespace {

TEST(KlController, AFixedOneStays) {
    KlController controller(0.05);
    controller.update(1000, 512);
    EXPECT_EQ(controller.beta(), 0.05);
    EXPECT_FALSE(controller.adaptive());
}

// Target 6, KL 6.6: the error is 0.1; 256 of 10000 replies: 1 + 0.1 * 0.0256 = 1.00256.
TEST(KlController, MovesInProportionToTheError) {
    KlController controller(0.2, 6);
    controller.update(6.6, 256);
    EXPECT_NEAR(controller.beta(), 0.2 * 1.00256, 1e-12);
    KlController other(0.2, 6.01);
    other.update(6.6, 256);
    EXPECT_GT(std::abs(other.beta() - 0.2 * 1.00256), 1e-6);
}

TEST(KlController, MovesByAFifthOfTheHorizonAtMost) {
    KlController up(0.2, 6), down(0.2, 6), at_target(0.2, 6);
    up.update(1e9, 256);
    down.update(-3, 256);  // a sampled k1 may be negative
    at_target.update(6, 256);
    EXPECT_NEAR(up.beta(), 0.2 * (1 + 0.2 * 0.0256), 1e-12);
    EXPECT_NEAR(down.beta(), 0.2 * (1 - 0.2 * 0.0256), 1e-12);
    EXPECT_EQ(at_target.beta(), 0.2);
}

// A policy whose KL is 3 / beta settles where beta = 3 / target = 0.5, from either side.
TEST(KlController, FindsTheTarget) {
    for (const double start : {0.05, 5.0}) {
        KlController controller(start, 6);
        for (int step = 0; step < 2000; ++step) {
            controller.update(3 / controller.beta(), 256);
        }
        EXPECT_NEAR(controller.beta(), 0.5, 1e-3);
        KlController slow(start, 6, 1e6);
        for (int step = 0; step < 2000; ++step) {
            slow.update(3 / slow.beta(), 256);
        }
        EXPECT_GT(std::abs(slow.beta() - 0.5), 1e-3) << "a longer horizon is still on its way";
    }
}

TEST(KlController, GoesOnFromASavedBeta) {
    KlController a(0.2, 6), b(0.2, 6);
    a.update(7, 100);
    b.set_beta(a.beta());
    a.update(8, 100);
    b.update(8, 100);
    EXPECT_EQ(a.beta(), b.beta());
}

}  // namespace
}  // namespace plumbline
