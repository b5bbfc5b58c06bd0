// Every family written as a folder and as GGUF, with and without an adapter, against transformers, peft and the `gguf`
// package: what tests/golden/make_families.py made.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/api/errors.h"
#include "core/formats/folder_export.h"
#include "core/formats/gguf_export.h"
#include "core/formats/json_file.h"
#include "core/formats/peft.h"
#include "core/formats/weight_shards.h"
#include "core/model/read_decoder.h"
#include "core/training/policy.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using nlohmann::json;
using testing::TempFolder;

constexpr double tolerance = 1e-4;
constexpr std::uint64_t one_shard = 1u << 30;
const auto ignore = [](double) {};

std::filesystem::path file_of(const json& name) {
    return testing::golden_path("families") / name.get<std::string>();
}

std::vector<float> values_of(const GgufTensor& tensor) {
    std::vector<float> out(static_cast<std::size_t>(tensor.elements));
    dequantize(tensor, out);
    return out;
}

std::map<std::string, const GgufTensor*> by_name(const std::vector<GgufTensor>& tensors) {
    std::map<std::string, const GgufTensor*> out;
    for (const GgufTensor& tensor : tensors) {
        out.emplace(tensor.name, &tensor);
    }
    return out;
}

/// The same names, shapes and values.
void expect_same(const std::vector<GgufTensor>& written, const std::vector<GgufTensor>& golden, float within) {
    const auto ours = by_name(written), theirs = by_name(golden);
    for (const auto& [name, tensor] : theirs) {
        ASSERT_TRUE(ours.contains(name)) << name << " is missing";
        EXPECT_EQ(ours.at(name)->shape, tensor->shape) << name;
        const std::vector<float> a = values_of(*ours.at(name)), b = values_of(*tensor);
        for (std::size_t i = 0; i < a.size(); ++i) {
            ASSERT_NEAR(a[i], b[i], within) << name << " " << i;
        }
    }
    EXPECT_EQ(ours.size(), theirs.size());
}

double apart(const std::filesystem::path& model, const json& row, const char* key) {
    at::NoGradGuard no_grad;
    at::set_num_threads(1);
    const auto decoder = read_decoder(ModelFiles(model), Precision::f32, testing::still, {});
    const Sequence sequence{row.at("ids").get<std::vector<int>>(), row.at("prompt").get<int>()};
    const at::Tensor ours = policy_logprobs(*decoder, nullptr, pack({&sequence, 1}), {}, 1.0, testing::still);
    const at::Tensor theirs = at::tensor(row.at(key).get<std::vector<double>>(), at::kDouble);
    return (ours.to(at::kDouble) - theirs).abs().max().item<double>();
}

class Exports : public ::testing::TestWithParam<std::string> {
  protected:
    const json golden_ = testing::golden_json("families.json");
    const json& row_ = golden_.at("models").at(GetParam());
    const TempFolder folder_;
};

TEST_P(Exports, FolderToFolderIsTheSameFile) {
    const std::filesystem::path source = file_of(row_.at("folder"));
    const ModelFiles model(source);
    const WrittenModel written =
        write_folder(model, MergedWeights(model, nullptr), GgufType::f32, folder_ / "out", one_shard, ignore);
    const WeightShards ours(folder_ / "out"), theirs(source);
    expect_same(ours.tensors(), theirs.tensors(), 1e-6f);   // Gemma's norms had 1 added and taken away
    EXPECT_EQ(written.tensors, static_cast<std::int64_t>(ours.tensors().size()));
    json config = read_json_object(folder_ / "out" / "config.json", "t", 1 << 20);
    json before = read_json_object(source / "config.json", "t", 1 << 20);
    EXPECT_EQ(config["dtype"], "float32");
    for (const char* key : {"dtype", "torch_dtype"}) {
        config.erase(key);
        before.erase(key);
    }
    EXPECT_EQ(config, before);
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "tokenizer.json"));
}

TEST_P(Exports, GgufBecomesTheFolderThatItWasMadeFrom) {
    if (!row_.contains("gguf")) {
        GTEST_SKIP() << "llama.cpp has no such model";
    }
    const ModelFiles model(file_of(row_.at("gguf")));
    write_folder(model, MergedWeights(model, nullptr), GgufType::f32, folder_ / "out", one_shard, ignore);
    const WeightShards ours(folder_ / "out"), theirs(file_of(row_.at("folder")));
    expect_same(ours.tensors(), theirs.tensors(), 1e-6f);
    EXPECT_LT(apart(folder_ / "out", row_, "logprobs"), tolerance);
    // What the reference wrote of what we write, scaled positions apart: GGUF has them worked out.
    const json config = read_json_object(folder_ / "out" / "config.json", "t", 1 << 20);
    const json golden = read_json_object(file_of(row_.at("folder")) / "config.json", "t", 1 << 20);
    for (const char* key : {"model_type", "architectures", "vocab_size", "hidden_size", "num_hidden_layers",
                            "num_attention_heads", "num_key_value_heads", "intermediate_size", "tie_word_embeddings",
                            "n_embd", "n_layer", "n_head", "n_positions", "layer_types", "sliding_window"}) {
        if (config.contains(key) && golden.contains(key) && !golden.at(key).is_null()) {
            EXPECT_EQ(config.at(key), golden.at(key)) << key;
        }
    }
}

TEST_P(Exports, FolderBecomesGgufAsTheReferenceWritesIt) {
    const ModelFiles model(file_of(row_.at("folder")));
    const std::filesystem::path out = folder_ / "out.gguf";
    if (!row_.contains("gguf")) {
        GTEST_SKIP() << "there is no reference file";
    }
    write_gguf(model, MergedWeights(model, nullptr), GgufType::f32, "t", out, ignore);
    const GgufFile ours(out), theirs(file_of(row_.at("gguf")));
    expect_same(ours.tensors(), theirs.tensors(), 1e-6f);
    for (const auto& [key, value] : theirs.metadata()) {
        if (key != "general.name") {
            ASSERT_TRUE(ours.metadata().contains(key)) << key;
            EXPECT_TRUE(ours.metadata().at(key) == value) << key;
        }
    }
    EXPECT_LT(apart(out, row_, "logprobs"), tolerance);
}

TEST_P(Exports, MergedModelsScoreAsPeftDoes) {
    if (!row_.contains("adapter")) {
        GTEST_SKIP() << "no adapter was made";
    }
    const ModelFiles model(file_of(row_.at("folder")));
    const PeftAdapter adapter = read_peft(file_of(row_.at("adapter")));
    const MergedWeights merged(model, &adapter);
    write_folder(model, merged, GgufType::f32, folder_ / "out", 20'000, ignore);   // several shards
    EXPECT_TRUE(std::filesystem::exists(folder_ / "out" / "model.safetensors.index.json"));
    EXPECT_LT(apart(folder_ / "out", row_, "adapter_logprobs"), tolerance);
    EXPECT_GT(apart(folder_ / "out", row_, "logprobs"), 100 * tolerance) << "without the adapter it would differ";
    if (row_.contains("gguf")) {
        write_gguf(model, merged, GgufType::f32, "t", folder_ / "out.gguf", ignore);
        EXPECT_LT(apart(folder_ / "out.gguf", row_, "adapter_logprobs"), tolerance);
        const ModelFiles twin(file_of(row_.at("gguf")));
        write_gguf(twin, MergedWeights(twin, &adapter), GgufType::f32, "t", folder_ / "twin.gguf", ignore);
        EXPECT_LT(apart(folder_ / "twin.gguf", row_, "adapter_logprobs"), tolerance);
    }
}

std::vector<std::string> names() {
    std::vector<std::string> out;
    const json golden = testing::golden_json("families.json");
    for (const auto& [name, row] : golden.at("models").items()) {
        out.push_back(name);
    }
    return out;
}
INSTANTIATE_TEST_SUITE_P(All, Exports, ::testing::ValuesIn(names()), [](const auto& p) { return p.param; });

// Gemma 3 in other sizes than the golden ones: what GGUF has no key for is taken from the family.
class GemmaExport : public ::testing::Test {
  protected:
    GemmaExport() {
        std::filesystem::copy(testing::golden_path("families/gemma3_usual"), folder_ / "gemma",
                              std::filesystem::copy_options::recursive);
    }
    /// Of the file that it is written as.
    DecoderConfig as_gguf(const std::function<void(json&)>& change) const {
        json config = read_json_object(testing::golden_path("families/gemma3_usual") / "config.json", "t", 1 << 20);
        change(config);
        testing::write_whole(folder_ / "gemma" / "config.json", config.dump());
        const ModelFiles model(folder_ / "gemma");
        write_gguf(model, MergedWeights(model, nullptr), GgufType::f32, "t", folder_ / "out.gguf", ignore);
        return ModelFiles(folder_ / "out.gguf").config();
    }
    const TempFolder folder_;
};

TEST_F(GemmaExport, KeepsStretchedPositionsOfTheBlocksThatSeeEverything) {
    const DecoderConfig c = as_gguf([](json& config) {
        config["rope_parameters"]["full_attention"]["rope_type"] = "linear";
        config["rope_parameters"]["full_attention"]["factor"] = 8.0;
    });
    EXPECT_EQ(c.rope.factors, std::vector<double>(c.rope.factors.size(), 8.0));
    EXPECT_FALSE(c.rope.factors.empty());
    EXPECT_TRUE(c.local_rope.factors.empty());
}

TEST_F(GemmaExport, KeepsWhichBlocksSeeEverything) {
    const auto windows = [&](std::vector<std::string> kinds) {
        std::string out;
        const DecoderConfig c = as_gguf([&](json& config) { config["layer_types"] = kinds; });
        for (int block = 0; block < c.blocks; ++block) {
            out += c.positions_of(block).window > 0 ? 's' : 'f';
        }
        return out;
    };
    const std::string s = "sliding_attention", f = "full_attention";
    EXPECT_EQ(windows({s, s, s, s, s, f}), "sssssf");
    EXPECT_EQ(windows({s, s, f, s, s, f}), "ssfssf");
    EXPECT_EQ(windows({s, s, s, s, s, s}), "ssssss");
    EXPECT_THROW(windows({s, f, f, s, s, f}), Error);
}

TEST_F(GemmaExport, RefusesAScaleThatIsNotTheFamilys) {
    EXPECT_THROW(as_gguf([](json& config) { config["query_pre_attn_scalar"] = 10; }), Error);
}

class Export : public ::testing::Test {
  protected:
    const ModelFiles model_{testing::golden_path("tiny_llama.gguf")};
    const MergedWeights weights_{model_, nullptr};
    const TempFolder folder_;
};

TEST_F(Export, AFileThatIsCopiedHasEveryValueAndSetting) {
    write_gguf(model_, weights_, GgufType::f32, "copy", folder_ / "out.gguf", ignore);
    const GgufFile ours(folder_ / "out.gguf"), theirs(testing::golden_path("tiny_llama.gguf"));
    expect_same(ours.tensors(), theirs.tensors(), 0);
    for (const auto& [key, value] : theirs.metadata()) {
        const auto written = ours.stored(key), stored = theirs.stored(key);
        if (key != "general.name" && key != "general.file_type" && key != "general.quantization_version") {
            EXPECT_TRUE(std::equal(written.begin(), written.end(), stored.begin(), stored.end())) << key;
        }
    }
    EXPECT_EQ(ours.text("general.name"), "copy");
}

TEST_F(Export, WhatEndsATurnGoesAlong) {
    std::filesystem::copy(testing::golden_path("families/llama"), folder_ / "chat");
    json settings = read_json_object(folder_ / "chat" / "tokenizer_config.json", "t", 1 << 20);
    settings["chat_template"] = "{% for m in messages %}{{ m.content }}<pad>{% endfor %}"
                                "{% if add_generation_prompt %}>{% endif %}";
    std::ofstream(folder_ / "chat" / "tokenizer_config.json") << settings;
    const ModelFiles chat(folder_ / "chat");
    const auto tokenizer = chat.tokenizer();
    EXPECT_EQ(tokenizer->ends(), std::vector<int>{tokenizer->eos()});   // no file names it but the template
    write_gguf(chat, MergedWeights(chat, nullptr), GgufType::f32, "t", folder_ / "chat.gguf", ignore);
    const ModelFiles in_gguf(folder_ / "chat.gguf");
    const std::vector<int> both = {tokenizer->pad(), tokenizer->eos()};
    EXPECT_EQ(in_gguf.tokenizer()->ends(), both);
    EXPECT_EQ(in_gguf.tokenizer()->eos(), tokenizer->eos());
    write_folder(in_gguf, MergedWeights(in_gguf, nullptr), GgufType::f32, folder_ / "back", one_shard, ignore);
    EXPECT_EQ(ModelFiles(folder_ / "back").tokenizer()->ends(), both);
}

TEST_F(Export, WhatEndsATurnIsThatOfATemplateOfOnesOwn) {
    const std::string own = "{% for m in messages %}{{ m.content }}<s>{% endfor %}{% if add_generation_prompt %}>{% endif %}";
    for (const char* name : {"llama", "llama.gguf"}) {
        const ModelFiles model(testing::golden_path("families") / name);
        const auto tokenizer = model.tokenizer();
        std::vector<int> both = {tokenizer->bos(), tokenizer->eos()};
        write_gguf(model, MergedWeights(model, nullptr), GgufType::f32, "t", folder_ / "own.gguf", ignore, own);
        EXPECT_EQ(ModelFiles(folder_ / "own.gguf").tokenizer()->ends(), both) << name;
        const auto out = folder_ / (std::string(name) + "-own");
        write_folder(model, MergedWeights(model, nullptr), GgufType::f32, out, one_shard, ignore, own);
        EXPECT_EQ(ModelFiles(out).tokenizer()->ends(), both) << name;
        EXPECT_EQ(ModelFiles(out).tokenizer()->eos(), tokenizer->eos()) << name;
    }
}

// A step of Q8_0 is the largest value of a block / 127, of Q4_1 the range / 15; a half of it is the most that is lost.
TEST_F(Export, QuantisedFilesKeepToTheirSteps) {
    const auto worst = [&](GgufType type) {
        const std::filesystem::path out = folder_ / "out.gguf";
        write_gguf(model_, weights_, type, "t", out, ignore);
        const ModelFiles written(out);
        float largest = 0, worst_of_all = 0;
        for (const Part part : {Part::q, Part::down, Part::gate}) {
            const TensorShape shape = shape_of(model_.config(), part, false);
            std::vector<float> a(static_cast<std::size_t>(shape.rows * shape.columns)), b(a.size());
            model_.read({part, 0, false}, 0, a);
            written.read({part, 0, false}, 0, b);
            for (std::size_t i = 0; i < a.size(); ++i) {
                largest = std::max(largest, std::abs(a[i]));
                worst_of_all = std::max(worst_of_all, std::abs(a[i] - b[i]));
            }
        }
        return worst_of_all / largest;
    };
    EXPECT_LE(worst(GgufType::f16), 0x1p-11f);
    EXPECT_LE(worst(GgufType::q8_0), 0.5f / 127 * 1.01f);
    EXPECT_LE(worst(GgufType::q4_1), 1.0f / 15 * 1.01f);
    EXPECT_GT(worst(GgufType::q4_1), 0.5f / 127 * 1.01f) << "fewer bits show";
}

TEST_F(Export, StoppedItLeavesNothing) {
    const auto stop = [](double share) {
        if (share > 0.5) {
            throw Stopped();
        }
    };
    EXPECT_THROW(write_gguf(model_, weights_, GgufType::f16, "t", folder_ / "out.gguf", stop), Stopped);
    EXPECT_THROW(write_folder(model_, weights_, GgufType::f32, folder_ / "out", one_shard, stop), Stopped);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Export, KeepsWhatIsInAFolderThatIsNotEmpty) {
    std::filesystem::create_directory(folder_ / "out");
    write_folder(model_, weights_, GgufType::f32, folder_ / "out", one_shard, ignore);
    try {
        write_folder(model_, weights_, GgufType::f32, folder_ / "out", one_shard, ignore);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("is there and not empty; choose a new folder"), std::string::npos);
    }
    EXPECT_LT(std::filesystem::file_size(folder_ / "out" / "config.json"), 4096u);
}

TEST_F(Export, RefusesTheAdapterOfAnotherModel) {
    PeftAdapter adapter = read_peft(testing::golden_path("tiny_adapter"));
    EXPECT_NO_THROW(MergedWeights(model_, &adapter));
    adapter.lora["model.layers.0.mlp.other.lora_A"] = {{8, 4}, std::vector<float>(32)};
    EXPECT_THROW(MergedWeights(model_, &adapter), Error);
}

}  // namespace
}  // namespace plumbline
