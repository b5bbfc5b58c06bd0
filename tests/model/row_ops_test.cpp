// The fused loops against the same formulas in ATen, with autograd for the gradients.

#include "core/model/row_ops.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

namespace plumbline {
namespace {

using at::Tensor;

constexpr double epsilon = 1e-5;

/// Within 2e-6 of the largest entry; a shift by ten times that is seen.
void expect_near(const Tensor& ours, const Tensor& theirs) {
    const double scale = theirs.abs().max().item<double>();
    const auto off = [&](const Tensor& t) { return (t - theirs).abs().max().item<double>() / scale; };
    EXPECT_LT(off(ours), 2e-6);
    EXPECT_GT(off(ours + 2e-5 * scale), 2e-6);
}

// Widths that fill no vector, and enough rows for two threads.
class RowOps : public ::testing::TestWithParam<std::pair<std::int64_t, std::int64_t>> {
  protected:
    RowOps() { at::manual_seed(5); }
    std::int64_t rows() const { return GetParam().first; }
    std::int64_t width() const { return GetParam().second; }
};

TEST_P(RowOps, RmsNormAndItsGradient) {
    const Tensor h = (3 * at::randn({rows(), width()})).requires_grad_(true), weight = at::randn({width()}),
                 upstream = at::randn({rows(), width()});
    const Tensor theirs = at::rms_norm(h, {width()}, weight, epsilon);
    expect_near(rms_norm(h.detach(), weight, epsilon), theirs.detach());
    theirs.backward(upstream);
    expect_near(rms_norm_backward(h.detach(), weight, upstream, epsilon), h.grad());
}

TEST_P(RowOps, SwigluAndItsGradient) {
    const Tensor gate_up = (4 * at::randn({rows(), 2 * width()})).requires_grad_(true),
                 upstream = at::randn({rows(), width()});
    const Tensor theirs = at::silu(gate_up.narrow(1, 0, width())) * gate_up.narrow(1, width(), width());
    expect_near(swiglu(gate_up.detach()), theirs.detach());
    theirs.backward(upstream);
    expect_near(swiglu_backward(gate_up.detach(), upstream), gate_up.grad());
}

TEST_P(RowOps, ChosenLogProbabilityAndItsGradient) {
    for (const double temperature : {1.0, 0.7}) {
        const Tensor logits = (5 * at::randn({rows(), width()})).requires_grad_(true),
                     upstream = at::randn({rows()}), targets = at::randint(width(), {rows()}, at::kLong);
        const Tensor logprobs =
            at::log_softmax(logits / temperature, 1).gather(1, targets.unsqueeze(1)).squeeze(1);
        logprobs.backward(upstream);
        Tensor work = logits.detach().clone();
        const Tensor normalizers = log_sum_exp(work, 1 / temperature);
        expect_near(normalizers, at::logsumexp(logits.detach() / temperature, 1));
        chosen_gradient_(work, targets, normalizers, upstream, 1 / temperature);
        expect_near(work, logits.grad());
    }
}

TEST_P(RowOps, Bf16RowsAreReadAndRounded) {
    const Tensor logits = (5 * at::randn({rows(), width()})).to(at::kBFloat16),
                 upstream = at::randn({rows()}), targets = at::randint(width(), {rows()}, at::kLong);
    const Tensor wide = logits.to(at::kFloat);
    const Tensor normalizers = log_sum_exp(logits, 1);
    expect_near(normalizers, at::logsumexp(wide, 1));
    Tensor narrow_work = logits.clone(), wide_work = wide.clone();
    chosen_gradient_(narrow_work, targets, normalizers, upstream, 1);
    chosen_gradient_(wide_work, targets, normalizers, upstream, 1);
    EXPECT_TRUE(at::equal(narrow_work, wide_work.to(at::kBFloat16)));
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowOps,
                         ::testing::Values(std::pair{3, 7}, std::pair{5, 64}, std::pair{200, 331}));

TEST(Rotate, TurnsHalvesAndBack) {
    at::manual_seed(6);
    const std::int64_t n = 9, heads = 3, d = 8, width = 4 * d;  // the last head is left as it is
    const Tensor angles = at::randn({n, d / 2}), x = at::randn({n, width});
    const Rotation rotation{angles.cos(), angles.sin()};
    const Tensor ours = rotate(x, rotation, heads);
    const Tensor turned = x.narrow(1, 0, heads * d).view({n, heads, 2, d / 2});
    const Tensor a = turned.select(2, 0), b = turned.select(2, 1), cos = rotation.cos.unsqueeze(1),
                 sin = rotation.sin.unsqueeze(1);
    const Tensor theirs = at::stack({a * cos - b * sin, b * cos + a * sin}, 2).view({n, heads * d});
    expect_near(ours.narrow(1, 0, heads * d), theirs);
    EXPECT_TRUE(at::equal(ours.narrow(1, heads * d, d), x.narrow(1, heads * d, d)));
    expect_near(rotate(ours, rotation, heads, /*back=*/true), x);
}

TEST(RowOpsOfBadNumbers, WhatIsNotFiniteStaysSo) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Tensor logits = at::zeros({1, 40});
        logits[0][33] = bad;
        EXPECT_FALSE(std::isfinite(log_sum_exp(logits, 1).item<float>()));
        EXPECT_FALSE(rms_norm(logits, at::ones({40}), epsilon).isfinite().all().item<bool>());
        EXPECT_FALSE(swiglu(logits).isfinite().all().item<bool>());
    }
    const Tensor run_away = at::full({1, 40}, 1e20f);   // whose squares are no floats
    EXPECT_FALSE(rms_norm(run_away, at::ones({40}), epsilon).isfinite().any().item<bool>());
    EXPECT_TRUE(rms_norm(run_away / 100, at::ones({40}), epsilon).isfinite().all().item<bool>());
    EXPECT_TRUE(std::isfinite(log_sum_exp(at::full({1, 40}, 1e30f), 1).item<float>()));
}

}  // namespace
}  // namespace plumbline
