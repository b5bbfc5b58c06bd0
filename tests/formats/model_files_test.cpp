#include "core/formats/model_files.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/api/errors.h"
#include "core/formats/safetensors.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string text_of(const fs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file, std::ios::binary).rdbuf();
    return out.str();
}

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

/// A copy of a golden folder, to be damaged.
class ModelFolder : public ::testing::Test {
  protected:
    fs::path copy_of(const std::string& name) {
        const fs::path out = folder_ / name;
        fs::copy(testing::golden_path("families") / name, out, fs::copy_options::recursive);
        return out;
    }

    static void change_json(const fs::path& file, const std::function<void(json&)>& change) {
        json values = json::parse(text_of(file));
        change(values);
        write(file, values.dump());
    }

    /// The folder's one weights file with a tensor's bytes or shape changed.
    static void change_tensors(const fs::path& folder,
                               const std::function<void(std::map<std::string, SafeTensor>&)>& change) {
        const fs::path file = folder / "model.safetensors", fresh = folder / "fresh";
        {
            const SafetensorsFile original(file);
            std::map<std::string, SafeTensor> tensors = original.tensors();
            change(tensors);
            write_safetensors(fresh, tensors);
        }
        fs::rename(fresh, file);
    }

    static void expect_error(const fs::path& path, const std::vector<std::string>& parts) {
        try {
            const ModelFiles files(path);
            std::vector<float> out(4);
            FAIL() << "it was opened";
        } catch (const Error& error) {
            const std::string what = error.what();
            EXPECT_TRUE(what.starts_with("open model: ")) << what;
            for (const std::string& part : parts) {
                EXPECT_NE(what.find(part), std::string::npos) << what << "\n  lacks " << part;
            }
        }
    }

    testing::TempFolder folder_;
};

TEST_F(ModelFolder, TellsWhatItIs) {
    const ModelFiles files(copy_of("llama"));
    EXPECT_EQ(files.config().family, "llama");
    EXPECT_EQ(files.config().hidden, 32);
    EXPECT_EQ(files.main_type(), "BF16");
    EXPECT_EQ(files.title(), "llama");
    EXPECT_EQ(files.gguf(), nullptr);
    EXPECT_EQ(files.identity().size(), 64u);
    EXPECT_GT(files.bytes(), 0);
    EXPECT_EQ(files.chat_template(), "");
}

TEST_F(ModelFolder, KnowsItselfByEachOfItsFiles) {
    const fs::path folder = copy_of("llama");
    const std::string before = ModelFiles(folder).identity();
    EXPECT_EQ(ModelFiles(folder).identity(), before);
    change_json(folder / "config.json", [](json& config) { config["rms_norm_eps"] = 1e-4; });
    EXPECT_NE(ModelFiles(folder).identity(), before);
}

TEST_F(ModelFolder, FindsTheChatTemplate) {
    const fs::path folder = copy_of("qwen2");
    write(folder / "tokenizer_config.json", R"({"chat_template": [{"name": "tool", "template": "no"},
                                                                  {"name": "default", "template": "yes"}]})");
    EXPECT_EQ(ModelFiles(folder).chat_template(), "yes");
    write(folder / "tokenizer_config.json", R"({"chat_template": "one"})");
    EXPECT_EQ(ModelFiles(folder).chat_template(), "one");
    write(folder / "chat_template.jinja", "a file of its own");
    EXPECT_EQ(ModelFiles(folder).chat_template(), "a file of its own");
}

TEST_F(ModelFolder, ReadsRowsOfEveryLayout) {
    // GPT-NeoX head by head and GPT-2 on its side: a part in pieces is the part as a whole, and GGUF's, part after part.
    for (const char* name : {"gpt_neox", "gpt2", "llama", "phi3_whole"}) {
        const ModelFiles folder(testing::golden_path("families") / name);
        const ModelFiles gguf(testing::golden_path("families") / (std::string(name) + ".gguf"));
        for (const Part part : {Part::q, Part::k, Part::v, Part::down}) {
            const TensorShape shape = shape_of(folder.config(), part, false);
            const auto size = static_cast<std::size_t>(shape.rows * shape.columns);
            std::vector<float> whole(size), pieces(size), theirs(size);
            folder.read({part, 1}, 0, whole);
            gguf.read({part, 1}, 0, theirs);
            const auto first = static_cast<std::size_t>(3 * shape.columns);
            folder.read({part, 1}, 0, std::span(pieces).first(first));
            folder.read({part, 1}, 3, std::span(pieces).subspan(first));
            EXPECT_EQ(pieces, whole) << name;
            EXPECT_EQ(theirs, whole) << name;
        }
    }
}

TEST_F(ModelFolder, ReadsNamesWithAnotherBeginning) {
    const fs::path folder = copy_of("gpt2");   // as the first GPT-2 files had them
    change_tensors(folder, [](auto& tensors) {
        std::map<std::string, SafeTensor> renamed;
        for (const auto& [name, tensor] : tensors) {
            renamed.emplace(name.starts_with("transformer.") ? name.substr(12) : name, tensor);
        }
        tensors = renamed;
    });
    EXPECT_EQ(ModelFiles(folder).stored({Part::positions}).name, "wpe.weight");
}

TEST_F(ModelFolder, NamesWhatIsNotSupported) {
    const fs::path folder = copy_of("llama_linear");
    const auto with = [&](const std::function<void(json&)>& change) {
        fs::copy(testing::golden_path("families") / "llama_linear" / "config.json", folder / "config.json",
                 fs::copy_options::overwrite_existing);
        change_json(folder / "config.json", change);
        return folder;
    };
    expect_error(with([](json& c) { c["model_type"] = "mamba"; }),
                 {"config.json: model_type 'mamba' is not supported", "llama, mistral, qwen2"});
    expect_error(with([](json& c) { c["hidden_act"] = "swiglu2"; }), {"hidden_act \"swiglu2\" is not supported"});
    expect_error(with([](json& c) { c["rope_parameters"]["rope_type"] = "spiral"; }),
                 {"rope_parameters.rope_type \"spiral\" is not supported"});
    expect_error(with([](json& c) { c["quantization_config"] = {{"bits", 4}}; }), {"quantization_config"});
    expect_error(with([](json& c) { c["attention_bias"] = false; }), {"self_attn.k_proj.bias", "is not a part of llama"});
}

TEST_F(ModelFolder, NamesTheDamagedSetting) {
    const fs::path folder = copy_of("llama_linear");
    const fs::path original = testing::golden_path("families") / "llama_linear" / "config.json";
    const auto with = [&](const std::function<void(json&)>& change) {
        fs::copy(original, folder / "config.json", fs::copy_options::overwrite_existing);
        change_json(folder / "config.json", change);
        return folder;
    };
    expect_error(with([](json& c) { c["num_key_value_heads"] = 3; }),
                 {"config.json: num_attention_heads 4 is not a multiple of num_key_value_heads 3"});
    expect_error(with([](json& c) { c["num_hidden_layers"] = 4; }), {"layers.3", "is missing"});
    expect_error(with([](json& c) { c["hidden_size"] = -1; }), {"hidden_size -1 is not 1 to"});
    expect_error(with([](json& c) { c["hidden_size"] = "many"; }), {"hidden_size \"many\""});
    expect_error(with([](json& c) { c.erase("hidden_size"); }), {"hidden_size missing"});
    expect_error(with([](json& c) { c["rms_norm_eps"] = 0; }), {"rms_norm_eps 0 is not a positive number"});
    expect_error(with([](json& c) { c["intermediate_size"] = 1 << 20; }), {"shape"});   // nothing is asked for
    write(folder / "config.json", text_of(original).substr(0, 100));
    expect_error(folder, {"config.json: it is not valid JSON"});
    write(folder / "config.json", "{\"a\": " + std::string(100, '[') + std::string(100, ']') + "}");
    expect_error(folder, {"nested deeper"});
    write(folder / "config.json", R"({"model_type": "llama", "model_type": "opt"})");
    expect_error(folder, {"key 'model_type' stands twice"});
    fs::remove(folder / "config.json");
    expect_error(folder, {"there is no config.json", ".gguf"});
}

TEST_F(ModelFolder, RefusesAScalingThatIsNoNumber) {
    const fs::path folder = copy_of("llama");
    const auto scaled = [&](const json& scaling) {
        change_json(folder / "config.json", [&](json& values) {
            values.erase("rope_parameters");
            values["rope_theta"] = 10000.0;
            values["rope_scaling"] = scaling;
        });
    };
    scaled({{"rope_type", "llama3"}, {"factor", 1e300}, {"original_max_position_embeddings", 1e308}});
    EXPECT_NO_THROW(ModelFiles{folder});
    scaled({{"rope_type", "llama3"}, {"factor", 1e-320}, {"original_max_position_embeddings", 1}});
    expect_error(folder, {"the scaling of its rotary positions divides by"});
    scaled({{"rope_type", "longrope"}, {"short_factor", {1, 1, 1, 1}}, {"original_max_position_embeddings", 1e300}});
    EXPECT_GE(ModelFiles{folder}.config().context, 2);
    scaled({{"rope_type", "longrope"}, {"short_factor", {1, 1, 1, 1}}, {"original_max_position_embeddings", 0.5}});
    expect_error(folder, {"original_max_position_embeddings 0.5 is not supported"});
}

TEST_F(ModelFolder, RefusesAShareOfAHeadThatDoesNotFit) {
    const fs::path phi = copy_of("phi3"), neox = copy_of("gpt_neox");
    const auto share = [&](const json& value) {
        change_json(phi / "config.json", [&](json& c) { c["rope_parameters"]["partial_rotary_factor"] = value; });
    };
    // Heads of 8 entries, turned in pairs; the greatest share is beyond any whole number.
    for (const auto& [value, text] : std::map<double, std::string>{
             {1e300, "1e+300"}, {1.1250001, "1.1250001"}, {0.2499, "0.2499"}, {0.4, "0.4"}}) {
        share(value);
        expect_error(phi, {"rope_parameters.partial_rotary_factor " + text + " does not fit a head of 8"});
    }
    share(0.25);   // 2 entries; the factors of the file are for more
    expect_error(phi, {"short_factor has"});
    change_json(neox / "config.json", [](json& c) {
        c.erase("rope_parameters");
        c["rotary_pct"] = 1e300;
    });
    expect_error(neox, {"rotary_pct 1e+300 does not fit a head of"});
}

TEST_F(ModelFolder, TakesNoTemplateByANameThatIsNoText) {
    const fs::path folder = copy_of("llama");
    write(folder / "tokenizer_config.json", R"({"chat_template": [{"name": 5, "template": "x"}, {"name": "default", "template": "y"}]})");
    EXPECT_EQ(ModelFiles{folder}.chat_template(), "y");
}

TEST_F(ModelFolder, NamesTheDamagedTensor) {
    const auto changed = [&](const std::function<void(std::map<std::string, SafeTensor>&)>& change) {
        const fs::path folder = copy_of("llama_linear");
        change_tensors(folder, change);
        return folder;
    };
    const std::string name = "model.layers.1.mlp.up_proj.weight";
    const auto again = [&] { fs::remove_all(folder_ / "llama_linear"); };
    expect_error(changed([&](auto& tensors) { tensors.erase(name); }), {name, "is missing"});
    again();
    expect_error(changed([&](auto& tensors) { tensors.at(name).shape = {32, 48}; }),
                 {name + " has shape (32, 48)", "ask for (48, 32)"});
    again();
    expect_error(changed([&](auto& tensors) { tensors["model.layers.1.mlp.router.weight"] = tensors.at(name); }),
                 {"model.layers.1.mlp.router.weight", "is not a part of llama"});
    again();
    expect_error(changed([&](auto& tensors) { tensors.at(name).dtype = "I32"; }), {name, "I32", "not supported"});
    again();

    std::vector<float> values(48 * 32);
    std::vector<std::byte> bytes;
    const fs::path folder = changed([&](auto& tensors) {
        SafeTensor& tensor = tensors.at(name);
        bytes.assign(tensor.data.begin(), tensor.data.end());
        const float bad = std::numeric_limits<float>::quiet_NaN();
        std::memcpy(bytes.data() + 40 * 32 * sizeof bad, &bad, sizeof bad);
        tensor.data = bytes;
    });
    const ModelFiles files(folder);
    files.read({Part::up, 0}, 0, values);
    EXPECT_NO_THROW(files.read({Part::up, 1}, 0, std::span(values).first(40 * 32)));
    try {
        files.read({Part::up, 1}, 0, values);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(name + "' holds a value that is not finite"), std::string::npos)
            << error.what();
    }
}

TEST_F(ModelFolder, KeepsToItsOwnShards) {
    const fs::path folder = copy_of("llama"), index = folder / "model.safetensors.index.json";
    const std::string name = "model.layers.0.self_attn.q_proj.weight", good = text_of(index);
    for (const char* shard : {"../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".hidden.safetensors", "c:x.safetensors",
                              "config.json"}) {
        write(index, good);
        change_json(index, [&](json& values) { values["weight_map"][name] = shard; });
        expect_error(folder, {name, "not the name of a .safetensors file in the folder"});
    }
    write(index, good);
    change_json(index, [&](json& values) { values["weight_map"][name] = 3; });
    expect_error(folder, {name});
    write(index, good);
    change_json(index, [&](json& values) { values["weight_map"][name] = "model-00009-of-00003.safetensors"; });
    expect_error(folder, {"shard", "model-00009-of-00003.safetensors", "is missing"});
    write(index, good);
    std::string last;
    change_json(index, [&](json& values) {
        for (const auto& [tensor, shard] : values["weight_map"].items()) {
            if (shard != values["weight_map"][name]) {
                last = shard;
            }
        }
        values["weight_map"][name] = last;
    });
    expect_error(folder, {name, "is not in", last});
    write(index, good);
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string() == last) {
            fs::resize_file(entry.path(), 50);
        }
    }
    expect_error(folder, {last});
}

TEST_F(ModelFolder, AsksForSafetensors) {
    const fs::path folder = copy_of("gpt2");
    fs::rename(folder / "model.safetensors", folder / "pytorch_model.bin");
    expect_error(folder, {"there is no model.safetensors", "save the model in that format"});
}

}  // namespace
}  // namespace plumbline
