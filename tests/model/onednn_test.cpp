// What products leave behind.

#include "core/model/onednn.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "core/lab/machine.h"

namespace plumbline {
namespace {

// A live session multiplies by another number of rows with every pair. Each has a kernel of its own, and memory that
// belongs to it; past ones are let go.
TEST(OneDnn, ForgetsKernelsOfPastShapes) {
    at::manual_seed(1);
    const at::Tensor weight = onednn::pack(at::randn({768, 256}).to(at::kBFloat16));
    const auto multiply = [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t rows = from; rows < to; ++rows) {
            onednn::product(at::ones({rows, 256}, at::kBFloat16), weight);
        }
    };
    multiply(33, 133);   // fills what is kept
    const std::int64_t before = resident_bytes();
    multiply(133, 433);
    EXPECT_LT(resident_bytes() - before, std::int64_t{24} << 20);
}

}  // namespace
}  // namespace plumbline
