#include "core/training/pooled_reward.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/sampling/counter_random.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_model;
using testing::still;
using Kind = RewardObservation::Kind;

std::vector<Sequence> some_replies(const Decoder& decoder, int count) {
    std::vector<Sequence> out;
    for (int i = 0; i < count; ++i) {
        const auto draw = [&](std::uint32_t at) {
            return uniform({31, 1, 0, static_cast<std::uint32_t>(i), at});
        };
        const auto length = static_cast<std::uint32_t>(2 + 8 * draw(0));
        std::vector<int> prompt, reply;
        for (std::uint32_t t = 0; t < 3 + length; ++t) {
            const auto vocab = static_cast<double>(decoder.config().vocab - 3);
            (t < 3 ? prompt : reply).push_back(3 + static_cast<int>(vocab * draw(1 + t)));
        }
        out.push_back(join(prompt, reply));
    }
    return out;
}

/// Every kind of answer, about twelve replies.
std::vector<RewardObservation> some_answers() {
    return {{Kind::preference, {0, 1}, 0, 0}, {Kind::preference, {2, 3}, 0, 0.5},
            {Kind::tie, {4, 5}, 0, 0},        {Kind::ranking, {6, 7, 8, 9}, 2, 0},
            {Kind::good, {10}, 0, 0},         {Kind::bad, {11}, 0, 0},
            {Kind::preference, {0, 5}, 0, 0}, {Kind::tie, {1, 8}, 0, 0},
            {Kind::ranking, {3, 2, 11}, 1, 0}};
}

std::vector<std::vector<float>> raw_features(const Decoder& decoder, const std::vector<Sequence>& replies) {
    std::vector<std::vector<float>> out;
    const auto facts =
        reference_facts(decoder, replies, decoder.config().blocks, 1.0, Want::everything, still);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        out.push_back(LinearReward::raw_features(facts[i].features, replies[i].reply_length()));
    }
    return out;
}

struct Start {
    std::vector<Sequence> replies;
    std::vector<RewardObservation> answers = some_answers();
    std::vector<std::vector<float>> raw;
    LinearReward linear;
    PooledReward pooled;
};

Start start(const Decoder& decoder, const RewardFitSettings& settings = {}, const LoraConfig& config = {}) {
    Start s;
    s.replies = some_replies(decoder, 12);
    s.raw = raw_features(decoder, s.replies);
    s.linear = LinearReward::fit(LinearReward::scale_of(s.raw, 0.25), s.raw, s.answers, settings);
    s.pooled = PooledReward::from_linear(decoder.config(), s.linear, settings, config, 7);
    return s;
}

double worst_difference(const Decoder& decoder, const Start& s) {
    at::NoGradGuard no_grad;
    const Tensor rewards = s.pooled.rewards(decoder, s.replies, still);
    double worst = 0;
    for (std::size_t i = 0; i < s.replies.size(); ++i) {
        worst = std::max(worst, std::abs(rewards[static_cast<std::int64_t>(i)].item<double>() -
                                         s.linear.mean_score(s.raw[i])));
    }
    return worst;
}

TEST(PooledReward, TakesOverFromAStatedNumberOfLabels) {
    EXPECT_FALSE(pooled_takes_over(199));
    EXPECT_TRUE(pooled_takes_over(200));
    EXPECT_TRUE(pooled_takes_over(10, 10));
    EXPECT_FALSE(pooled_takes_over(9, 10));
    EXPECT_FALSE(pooled_takes_over(100000, 0)) << "0: never";
}

TEST(PooledReward, StartsExactlyAtTheLinearHead) {
    const Decoder& decoder = golden_model().decoder();
    Start s = start(decoder);
    EXPECT_GT(s.linear.weights().abs().max().item<double>(), 1e-3);
    EXPECT_LT(worst_difference(decoder, s), 1e-9);
    EXPECT_EQ(s.pooled.adapter.first_block(), 1) << "the upper half of the two blocks below the middle";
    EXPECT_EQ(s.pooled.adapter.tensors().size(), 14u);
    s.pooled.weights.mul_(1 + 1e-7);
    EXPECT_GT(worst_difference(decoder, s), 1e-9);
}

// The linear head is the optimum in w of the very objective that goes on here, so that its gradient vanishes
// at the start, over all labels and whatever the kind and the threshold; with another prior it does not.
TEST(PooledReward, TheHeadHasNothingToGainAtTheStart) {
    const Decoder& decoder = golden_model().decoder();
    RewardFitSettings fixed, half;
    fixed.tie_threshold = 1.6;
    half.ties_as_half = true;
    half.absolute_threshold = 0.4;
    for (const RewardFitSettings& settings : {RewardFitSettings{}, fixed, half}) {
        Start s = start(decoder, settings);
        s.pooled.require_grad(true);
        const Metrics metrics =
            pooled_reward_gradients(decoder, s.pooled, s.replies, s.answers, s.answers.size(), still);
        EXPECT_NEAR(metrics.at("loss/reward"), s.linear.loss(), 1e-8);
        EXPECT_LT(s.pooled.weights.grad().abs().max().item<double>(), 1e-8);
        EXPECT_GT(s.pooled.adapter.tensors()[1].grad().abs().max().item<double>(), 1e-8)
            << "B has something to gain";
        s.pooled.weights.mutable_grad() = Tensor();
        s.pooled.ridge *= 1.001;
        pooled_reward_gradients(decoder, s.pooled, s.replies, s.answers, s.answers.size(), still);
        EXPECT_GT(s.pooled.weights.grad().abs().max().item<double>(), 1e-8);
    }
}

double objective(const Decoder& decoder, const Start& s) {
    PooledReward plain = s.pooled;  // shares the tensors
    const Metrics metrics =
        pooled_reward_gradients(decoder, plain, s.replies, s.answers, s.answers.size(), still);
    for (Tensor& t : plain.tensors()) {
        t.mutable_grad() = Tensor();
    }
    return metrics.at("loss/reward") + plain.ridge / 2 *
                                           plain.weights.detach().square().sum().item<double>() /
                                           static_cast<double>(s.answers.size());
}

// Along its own direction the gradient's length is the slope, by central differences in float weights: 1%.
TEST(PooledReward, HasTheGradientOfFiniteDifferences) {
    const Decoder& decoder = golden_model().decoder();
    Start s = start(decoder);
    {
        at::NoGradGuard no_grad;
        auto generator = at::detail::createCPUGenerator(5);
        for (Tensor& t : s.pooled.tensors()) {
            t.add_(at::empty_like(t).normal_(0, 0.05, generator));  // away from B = 0
        }
    }
    s.pooled.require_grad(true);
    pooled_reward_gradients(decoder, s.pooled, s.replies, s.answers, s.answers.size(), still);
    std::vector<Tensor> gradients;
    double square = 0;
    for (Tensor& t : s.pooled.tensors()) {
        gradients.push_back(t.grad().clone());
        square += gradients.back().square().sum().item<double>();
    }
    const auto moved = [&](double step) {
        at::NoGradGuard no_grad;
        const auto tensors = s.pooled.tensors();
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            Tensor(tensors[i]).add_(gradients[i], step);
        }
    };
    const double h = 1e-3 / std::sqrt(square);
    moved(h);
    const double above = objective(decoder, s);
    moved(-2 * h);
    const double below = objective(decoder, s);
    const double slope = (above - below) / (2 * h);
    EXPECT_NEAR(slope / square, 1, 0.01);
    EXPECT_GT(std::abs(slope / (1.02 * square) - 1), 0.01);
}

TEST(PooledReward, LearnsFromEveryKindOfAnswer) {
    const Decoder& decoder = golden_model().decoder();
    Start s = start(decoder);
    s.pooled.require_grad(true);
    AdamW optimizer(s.pooled.tensors(), s.pooled.tensor_names());
    const double before = objective(decoder, s);
    PooledRewardSettings settings;
    settings.lr = 3e-3;
    settings.batch_size = 4;
    Metrics last;
    for (int step = 0; step < 30; ++step) {
        last = pooled_reward_step(decoder, s.pooled, optimizer, s.replies, s.answers, settings, still);
    }
    EXPECT_LT(objective(decoder, s), 0.9 * before) << "the adapter reaches what the linear head cannot";
    for (const char* name : {"loss/reward", "reward/accuracy", "reward/margin", "reward/min", "reward/mean",
                             "reward/max", "grad_norm"}) {
        EXPECT_TRUE(std::isfinite(last.at(name))) << name;
    }
    EXPECT_TRUE(pooled_reward_step(decoder, s.pooled, optimizer, s.replies, {}, settings, still).empty());
    EXPECT_EQ(optimizer.steps(), 30);
}

TEST(PooledReward, GoesOnFromASavedStateAsIfNeverStopped) {
    const Decoder& decoder = golden_model().decoder();
    PooledRewardSettings settings;
    settings.batch_size = 3;
    settings.lr = 1e-3;
    const auto step = [&](Start& s, AdamW& optimizer, int times) {
        for (int i = 0; i < times; ++i) {
            pooled_reward_step(decoder, s.pooled, optimizer, s.replies, s.answers, settings, still);
        }
    };
    Start through = start(decoder), first = start(decoder), second = start(decoder);
    for (Start* s : {&through, &first, &second}) {
        s->pooled.require_grad(true);
    }
    AdamW all(through.pooled.tensors(), through.pooled.tensor_names());
    step(through, all, 5);
    AdamW early(first.pooled.tensors(), first.pooled.tensor_names());
    step(first, early, 2);

    AdamW late(second.pooled.tensors(), second.pooled.tensor_names());
    second.pooled.ridge = second.pooled.tie_threshold = 5;
    second.pooled.restore(first.pooled.state());
    {
        at::NoGradGuard no_grad;
        const auto from = early.state(), to = late.state();
        for (std::size_t i = 0; i < from.size(); ++i) {
            Tensor(to[i]).copy_(from[i]);
        }
    }
    late.set_steps(early.steps());
    step(second, late, 3);
    const auto expected = through.pooled.state(), resumed = second.pooled.state(),
               stopped = first.pooled.state();
    bool moved = false;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(at::equal(expected[i], resumed[i])) << i;
        moved = moved || !at::equal(expected[i], stopped[i]);
    }
    EXPECT_TRUE(moved);
}

TEST(PooledReward, RefusesAStateThatDoesNotFit) {
    const Decoder& decoder = golden_model().decoder();
    Start s = start(decoder);
    auto state = s.pooled.state();
    EXPECT_THROW(s.pooled.restore(std::span(state).first(3)), Error);
    auto wrong = state;
    wrong[0] = at::zeros({1, 1});
    EXPECT_THROW(s.pooled.restore(wrong), Error);
    wrong = state;
    wrong[wrong.size() - 4] = wrong[wrong.size() - 4] / 0.0;  // the weights
    EXPECT_THROW(s.pooled.restore(wrong), Error);
    s.pooled.restore(state);
    EXPECT_LT(worst_difference(decoder, s), 1e-9) << "as before";

    DecoderConfig other = decoder.config();
    other.hidden = 32;
    EXPECT_THROW(PooledReward::from_linear(other, s.linear, {}, {}, 1), Error);
    LoraConfig above;
    above.lora_first_block = 2;
    EXPECT_THROW(PooledReward::from_linear(decoder.config(), s.linear, {}, above, 1), ConfigError);
}

TEST(PooledReward, TiesNeedAThresholdAboveOne) {
    const Decoder& decoder = golden_model().decoder();
    Start s = start(decoder);
    s.pooled.require_grad(true);
    s.pooled.tie_threshold = 1;
    EXPECT_THROW(pooled_reward_gradients(decoder, s.pooled, s.replies, s.answers, s.answers.size(), still),
                 ConfigError);
    EXPECT_FALSE(s.pooled.weights.grad().defined()) << "nothing was added";
    s.pooled.weights = at::full_like(s.pooled.weights, NAN);
    s.pooled.tie_threshold = 2;
    EXPECT_THROW(pooled_reward_gradients(decoder, s.pooled, s.replies, s.answers, s.answers.size(), still),
                 NonFinite);
}

TEST(PooledReward, HoldsForAReplyOfNoTokensAndAModelOfOneBlock) {
    const testing::TempFolder folder;
    testing::TinySizes sizes;
    sizes.blocks = 1;
    testing::tiny_model(3, sizes).write(folder / "one.gguf");
    const auto model = LanguageModel::open((folder / "one.gguf").string(), Precision::f32, still, {});
    const Decoder& decoder = model->decoder();
    Start s = start(decoder);
    EXPECT_EQ(s.pooled.tensors().size(), 1u) << "below the middle there is no block: only w trains";
    EXPECT_LT(worst_difference(decoder, s), 1e-9);
    s.pooled.require_grad(true);
    AdamW optimizer(s.pooled.tensors(), s.pooled.tensor_names());
    s.replies.push_back(join({1, 5, 6}, {}));
    s.answers.push_back({Kind::preference, {0, 12}, 0, 0});
    s.answers.push_back({Kind::preference, {3, 3}, 0, 0});  // a reply against itself
    const Metrics metrics = pooled_reward_step(decoder, s.pooled, optimizer, s.replies, s.answers, {}, still);
    EXPECT_TRUE(std::isfinite(metrics.at("loss/reward")));
}

}  // namespace
}  // namespace plumbline
