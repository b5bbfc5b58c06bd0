// A frozen product with low-rank ones against the same formula in plain tensors: values, and gradients of the
// input and of every A and B.

#include "core/model/lora_product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace plumbline {
namespace {

using at::Tensor;

constexpr std::int64_t in = 24, out = 40, rank = 3, rows = 11;
constexpr double scale = 1.7, epsilon = 1e-5;

double off(const Tensor& ours, const Tensor& theirs) {
    return ((ours - theirs).abs().max() / theirs.abs().max()).item<double>();
}

/// Two parts, of columns [0, 16) and [24, 40); columns between have no low-rank part.
struct Weights {
    Weights() {
        at::manual_seed(8);
        weight = at::randn({out, in});
        stack.a = at::randn({2 * rank, in});
        for (int i = 0; i < 2; ++i) {
            stack.parts.push_back({stack.a.narrow(0, i * rank, rank), at::randn({16, rank}), 24 * i, i});
        }
        for (LoraStack::Part& part : stack.parts) {
            part.a.requires_grad_(true);
            part.b.requires_grad_(true);
        }
    }
    Tensor plain(const Tensor& x) const {
        std::vector<Tensor> added;
        for (const LoraStack::Part& part : stack.parts) {
            added.push_back(scale * at::linear(at::linear(x, part.a), part.b));
        }
        return at::linear(x, weight) + at::cat({added[0], at::zeros({rows, 8}), added[1]}, 1);
    }
    Tensor weight;
    LoraStack stack;
};

class LoraProduct : public ::testing::TestWithParam<LinearInput::Kind> {};

TEST_P(LoraProduct, EqualsPlainTensors) {
    const Weights w;
    const FrozenLinear frozen(w.weight, Precision::f32);
    const Tensor norm_weight = at::randn({in});
    const Tensor x =
        at::randn({rows, GetParam() == LinearInput::Kind::swiglu ? 2 * in : in}).requires_grad_(true);
    const LinearInput input{x, GetParam(), norm_weight, epsilon};
    const Tensor upstream = at::randn({rows, out});
    const auto gradients = [&](const Tensor& y) {
        y.backward(upstream);
        std::vector<Tensor> all{x.grad()};
        x.mutable_grad() = Tensor();
        for (const LoraStack::Part& part : w.stack.parts) {
            for (const Tensor& t : {part.a, part.b}) {
                all.push_back(t.grad());
                t.mutable_grad() = Tensor();
            }
        }
        return all;
    };
    const Tensor ours = lora_product(frozen, input, w.stack, scale), theirs = w.plain(input.value());
    EXPECT_LT(off(ours.detach(), theirs.detach()), 2e-6);
    EXPECT_GT(off(ours.detach() * (1 + 1e-5), theirs.detach()), 2e-6);
    const std::vector<Tensor> by_us = gradients(ours), by_autograd = gradients(theirs);
    for (std::size_t i = 0; i < by_us.size(); ++i) {
        EXPECT_LT(off(by_us[i], by_autograd[i]), 5e-6) << i;
        EXPECT_GT(off(by_us[i] * (1 + 2e-5), by_autograd[i]), 5e-6) << i;
    }
}

TEST(LoraStack, TurnedGivesTheSameBits) {
    at::manual_seed(9);
    LoraStack stack;
    for (int i = 0; i < 2; ++i) {
        stack.parts.push_back({at::randn({rank, in}), at::randn({out / 2, rank}), out / 2 * i, i});
    }
    stack.join();
    const FrozenLinear frozen(at::randn({out, in}), Precision::f32);
    const Tensor x = at::randn({rows, in}), before = lora_product(frozen, {x}, stack, scale);
    stack.turn();
    EXPECT_TRUE(at::equal(lora_product(frozen, {x}, stack, scale), before));
    stack.parts[0].b.mul_(2);
    EXPECT_TRUE(at::equal(lora_product(frozen, {x}, stack, scale), before)) << "what was turned stays";
}

INSTANTIATE_TEST_SUITE_P(Inputs, LoraProduct,
                         ::testing::Values(LinearInput::Kind::plain, LinearInput::Kind::rms_norm,
                                           LinearInput::Kind::swiglu));

TEST(LoraProductWithoutGradients, IsTheSameAndKeepsNothing) {
    const Weights w;
    const FrozenLinear frozen(w.weight, Precision::f32);
    const LinearInput input{at::randn({rows, in})};
    const Tensor with = lora_product(frozen, input, w.stack, scale);
    EXPECT_TRUE(with.requires_grad()) << "its weights train";
    const at::NoGradGuard no_grad;
    const Tensor without = lora_product(frozen, input, w.stack, scale);
    EXPECT_FALSE(without.requires_grad());
    EXPECT_TRUE(at::equal(with, without));
}

}  // namespace
}  // namespace plumbline
