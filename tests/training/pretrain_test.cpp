#include "core/training/pretrain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/formats/model_files.h"
#include "core/training/pretrained_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

PretrainConfig tiny() {
    PretrainConfig config;
    config.hidden = 16;
    config.layers = 2;
    config.heads = 2;
    config.kv_heads = 1;
    config.mlp = 24;
    config.context = 32;
    config.max_length = 32;
    config.batch_size = 4;
    return config;
}

std::vector<Sequence> counting(int texts, int length) {
    std::vector<Sequence> out;
    for (int i = 0; i < texts; ++i) {
        std::vector<int> ids;
        for (int t = 0; t < length; ++t) ids.push_back((i + t) % 7);
        out.push_back(whole_text(ids));
    }
    return out;
}

TEST(Pretraining, BatchesHoldEveryTextOnceAndNearlyEqualLengths) {
    std::vector<int> lengths;
    for (int i = 0; i < 1003; ++i) lengths.push_back(5 + i * 37 % 60);
    const auto batches = bucketed_batches(lengths, 16, 3, 0);
    std::set<std::size_t> seen;
    int widest = 0;
    for (const auto& batch : batches) {
        EXPECT_LE(batch.size(), 16u);
        seen.insert(batch.begin(), batch.end());
        const auto [least, most] = std::minmax_element(
            batch.begin(), batch.end(), [&](auto a, auto b) { return lengths[a] < lengths[b]; });
        widest = std::max(widest, lengths[*most] - lengths[*least]);
    }
    EXPECT_EQ(batches.size(), 63u);
    EXPECT_EQ(seen.size(), 1003u);
    EXPECT_LE(widest, 2) << "60 lengths, about 17 texts each, are cut into batches of 16";
    EXPECT_EQ(bucketed_batches(lengths, 16, 3, 0), batches);
    EXPECT_NE(bucketed_batches(lengths, 16, 3, 1), batches);
    EXPECT_NE(bucketed_batches(lengths, 16, 4, 0), batches);
    // Batches come in no order of length.
    int rises = 0;
    for (std::size_t i = 1; i < batches.size(); ++i)
        rises += lengths[batches[i][0]] > lengths[batches[i - 1][0]];
    EXPECT_GT(rises, 10);
    EXPECT_LT(rises, 52);
    EXPECT_TRUE(bucketed_batches({}, 16, 3, 0).empty());
    EXPECT_EQ(batches_in_order(5, 2), (std::vector<std::vector<std::size_t>>{{0, 1}, {2, 3}, {4}}));
}

TEST(Pretraining, RateWarmsUpAndFallsToItsFloor) {
    PretrainConfig config;  // lr 3e-3, 100 warm-up steps, cosine to 5%
    EXPECT_DOUBLE_EQ(pretraining_rate(config, 0, 2000), 3e-5);
    EXPECT_DOUBLE_EQ(pretraining_rate(config, 99, 2000), 3e-3);
    EXPECT_DOUBLE_EQ(pretraining_rate(config, 100, 2000), 3e-3);
    EXPECT_NEAR(pretraining_rate(config, 1999, 2000), 1.5e-4, 1e-12);
    // Half way, step 100 + 1899/2: the mean of both ends. One step away it is 2.85e-3 * pi / 2 / 1899
    // = 2.4e-6 less.
    const double middle = (pretraining_rate(config, 1049, 2000) + pretraining_rate(config, 1050, 2000)) / 2;
    EXPECT_NEAR(middle, (3e-3 + 1.5e-4) / 2, 1e-9);
    EXPECT_GT(std::abs(pretraining_rate(config, 1050, 2000) - (3e-3 + 1.5e-4) / 2), 1e-9);
    config.schedule = Schedule::linear;
    EXPECT_NEAR(pretraining_rate(config, 1999, 2000), 1.5e-4, 1e-12);
    config.schedule = Schedule::constant;
    EXPECT_DOUBLE_EQ(pretraining_rate(config, 1999, 2000), 3e-3);
    config.warmup_steps = 0;
    config.schedule = Schedule::cosine;
    EXPECT_DOUBLE_EQ(pretraining_rate(config, 0, 1), 3e-3) << "a single step";
}

// A new model knows nothing: each of V tokens has about 1/V. Its weights are N(0, 0.02), its logits thus
// small.
TEST(Pretraining, BeginsAtTheUniformLossAndLearnsToCount) {
    const PretrainConfig config = tiny();
    at::set_num_threads(1);
    Pretrainer trainer(decoder_config(config, 50), config, 9);
    const std::vector<Sequence> texts = counting(4, 10);
    const auto before = trainer.losses(texts, testing::still);
    ASSERT_EQ(before.size(), 4u);
    EXPECT_NEAR(before[0] / 9, std::log(50), 0.05);
    EXPECT_GT(std::abs(before[0] / 9 - std::log(47)), 0.05) << "the bound tells 50 tokens from 47";
    EXPECT_NEAR(trainer.step(texts, 0, testing::still).loss,
                (before[0] + before[1] + before[2] + before[3]) / 36, 1e-5);
    for (int i = 0; i < 150; ++i) trainer.step(texts, 1e-2, testing::still);
    EXPECT_LT(trainer.losses(texts, testing::still)[2] / 9, 0.2) << "the next number follows from the last";
}

// The gradient of a batch is divided by a constant: half the texts of one length give half the gradient, not
// the same.
TEST(Pretraining, ABatchsLossIsDividedByAConstant) {
    const PretrainConfig config = tiny();
    const auto norm = [&](const std::vector<Sequence>& batch, double mean_targets) {
        Pretrainer trainer(decoder_config(config, 50), config, mean_targets);
        return trainer.step(batch, 1e-3, testing::still).gradient_norm;
    };
    std::vector<Sequence> twice = counting(1, 10);
    const double once = norm(twice, 9);
    twice.push_back(twice[0]);
    EXPECT_NEAR(norm(twice, 9) / once, 2, 1e-4);
    EXPECT_NEAR(norm(twice, 18) / once, 1, 1e-4);
}

TEST(Pretraining, IsAFunctionOfTheSeed) {
    const auto trained = [](std::uint64_t seed) {
        PretrainConfig config = tiny();
        config.seed = seed;
        at::set_num_threads(1);
        Pretrainer trainer(decoder_config(config, 50), config, 9);
        for (int i = 0; i < 3; ++i) trainer.step(counting(4, 10), 1e-2, testing::still);
        return trainer.weights().embedding().detach().clone();
    };
    EXPECT_TRUE(at::equal(trained(1), trained(1)));
    EXPECT_FALSE(at::equal(trained(1), trained(2)));
}

TEST(Pretraining, ANonFiniteLossChangesNothing) {
    const PretrainConfig config = tiny();
    Pretrainer trainer(decoder_config(config, 50), config, 9);
    const at::Tensor embedding = trainer.weights().embedding();
    {
        at::NoGradGuard no_grad;
        embedding[3].fill_(std::numeric_limits<float>::quiet_NaN());
    }
    const at::Tensor before = trainer.weights().output_layer()[4].detach().clone();
    EXPECT_THROW(trainer.step(counting(4, 10), 1e-2, testing::still), NonFinite);
    EXPECT_TRUE(at::equal(trainer.weights().output_layer()[4], before));
}

// Read from a file that the reference library wrote, written by us as f32, the tensors must be the file's
// own: names, shapes and the order of rows that rotary positions need.
TEST(PretrainedFile, WritesWhatTheReferenceWrote) {
    const FullWeights weights = FullWeights::of(testing::golden_model().decoder());
    GgufWriter writer;
    add_decoder(writer, weights, GgufType::f32);
    const testing::TempFolder folder;
    writer.write(folder / "again.gguf");
    const GgufFile ours(folder / "again.gguf"), theirs(testing::golden_path("tiny_llama.gguf"));
    ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
    for (const GgufTensor& tensor : theirs.tensors()) {
        const GgufTensor& written = ours.tensor(tensor.name);
        ASSERT_EQ(written.shape, tensor.shape) << tensor.name;
        std::vector<float> a(static_cast<std::size_t>(tensor.elements)), b(a.size());
        dequantize(tensor, a);
        dequantize(written, b);
        EXPECT_EQ(a, b) << tensor.name;
    }
    const DecoderConfig config = ModelFiles(ours.path()).config(), original = ModelFiles(theirs.path()).config();
    EXPECT_EQ(config.parameters(), original.parameters());
    EXPECT_EQ(config.context, original.context);
    EXPECT_EQ(config.kv_heads, original.kv_heads);
    EXPECT_EQ(config.rope.theta, original.rope.theta);
    EXPECT_FLOAT_EQ(static_cast<float>(config.norm_eps), static_cast<float>(original.norm_eps));
}

TEST(PretrainedFile, NeedsTheMarksOfDialogues) {
    const std::vector<std::string> texts = {"abc"};
    GgufWriter writer;
    EXPECT_THROW(
        add_dialogue_tokenizer(
            writer, train_bpe(texts, {300, {"<pad>", "<eos>"}, SpecialPlace::first, "gpt-2"}), "gpt-2"),
        Error);
}

}  // namespace
}  // namespace plumbline
