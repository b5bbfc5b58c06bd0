#include "core/formats/peft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "core/formats/safetensors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using nlohmann::json;
using testing::TempFolder;

void copy_adapter(const std::string& golden, const TempFolder& folder) {
    std::filesystem::copy(testing::golden_path(golden), folder.path(),
                          std::filesystem::copy_options::recursive);
}

void expect_same(const PeftAdapter& a, const PeftAdapter& b) {
    EXPECT_EQ(a.rank, b.rank);
    EXPECT_EQ(a.alpha, b.alpha);
    EXPECT_EQ(a.rslora, b.rslora);
    EXPECT_EQ(a.task_type, b.task_type);
    EXPECT_EQ(a.base_model, b.base_model);
    EXPECT_EQ(a.target_modules, b.target_modules);
    EXPECT_EQ(a.layers_to_transform, b.layers_to_transform);
    for (const auto& [mine, theirs] : {std::pair(&a.lora, &b.lora), std::pair(&a.saved, &b.saved)}) {
        ASSERT_EQ(mine->size(), theirs->size());
        for (const auto& [key, matrix] : *mine) {
            ASSERT_TRUE(theirs->contains(key)) << key;
            EXPECT_EQ(matrix.shape, theirs->at(key).shape) << key;
            EXPECT_EQ(matrix.values, theirs->at(key).values) << key;
        }
    }
}

TEST(Peft, ReadsACausalAdapterOfPeft) {
    const PeftAdapter adapter = read_peft(testing::golden_path("tiny_adapter"));
    EXPECT_EQ(adapter.rank, 8);
    EXPECT_EQ(adapter.alpha, 16);
    EXPECT_FALSE(adapter.rslora);
    EXPECT_EQ(adapter.task_type, "CAUSAL_LM");
    EXPECT_EQ(adapter.target_modules, (std::vector<std::string>{"down_proj", "gate_proj", "k_proj", "o_proj",
                                                                "q_proj", "up_proj", "v_proj"}));
    EXPECT_TRUE(adapter.layers_to_transform.empty());
    EXPECT_EQ(adapter.lora.size(), 4u * 7 * 2);
    const PeftMatrix& a = adapter.lora.at("model.layers.3.mlp.down_proj.lora_A");
    EXPECT_EQ(a.shape, (std::vector<std::int64_t>{8, 128}));
    const PeftMatrix& b = adapter.lora.at("model.layers.3.self_attn.k_proj.lora_B");
    EXPECT_EQ(b.shape, (std::vector<std::int64_t>{32, 8}));
    EXPECT_EQ(b.values.size(), 256u);
    EXPECT_TRUE(adapter.saved.empty());
}

TEST(Peft, ReadsARewardAdapterOfPeft) {
    const PeftAdapter adapter = read_peft(testing::golden_path("tiny_reward_adapter"));
    EXPECT_EQ(adapter.task_type, "SEQ_CLS");
    ASSERT_EQ(adapter.saved.size(), 1u);
    EXPECT_EQ(adapter.saved.at("score.weight").shape, (std::vector<std::int64_t>{1, 64}));
}

TEST(Peft, GivesBackWhatWasWritten) {
    for (const char* name : {"tiny_adapter", "tiny_reward_adapter"}) {
        PeftAdapter adapter = read_peft(testing::golden_path(name));
        adapter.base_model = "a model";
        const TempFolder folder;
        write_peft(folder / "new/adapter", adapter);
        expect_same(read_peft(folder / "new/adapter"), adapter);

        // What peft itself wrote has the same tensors under the same names, and the settings that it reads.
        const SafetensorsFile ours(folder / "new/adapter/adapter_model.safetensors");
        const SafetensorsFile theirs(testing::golden_path(std::string(name) + "/adapter_model.safetensors"));
        ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
        for (const auto& [key, tensor] : theirs.tensors()) {
            ASSERT_TRUE(ours.tensors().contains(key)) << key;
            EXPECT_EQ(as_floats(ours.tensors().at(key)), as_floats(tensor)) << key;
        }
        const json written = json::parse(testing::read_whole(folder / "new/adapter/adapter_config.json"));
        const json golden = testing::golden_json(std::string(name) + "/adapter_config.json");
        for (const char* key : {"r", "lora_alpha", "peft_type", "task_type", "bias", "use_dora", "use_rslora",
                                "target_modules", "layers_to_transform", "fan_in_fan_out", "rank_pattern"}) {
            EXPECT_EQ(written.at(key), golden.at(key)) << key;
        }
        EXPECT_EQ(written.at("modules_to_save").is_null(), adapter.saved.empty());
    }
}

TEST(Peft, KeepsTheBlocksOfAPartialAdapter) {
    PeftAdapter adapter = read_peft(testing::golden_path("tiny_adapter"));
    std::erase_if(adapter.lora, [](const auto& entry) { return entry.first < "model.layers.2"; });
    adapter.layers_to_transform = {2, 3};
    const TempFolder folder;
    write_peft(folder.path(), adapter);
    expect_same(read_peft(folder.path()), adapter);

    // Without the list in the configuration the tensors tell.
    json config = json::parse(testing::read_whole(folder / "adapter_config.json"));
    config["layers_to_transform"] = nullptr;
    testing::write_whole(folder / "adapter_config.json", config.dump());
    EXPECT_EQ(read_peft(folder.path()).layers_to_transform, (std::vector<int>{2, 3}));
    config["layers_to_transform"] = 3;
    testing::write_whole(folder / "adapter_config.json", config.dump());
    EXPECT_THROW(read_peft(folder.path()), Error);
}

std::string error_of(const TempFolder& folder) {
    try {
        read_peft(folder.path());
        return "";
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).rfind("read adapter: ", 0), 0u) << error.what();
        return error.what();
    }
}

TEST(Peft, RefusesSettingsByName) {
    const std::vector<std::pair<std::string, json>> settings = {
        {"use_dora", true},
        {"bias", "all"},
        {"lora_bias", true},
        {"rank_pattern", {{"q_proj", "4"}}},
        {"rank_pattern", json::array({4})},
        {"alpha_pattern", {{"q_proj", -4}}},
        {"alpha_pattern", {{".*q_proj", 4}}},
        {"peft_type", "IA3"},
        {"layer_replication", json::array({json::array({0, 4})})},
        {"target_parameters", json::array({"x"})},
        {"trainable_token_indices", json::array({1})},
        {"task_type", "TOKEN_CLS"},
        {"init_lora_weights", "pissa_niter_4"},
        {"use_qalora", true},
        {"alora_invocation_tokens", json::array({1})},
        {"a_setting_of_the_future", 1},
        {"r", 0},
        {"r", "8"},
        {"r", 1e9},
        {"lora_alpha", nullptr},
        {"use_rslora", "yes"},
        {"layers_to_transform", -1},
        {"layers_to_transform", json::array({0})},
        {"target_modules", json::array({"q_proj", "c_fc"})}};
    for (const auto& [key, value] : settings) {
        const TempFolder folder;
        copy_adapter("tiny_adapter", folder);
        json config = json::parse(testing::read_whole(folder / "adapter_config.json"));
        config[key] = value;
        testing::write_whole(folder / "adapter_config.json", config.dump());
        const std::string error = error_of(folder);
        const std::string named = key == "target_modules" ? "c_fc" : key;
        EXPECT_NE(error.find(named), std::string::npos) << key << " " << value << ": " << error;
    }
    const TempFolder folder;
    copy_adapter("tiny_adapter", folder);
    json config = json::parse(testing::read_whole(folder / "adapter_config.json"));
    for (const auto& [key, value] : std::vector<std::pair<std::string, json>>{
             {"lora_dropout", 0.1},
             {"a_setting_of_the_future", nullptr},
             {"init_lora_weights", "gaussian"},
             {"fan_in_fan_out", true},
             {"rank_pattern", {{"q_proj", 8}}},
             {"alpha_pattern", {{"^model.layers.0.self_attn.q_proj", 4}}},
             {"target_modules", ".*proj"},
             {"target_modules", json::array({"model.layers.0.self_attn.q_proj"})}}) {
        config[key] = value;
        testing::write_whole(folder / "adapter_config.json", config.dump());
        EXPECT_EQ(error_of(folder), "") << key;
    }
}

// What rank_pattern says must be what the matrices have; alpha_pattern makes one B larger than the others.
TEST(Peft, TakesPatternsOfRankAndAlphaIn) {
    const TempFolder folder;
    copy_adapter("tiny_adapter", folder);
    const json original = json::parse(testing::read_whole(folder / "adapter_config.json"));
    const auto with = [&](const char* key, const json& value) {
        json config = original;
        config[key] = value;
        testing::write_whole(folder / "adapter_config.json", config.dump());
    };
    with("rank_pattern", {{"layers.0.self_attn.q_proj", 4}});
    EXPECT_NE(error_of(folder).find("q_proj.lora_A has rank 8 where r is 4"), std::string::npos) << error_of(folder);

    const std::string b = "model.layers.0.self_attn.q_proj.lora_B", other = "model.layers.1.self_attn.q_proj.lora_B";
    const PeftAdapter plain = read_peft(testing::golden_path("tiny_adapter"));
    with("alpha_pattern", {{"layers.0.self_attn.q_proj", 3 * plain.alpha}});
    const PeftAdapter changed = read_peft(folder.path());
    EXPECT_EQ(changed.rank, plain.rank);
    EXPECT_DOUBLE_EQ(changed.alpha, plain.alpha);
    EXPECT_EQ(changed.lora.at(other).values, plain.lora.at(other).values);
    for (std::size_t i = 0; i < plain.lora.at(b).values.size(); ++i) {
        EXPECT_FLOAT_EQ(changed.lora.at(b).values[i], 3 * plain.lora.at(b).values[i]);
    }
}

/// The adapter with its tensors changed.
std::string error_after(const std::string& golden,
                        const std::function<void(std::map<std::string, SafeTensor>&)>& change) {
    const TempFolder folder;
    copy_adapter(golden, folder);
    const SafetensorsFile file(testing::golden_path(golden + "/adapter_model.safetensors"));
    std::map<std::string, SafeTensor> tensors = file.tensors();
    change(tensors);
    write_safetensors(folder / "adapter_model.safetensors", tensors);
    return error_of(folder);
}

TEST(Peft, NamesTensorsThatDoNotFit) {
    const std::string a = "base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight";
    const std::string b = "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight";
    const std::string score = "base_model.model.score.weight";
    using Tensors = std::map<std::string, SafeTensor>;
    const auto expect = [](const std::string& error, const std::string& part) {
        EXPECT_NE(error.find(part), std::string::npos) << part << "\ngot: " << error;
    };
    EXPECT_EQ(error_after("tiny_adapter", [](Tensors&) {}), "");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t.erase(b); }),
           "layers.1.self_attn.q_proj.lora_B is missing");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t.erase(a); }),
           "layers.1.self_attn.q_proj.lora_A is missing");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t.clear(); }), "no LoRA matrices");
    expect(error_after("tiny_adapter",
                       [&](Tensors& t) {
                           t[a].shape = {64, 8};
                       }),
           "has rank 64 where r is 8");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t[a].shape = {512}; }), "is not a matrix");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t["base_model.model.lm_head.weight"] = t[a]; }),
           "lm_head");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t[score] = t[a]; }), "score");
    expect(error_after("tiny_adapter", [&](Tensors& t) { t["x.lora_A.weight"] = t[a]; }),
           "'x.lora_A.weight'");
    for (const char* path : {"layers.q", "model.layers.x.q", "model.layers.-1.q", "model.layers.99999.q",
                             "model.layers.1", "model.layers.99999999999999999999.q"}) {
        const std::string key = "base_model.model." + std::string(path) + ".lora_A.weight";
        expect(error_after("tiny_adapter", [&](Tensors& t) { t[key] = t[a]; }), "not supported");
    }
    expect(error_after(
               "tiny_adapter",
               [&](Tensors& t) {
                   t["base_model.model.model.layers.1.self_attn.q_proj.lora_magnitude_vector.weight"] = t[a];
               }),
           "lora_magnitude_vector");
    expect(error_after("tiny_reward_adapter", [&](Tensors& t) { t.erase(score); }), "score head");
    expect(error_after("tiny_reward_adapter",
                       [&](Tensors& t) {
                           t[score].shape = {64, 1};
                       }),
           "has 64 outputs");
    const std::vector<float> broken(512, std::nanf(""));
    expect(error_after("tiny_adapter", [&](Tensors& t) { t[a].data = std::as_bytes(std::span(broken)); }),
           "not finite");
}

TEST(Peft, SaysWhatIsWrongWithTheFolder) {
    const TempFolder folder;
    EXPECT_NE(error_of(folder).find("adapter_config.json"), std::string::npos);
    testing::write_whole(folder / "adapter_config.json", "[1]");
    EXPECT_NE(error_of(folder).find("not a JSON object"), std::string::npos);
    testing::write_whole(folder / "adapter_config.json", "{\"peft_type\":");
    EXPECT_NE(error_of(folder).find("not valid JSON"), std::string::npos);
    std::filesystem::copy_file(testing::golden_path("tiny_adapter/adapter_config.json"),
                               folder / "adapter_config.json",
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_NE(error_of(folder).find("adapter_model.safetensors"), std::string::npos);
    testing::write_whole(folder / "adapter_model.safetensors", "x");
    EXPECT_NE(error_of(folder).find("adapter_model.safetensors"), std::string::npos);
    EXPECT_THROW(read_peft(folder / "adapter_config.json"), Error);
}

}  // namespace
}  // namespace plumbline
