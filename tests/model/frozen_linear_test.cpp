#include "core/model/frozen_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace plumbline {
namespace {

using at::Tensor;

// The packed layer against its plain twin, forward and backward.
TEST(FrozenLinear, EqualsThePlainProduct) {
    at::manual_seed(1);
    const Tensor weight = at::randn({48, 32}), x = at::randn({7, 32}), upstream = at::randn({7, 48});
    const FrozenLinear layer(weight, Precision::f32);
    EXPECT_EQ(layer.in(), 32);
    EXPECT_EQ(layer.out(), 48);
    const Tensor leaf = x.clone().requires_grad_(true), twin = x.clone().requires_grad_(true);
    const Tensor ours = layer(leaf), plain = at::linear(twin, weight);
    EXPECT_TRUE(at::allclose(ours, plain, 1e-5, 1e-5));
    ours.backward(upstream);
    plain.backward(upstream);
    EXPECT_TRUE(at::allclose(leaf.grad(), twin.grad(), 1e-5, 1e-5));
    EXPECT_FALSE(at::allclose(ours, plain + 1e-3, 1e-5, 1e-5));
}

TEST(FrozenLinear, Bf16StaysNearF32) {
    at::manual_seed(2);
    const Tensor weight = at::randn({64, 96}), x = at::randn({5, 96});
    const Tensor exact = at::linear(x, weight);
    const double error = ((FrozenLinear(weight, Precision::bf16)(x) - exact).norm() / exact.norm()).item<double>();
    EXPECT_LT(error, 0.01);
    EXPECT_GT(error, 1e-5) << "it is bf16";
}

TEST(FrozenLinear, BuildsNoGraphWithoutNeed) {
    const FrozenLinear layer(at::randn({4, 4}), Precision::f32);
    EXPECT_FALSE(layer(at::randn({2, 4})).requires_grad());
}

TEST(FrozenLinear, GivesEmbeddingRows) {
    const Tensor table = at::randn({10, 4});
    FrozenLinear layer(table, Precision::f32);
    layer.keep_plain(table);
    EXPECT_TRUE(at::equal(layer.rows(at::tensor({3L, 7L})), at::stack({table[3], table[7]})));
}

}  // namespace
}  // namespace plumbline
