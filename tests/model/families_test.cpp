// Every family, from a folder and from GGUF, against transformers: tests/golden/make_families.py.

#include "core/model/families/family.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/formats/model_files.h"
#include "core/formats/peft.h"
#include "core/model/full_weights.h"
#include "core/model/kv_cache.h"
#include "core/model/lora.h"
#include "core/model/read_decoder.h"
#include "core/training/policy.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_json;
using testing::still;

constexpr double tolerance = 1e-4;

std::filesystem::path file_of(const nlohmann::json& name) {
    return testing::golden_path("families") / name.get<std::string>();
}

std::unique_ptr<Decoder> open(const std::filesystem::path& path, Precision precision = Precision::f32) {
    at::set_num_threads(1);
    return read_decoder(ModelFiles(path), precision, still, {});
}

Sequence sequence_of(const nlohmann::json& row) {
    return {row.at("ids").get<std::vector<int>>(), row.at("prompt").get<int>()};
}

Tensor logprobs(const Decoder& decoder, const Adapter* adapter, const nlohmann::json& row) {
    const Sequence sequence = sequence_of(row);
    return policy_logprobs(decoder, adapter, pack({&sequence, 1}), {}, 1.0, still);
}

double difference(const Tensor& ours, const nlohmann::json& theirs, double shift = 0) {
    const Tensor expected = at::tensor(theirs.get<std::vector<double>>(), at::kDouble);
    return (ours.detach().to(at::kDouble) + shift - expected).abs().max().item<double>();
}

class Families : public ::testing::TestWithParam<std::string> {
  protected:
    const nlohmann::json golden_ = golden_json("families.json");
    const nlohmann::json& row_ = golden_.at("models").at(GetParam());
};

TEST_P(Families, LogprobsOfTheFolderEqualTransformers) {
    at::NoGradGuard no_grad;
    const Tensor ours = logprobs(*open(file_of(row_.at("folder"))), nullptr, row_);
    EXPECT_LT(difference(ours, row_.at("logprobs")), tolerance);
    EXPECT_GT(difference(ours, row_.at("logprobs"), 2 * tolerance), tolerance) << "a small shift is seen";
}

TEST_P(Families, LogprobsOfTheGgufTwinAreTheSame) {
    if (!row_.contains("gguf")) {
        GTEST_SKIP() << "no such files of this family";
    }
    at::NoGradGuard no_grad;
    const auto decoder = open(file_of(row_.at("gguf")));
    EXPECT_LT(difference(logprobs(*decoder, nullptr, row_), row_.at("logprobs")), tolerance);
    const ModelFiles folder(file_of(row_.at("folder")));
    EXPECT_EQ(decoder->config().parameters(), folder.config().parameters());
    EXPECT_EQ(decoder->config().context, folder.config().context);
}

// A prompt in one pass, then token by token: the cache, and its windows, give what the whole pass gives.
TEST_P(Families, StepsThroughTheCacheEqualTheWholePass) {
    at::NoGradGuard no_grad;
    const auto decoder = open(file_of(row_.at("folder")));
    const Sequence sequence = sequence_of(row_);
    KvCache cache(decoder->config(), 2, 40);
    cache.add_group(2, sequence.prompt_length);
    const Tensor ids = at::tensor(std::vector<std::int64_t>(sequence.ids.begin(), sequence.ids.end()), at::kLong);
    Tensor h = decoder->prefill(ids.narrow(0, 0, sequence.prompt_length), cache, nullptr, still).expand({2, -1});
    std::vector<double> ours;
    for (std::int64_t at = sequence.prompt_length; at < ids.size(0); ++at) {
        const Tensor rows = at::log_softmax(decoder->logits(h, nullptr), 1);   // (2, V)
        ours.push_back(rows[1][ids[at].item<std::int64_t>()].item<double>());
        h = decoder->step(ids.narrow(0, at, 1).expand({2}).contiguous(), cache, nullptr);
    }
    EXPECT_LT(difference(at::tensor(ours, at::kDouble), row_.at("logprobs")), tolerance);
}

TEST_P(Families, SharedPromptsEqualSingleOnes) {
    at::NoGradGuard no_grad;
    const auto decoder = open(file_of(row_.at("folder")));
    const std::vector<Sequence> twice(2, sequence_of(row_));
    const PackedBatch batch = pack(twice, Prompts::shared);
    const Tensor both = policy_logprobs(*decoder, nullptr, batch, {}, 1.0, still);
    for (int i = 0; i < 2; ++i) {
        const Tensor one = both.slice(0, batch.reply_starts[static_cast<std::size_t>(i)],
                                      batch.reply_starts[static_cast<std::size_t>(i) + 1]);
        EXPECT_LT(difference(one, row_.at("logprobs")), tolerance);
    }
}

TEST_P(Families, AllWeightsStartAsTheModelAndTrain) {
    const auto decoder = open(file_of(row_.at("folder")));
    FullWeights weights = FullWeights::of(*decoder);
    std::int64_t entries = 0;
    for (const Tensor& t : weights.tensors()) {
        entries += t.numel();
    }
    EXPECT_EQ(entries, decoder->config().parameters());
    weights.require_grad(true);
    const Tensor sum = logprobs(*decoder, &weights, row_);
    EXPECT_LT(difference(sum, row_.at("logprobs")), tolerance);
    sum.sum().backward();
    const std::vector<std::string> names = weights.tensor_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_TRUE(weights.tensors()[i].grad().defined()) << names[i];
    }
}

TEST_P(Families, LowRankWeightsTrainInEveryLayer) {
    const auto decoder = open(file_of(row_.at("folder")));
    LoraConfig config;
    config.lora_first_block = 0;
    LoraAdapter adapter = LoraAdapter::fresh(decoder->config(), config, 1);
    EXPECT_LT(difference(logprobs(*decoder, &adapter, row_), row_.at("logprobs")), tolerance) << "B is 0 at first";
    adapter.require_grad(true);
    logprobs(*decoder, &adapter, row_).sum().backward();
    const std::vector<std::string> names = adapter.tensor_names();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool is_b = names[i].ends_with("lora_B");
        EXPECT_EQ(adapter.tensors()[i].grad().abs().max().item<double>() > 0, is_b) << names[i];
    }
}

TEST_P(Families, AdaptersOfPeftGiveItsLogprobsAndGradients) {
    if (!row_.contains("adapter")) {
        GTEST_SKIP() << "no adapter was made for it";
    }
    const auto decoder = open(file_of(row_.at("folder")));
    const PeftAdapter peft = read_peft(file_of(row_.at("adapter")));
    LoraAdapter adapter = LoraAdapter::from_peft(decoder->config(), peft);
    adapter.require_grad(true);
    const Tensor ours = logprobs(*decoder, &adapter, row_);
    EXPECT_LT(difference(ours, row_.at("adapter_logprobs")), tolerance);
    EXPECT_GT(difference(ours, row_.at("logprobs")), 100 * tolerance) << "the adapter matters";
    ours.sum().backward();
    if (GetParam() == "llama") {
        return;   // ranks that differ are filled up, so that gradients are others
    }
    PeftAdapter written;
    adapter.to_peft(written);
    const std::vector<Tensor> weights = adapter.tensors();
    const std::vector<std::string> names = adapter.tensor_names();
    std::size_t compared = 0;
    for (const auto& [path, expected] : row_.at("gradients").items()) {
        const std::string at_block = path.substr(path.find_first_of("0123456789"));   // "3.attn.c_attn.lora_A"
        for (std::size_t i = 0; i < names.size(); ++i) {
            const std::string own = names[i].substr(names[i].find('.') + 1);           // "3.c_attn.lora_A"
            const std::string block = own.substr(0, own.find('.') + 1), rest = own.substr(own.find('.'));
            if (!at_block.starts_with(block) || !at_block.ends_with(rest)) {
                continue;
            }
            const Tensor gradient = weights[i].grad();
            const double norm = expected.at(0).get<double>(), sum = expected.at(1).get<double>();
            EXPECT_NEAR(gradient.norm().item<double>(), norm, 1e-4 * norm + 1e-4) << path;
            EXPECT_NEAR(gradient.sum().item<double>(), sum, 1e-3 * norm + 1e-4) << path;
            ++compared;
        }
    }
    EXPECT_EQ(compared, row_.at("gradients").size());
    for (const auto& [path, matrix] : peft.lora) {
        EXPECT_EQ(written.lora.at(path).values, matrix.values) << path;
    }
}

TEST_P(Families, Bf16IsNear) {
    at::NoGradGuard no_grad;
    const Tensor ours = logprobs(*open(file_of(row_.at("folder")), Precision::bf16), nullptr, row_);
    const Tensor expected = at::tensor(row_.at("logprobs").get<std::vector<double>>(), at::kDouble);
    EXPECT_LT((ours.to(at::kDouble) - expected).abs().median().item<double>(), 0.05);
}

std::vector<std::string> names() {
    std::vector<std::string> out;
    const nlohmann::json golden = golden_json("families.json");
    for (const auto& [name, row] : golden.at("models").items()) {
        out.push_back(name);
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(All, Families, ::testing::ValuesIn(names()), [](const auto& one) { return one.param; });

TEST(FamilyCatalogue, EveryFamilyIsTried) {
    std::set<std::string_view> tried;
    const nlohmann::json golden = golden_json("families.json");
    for (const auto& [name, row] : golden.at("models").items()) {
        tried.insert(ModelFiles(file_of(row.at("folder"))).config().family);
    }
    for (const Family& family : families()) {
        EXPECT_TRUE(tried.contains(family.name)) << family.name;
    }
}

}  // namespace
}  // namespace plumbline
