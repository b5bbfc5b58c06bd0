// Products by the matrix unit against the same in double. Skipped on processors that have none.

#include "core/model/tile_weight.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/model/lora_product.h"
#include "core/model/processor.h"

namespace plumbline {
namespace {

using at::Tensor;

double off(const Tensor& ours, const Tensor& exact) {
    return ((ours.to(at::kDouble) - exact).norm() / exact.norm()).item<double>();
}
Tensor in_double(const Tensor& t) { return t.to(at::kDouble); }

struct Case {
    std::int64_t rows, in, out;
};

class TileWeights : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        if (!has_tiles()) {
            GTEST_SKIP() << "no AMX here";
        }
        at::manual_seed(21);
    }
    const Case shape = GetParam();
};

// Two numbers of bf16 have 16 bits: 2^-17 of each number is lost at most, and sums average that.
TEST_P(TileWeights, MultiplyInF32) {
    const Tensor weight = at::randn({shape.out, shape.in}), x = at::randn({shape.rows, shape.in});
    const Tensor grad = at::randn({shape.rows, shape.out});
    const auto tiles = TileWeight::of(weight, Precision::f32);
    ASSERT_TRUE(tiles);
    constexpr double tolerance = 6e-6;
    const Tensor y = tiles->product({x}), through = tiles->product_through(grad);
    ASSERT_EQ(y.scalar_type(), at::kFloat);
    EXPECT_LT(off(y, at::linear(in_double(x), in_double(weight))), tolerance);
    EXPECT_LT(off(through, at::matmul(in_double(grad), in_double(weight))), tolerance);
    EXPECT_GT(off(y * (1 + 1e-5), at::linear(in_double(x), in_double(weight))), tolerance);
    EXPECT_GT(off(through * (1 + 1e-5), at::matmul(in_double(grad), in_double(weight))), tolerance);
    EXPECT_LT(((tiles->dense() - weight).abs() / weight.abs()).max().item<double>(), 1.0 / (1 << 17));
}

// In bf16 both factors are rounded, and what comes out once more.
TEST_P(TileWeights, MultiplyInBf16) {
    const Tensor weight = at::randn({shape.out, shape.in}), x = at::randn({shape.rows, shape.in});
    const Tensor grad = at::randn({shape.rows, shape.out});
    const auto tiles = TileWeight::of(weight, Precision::bf16);
    ASSERT_TRUE(tiles);
    const auto rounded = [](const Tensor& t) { return in_double(t.to(at::kBFloat16)); };
    constexpr double tolerance = 2e-3;   // half of 2^-8
    const Tensor y = tiles->product({x}), through = tiles->product_through(grad);
    ASSERT_EQ(y.scalar_type(), at::kBFloat16);
    EXPECT_LT(off(y, at::linear(rounded(x), rounded(weight))), tolerance);
    EXPECT_LT(off(through, at::matmul(rounded(grad), rounded(weight))), tolerance);
    EXPECT_GT(off(y * 1.01, at::linear(rounded(x), rounded(weight))), tolerance);
    EXPECT_TRUE(at::equal(tiles->product({x.to(at::kBFloat16)}), y)) << "rounded before or by it";
    EXPECT_TRUE(at::equal(tiles->product_through(grad.to(at::kBFloat16)), through));
    EXPECT_TRUE(at::equal(tiles->dense(), weight.to(at::kBFloat16).to(at::kFloat)));
}

// Rows of one tile, of one and a half, of several; widths beyond whole tiles; outputs in several groups.
INSTANTIATE_TEST_SUITE_P(Shapes, TileWeights,
                         ::testing::Values(Case{1, 576, 320}, Case{16, 512, 256}, Case{33, 500, 331}, Case{100, 1536, 576},
                                           Case{450, 1536, 100}, Case{40, 64, 9000}));

TEST(TileWeight, LeavesSmallWeightsToTheLibrary) { EXPECT_FALSE(TileWeight::of(at::randn({32, 32}), Precision::f32)); }

TEST(TileWeight, ShowsWhatIsNotFinite) {
    if (!has_tiles()) {
        GTEST_SKIP() << "no AMX here";
    }
    Tensor weight = at::ones({512, 512}), x = at::ones({40, 512});
    x[3][7] = std::numeric_limits<float>::infinity();
    x[4][7] = std::numeric_limits<float>::quiet_NaN();
    const Tensor y = TileWeight::of(weight, Precision::f32)->product({x});
    EXPECT_FALSE(at::isfinite(y[3]).any().item<bool>());
    EXPECT_TRUE(at::isnan(y[4]).all().item<bool>());
    EXPECT_TRUE(at::equal(y[5], at::full({512}, 512.0)));
}

/// Against plain tensors in double.
class TileLora : public ::testing::TestWithParam<std::tuple<LinearInput::Kind, int>> {};

TEST_P(TileLora, EqualsPlainTensors) {
    if (!has_tiles()) {
        GTEST_SKIP() << "no AMX here";
    }
    at::manual_seed(22);
    const auto [kind, rank] = GetParam();
    constexpr std::int64_t rows = 77, in = 352, columns[] = {320, 96};
    constexpr double scale = 1.7, epsilon = 1e-5;
    const Tensor weight = at::randn({columns[0] + columns[1], in});
    LoraStack stack;
    std::int64_t column = 0;
    for (const std::int64_t n : columns) {
        stack.parts.push_back({at::randn({rank, in}), at::randn({n, rank}), column, 0});
        column += n;
    }
    stack.join();
    std::vector<Tensor> leaves, twins;
    const auto ask = [&](Tensor& t) {
        t.requires_grad_(true);
        leaves.push_back(t);
        twins.push_back(in_double(t.detach()).requires_grad_(true));
    };
    Tensor x = at::randn({rows, kind == LinearInput::Kind::swiglu ? 2 * in : in});
    ask(x);
    for (LoraStack::Part& part : stack.parts) {
        ask(part.a);
        ask(part.b);
    }
    const Tensor norm_weight = at::randn({in}), upstream = at::randn({rows, column});
    const FrozenLinear frozen(weight, Precision::f32);
    ASSERT_TRUE(frozen.tiles(rows));
    const Tensor ours = lora_product(frozen, {x, kind, norm_weight, epsilon}, stack, scale);

    const Tensor value = LinearInput{twins[0], kind, in_double(norm_weight), epsilon}.value();
    std::vector<Tensor> added;
    for (std::size_t i = 0; i < 2; ++i) {
        added.push_back(scale * at::linear(at::linear(value, twins[1 + 2 * i]), twins[2 + 2 * i]));
    }
    const Tensor exact = at::linear(value, in_double(weight)) + at::cat(added, 1);
    constexpr double tolerance = 8e-6;
    EXPECT_LT(off(ours.detach(), exact.detach()), tolerance);
    EXPECT_GT(off(ours.detach() * (1 + 1e-5), exact.detach()), tolerance);
    ours.backward(upstream);
    exact.backward(in_double(upstream));
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        EXPECT_LT(off(leaves[i].grad(), twins[i].grad()), tolerance) << i;
        EXPECT_GT(off(leaves[i].grad() * (1 + 1e-5), twins[i].grad()), tolerance) << i;
        EXPECT_TRUE(leaves[i].grad().is_contiguous()) << i;
    }
    // Where x does not train, the others' gradients are the same.
    std::vector<Tensor> before;
    for (Tensor& t : leaves) {
        before.push_back(t.grad().clone());
        t.mutable_grad() = Tensor();
    }
    lora_product(frozen, {x.detach(), kind, norm_weight, epsilon}, stack, scale).backward(upstream);
    for (std::size_t i = 1; i < leaves.size(); ++i) {
        EXPECT_TRUE(at::equal(leaves[i].grad(), before[i])) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(InputsAndRanks, TileLora,
                         ::testing::Combine(::testing::Values(LinearInput::Kind::plain, LinearInput::Kind::rms_norm,
                                                              LinearInput::Kind::swiglu),
                                            ::testing::Values(4, 16, 40)));

}  // namespace
}  // namespace plumbline
