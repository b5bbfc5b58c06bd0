// Attention as one step of autograd, and of a token against the cache, against the same formulas in plain
// tensors.

#include "core/model/attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/model/kv_cache.h"

namespace plumbline {
namespace {

using at::Tensor;

constexpr HeadShape shape{6, 2, 8};
constexpr std::int64_t width = (6 + 2 * 2) * 8;

double off(const Tensor& ours, const Tensor& theirs) {
    return ((ours - theirs).abs().max() / theirs.abs().max()).item<double>();
}

Rotation some_rotation(std::int64_t rows) {
    const Tensor angles = at::randn({rows, shape.head_dim / 2});
    return {angles.cos(), angles.sin()};
}

// A sequence of its own; a prompt with two replies of one length, one of another and an empty one.
const std::vector<CausalRun> runs{{0, 5}, {5, 4}, {9, 3, 5, 4}, {12, 3, 5, 4}, {15, 0, 5, 4}, {15, 6, 5, 4}};
constexpr std::int64_t rows = 21;

/// Values and gradients, with a graph and without.
void expect_plain(const Rotation& rotation, std::span<const CausalRun> of, const HeadShape& heads, std::int64_t n) {
    const Tensor qkv = at::randn({n, (heads.heads + 2 * heads.kv_heads) * heads.head_dim});
    const Tensor upstream = at::randn({n, heads.heads * heads.head_dim});
    const Tensor ours_in = qkv.clone().requires_grad_(true), plain_in = qkv.clone().requires_grad_(true);
    const Tensor ours = attention(ours_in, rotation, of, heads), plain = plain_attention(plain_in, rotation, of, heads);
    EXPECT_LT(off(ours.detach(), plain.detach()), 2e-6);
    EXPECT_GT(off(ours.detach() * (1 + 1e-5), plain.detach()), 2e-6);
    ours.backward(upstream);
    plain.backward(upstream);
    EXPECT_LT(off(ours_in.grad(), plain_in.grad()), 5e-6);
    EXPECT_GT(off(ours_in.grad() * (1 + 2e-5), plain_in.grad()), 5e-6);

    const at::NoGradGuard no_grad;
    EXPECT_TRUE(at::equal(attention(qkv, rotation, of, heads), ours)) << "the same without a graph";
}

TEST(Attention, EqualsPlainTensors) {
    at::manual_seed(3);
    expect_plain(some_rotation(rows), runs, shape, rows);
}

// Longer than what one thread takes at a time, head_dim of several registers, with a window and without.
TEST(Attention, OfLongRunsEqualsPlainTensors) {
    at::manual_seed(13);
    for (const std::int64_t window : {0, 70}) {
        expect_plain({}, std::vector<CausalRun>{{0, 150}, {150, 300, 0, 150}, {450, 17, 0, 150}}, {4, 2, 72, window}, 467);
    }
}

TEST(Attention, ShowsWhatIsNotFinite) {
    at::manual_seed(14);
    for (const std::int64_t column : {0, 6 * 8, 8 * 8}) {   // of a query, a key and a value
        Tensor qkv = at::randn({rows, width});
        qkv[2][column] = std::numeric_limits<float>::quiet_NaN();
        qkv.requires_grad_(true);
        const Tensor out = attention(qkv, {}, runs, shape);
        EXPECT_TRUE(at::isnan(out[2]).any().item<bool>()) << column;
        EXPECT_TRUE(at::isfinite(out[6]).all().item<bool>()) << "another run";
        out.sum().backward();
        EXPECT_TRUE(at::isnan(qkv.grad()[2]).any().item<bool>()) << column;
    }
}

TEST(Attention, ARowSeesItsPromptAndNothingLater) {
    at::manual_seed(4);
    const at::NoGradGuard no_grad;
    const Tensor qkv = at::randn({rows, width});
    const Rotation rotation = some_rotation(rows);
    const Tensor before = attention(qkv, rotation, runs, shape);
    const auto changed_by = [&](std::int64_t row) {
        Tensor other = qkv.clone();
        other[row].add_(1);
        const Tensor differs = (attention(other, rotation, runs, shape) - before).abs().amax(1) > 0;
        std::vector<std::int64_t> out;
        for (std::int64_t i = 0; i < rows; ++i) {
            if (differs[i].item<bool>()) {
                out.push_back(i);
            }
        }
        return out;
    };
    EXPECT_EQ(changed_by(3), (std::vector<std::int64_t>{3, 4}));
    EXPECT_EQ(changed_by(13), (std::vector<std::int64_t>{13, 14}));
    EXPECT_EQ(changed_by(8), (std::vector<std::int64_t>{8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}));
}

TEST(KvCache, AttendsAsPlainTensorsDo) {
    at::manual_seed(5);
    DecoderConfig config;
    config.blocks = 1;
    config.heads = shape.heads;
    config.kv_heads = shape.kv_heads;
    config.head_dim = shape.head_dim;
    KvCache ours(config, 5, 4), plain(config, 5, 4);
    for (const auto& [replies, prompt] : {std::pair{2, 7}, std::pair{3, 1}}) {
        const Tensor qkv = at::randn({prompt, width});
        for (KvCache* cache : {&ours, &plain}) {
            cache->add_group(replies, prompt);
            cache->keep_prompt(qkv);
        }
    }
    std::int64_t left = 5;
    for (int token = 0; token < 4; ++token) {
        const Tensor qkv = at::randn({left, width});
        const Tensor a = ours.attend(0, qkv), b = plain.plain_attend(0, qkv);
        EXPECT_LT(off(a, b), 2e-6) << token;
        EXPECT_GT(off(a * (1 + 1e-5), b), 2e-6);
        ours.advance();
        plain.advance();
        if (token == 1) {  // a reply of each group ends
            ours.keep_rows({1, 2, 4});
            plain.keep_rows({1, 2, 4});
            left = 3;
        }
    }
}

}  // namespace
}  // namespace plumbline
