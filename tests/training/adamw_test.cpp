#include "core/training/adamw.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

namespace plumbline {
namespace {

using at::Tensor;

Tensor parameter(std::initializer_list<float> values) { return at::tensor(std::vector<float>(values)).requires_grad_(true); }

void set_grad(const Tensor& p, std::initializer_list<float> values) { p.mutable_grad() = at::tensor(std::vector<float>(values)); }

// First step: m = 0.1 g, v = 0.001 g^2; bias-corrected both give g and g^2, so the step is lr * sign(g) (epsilon apart).
// With g = 1 then 3: m = 0.39, v = 0.009999 after two; corrected m = 0.39/0.19, v = 0.009999/0.001999.
TEST(AdamW, TakesTheStepsOfThePaper) {
    const Tensor p = parameter({1.0f});
    AdamW optimizer({p}, {"p"});
    set_grad(p, {1.0f});
    EXPECT_NEAR(optimizer.step(0.1, 0, 0).gradient_norm, 1, 1e-6);
    EXPECT_NEAR(p.item<float>(), 0.9, 1e-6);
    set_grad(p, {3.0f});
    optimizer.step(0.1, 0, 0);
    const double step = 0.1 * (0.39 / 0.19) / std::sqrt(0.009999 / 0.001999);
    EXPECT_NEAR(p.item<float>(), 0.9 - step, 1e-6);
    EXPECT_GT(std::abs(p.item<float>() - (0.9 - 1.001 * step)), 1e-6);
    EXPECT_EQ(optimizer.steps(), 2);
}

TEST(AdamW, DecaysWeightsApartFromTheGradient) {
    const Tensor p = parameter({2.0f});
    AdamW optimizer({p}, {"p"});
    set_grad(p, {1.0f});
    optimizer.step(0.1, 0.5, 0);
    EXPECT_NEAR(p.item<float>(), 2 * (1 - 0.1 * 0.5) - 0.1, 1e-6);
}

TEST(AdamW, ClipsTheGlobalNorm) {
    const Tensor a = parameter({0.0f}), b = parameter({0.0f});
    AdamW optimizer({a, b}, {"a", "b"});
    set_grad(a, {3.0f});
    set_grad(b, {4.0f});
    const Tensor grad = a.grad();
    EXPECT_NEAR(optimizer.step(1e-3, 0, 1).gradient_norm, 5, 1e-6);
    EXPECT_NEAR(grad.item<float>(), 0.6, 1e-5);
}

TEST(AdamW, ANonFiniteGradientChangesNothingAndIsNamed) {
    const Tensor a = parameter({1.0f}), b = parameter({2.0f});
    AdamW optimizer({a, b}, {"first", "second"});
    set_grad(a, {1.0f});
    set_grad(b, {std::numeric_limits<float>::infinity()});
    try {
        optimizer.step(0.1, 0, 1);
        FAIL() << "it went on";
    } catch (const NonFinite& error) {
        EXPECT_NE(std::string(error.what()).find("second"), std::string::npos);
    }
    EXPECT_EQ(a.item<float>(), 1);
    EXPECT_EQ(b.item<float>(), 2);
    EXPECT_EQ(optimizer.steps(), 0);
    EXPECT_FALSE(a.grad().defined()) << "the bad gradient is gone";
}

}  // namespace
}  // namespace plumbline
