#include "core/api/catalog.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <set>

#include "core/api/errors.h"
#include "core/api/known_models.h"
#include "core/api/machine_memory.h"
#include "core/formats/gguf.h"
#include "core/formats/safetensors.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

namespace fs = std::filesystem;

/// Sets or clears an environment variable for the life of the object.
class Environment {
  public:
    Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
        if (const char* old = std::getenv(name)) {
            old_ = old;
        }
        assign(value);
    }
    ~Environment() { assign(old_); }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

  private:
    void assign(const std::optional<std::string>& value) {
        if (value) {
            setenv(name_, value->c_str(), 1);
        } else {
            unsetenv(name_);
        }
    }
    const char* name_;
    std::optional<std::string> old_;
};

TEST(DataFolder, FollowsTheEnvironment) {
    const Environment home("HOME", "/home/ada");
    const Environment own("PLUMBLINE_DATA_DIR", std::nullopt);
    {
        const Environment xdg("XDG_DATA_HOME", std::nullopt);
        EXPECT_EQ(data_folder(), "/home/ada/.local/share/plumbline");
    }
    {
        const Environment xdg("XDG_DATA_HOME", "relative/data");
        EXPECT_EQ(data_folder(), "/home/ada/.local/share/plumbline");
    }
    const Environment xdg("XDG_DATA_HOME", "/data");
    EXPECT_EQ(data_folder(), "/data/plumbline");
    const Environment set("PLUMBLINE_DATA_DIR", "/elsewhere");
    EXPECT_EQ(data_folder(), "/elsewhere");
}

TEST(DataFolder, NeedsAHome) {
    const Environment home("HOME", std::nullopt);
    const Environment xdg("XDG_DATA_HOME", std::nullopt);
    const Environment own("PLUMBLINE_DATA_DIR", std::nullopt);
    EXPECT_THROW(data_folder(), Error);
}

class Catalog : public ::testing::Test {
  protected:
    void SetUp() override { fs::create_directories(models()); }
    fs::path models() const { return folder_.path() / "models"; }

    /// What is in the catalogue apart from what is to be fetched by hand.
    static std::vector<CatalogModel> here() {
        std::vector<CatalogModel> out = catalog_models();
        std::erase_if(out, [](const CatalogModel& model) { return model.source == ModelSource::known; });
        return out;
    }
    static CatalogModel named(const std::string& name) {
        for (const CatalogModel& model : catalog_models()) {
            if (model.name == name) {
                return model;
            }
        }
        ADD_FAILURE() << "there is no " << name;
        return {};
    }
    /// The tests' Qwen2 folder with a model card.
    fs::path write_folder(const fs::path& folder) const {
        fs::copy(fs::path(PLUMBLINE_SOURCE_DIR) / "tests" / "golden" / "families" / "qwen2", folder);
        std::ofstream(folder / "README.md") << "---\nlanguage:\n- en\nlicense: apache-2.0\n---\n# A model\n";
        return folder;
    }
    static std::string reason(const std::function<void()>& act) {
        try {
            act();
        } catch (const Error& error) {
            return error.what();
        }
        ADD_FAILURE() << "nothing failed";
        return "";
    }

    testing::TempFolder folder_;
    Environment own_{"PLUMBLINE_DATA_DIR", folder_.path().string()};
};

TEST_F(Catalog, ListsWhatIsMissingWithTheWayToGetIt) {
    const std::vector<CatalogModel> listed = here();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].name, "smollm2-135m-instruct");
    EXPECT_FALSE(listed[0].installed);
    EXPECT_EQ(listed[0].size_bytes, 0);
    EXPECT_NE(listed[0].how_to_get.find("packaging/run.sh"), std::string::npos);
    EXPECT_EQ(listed[0].path.parent_path(), models());
    const std::string text = reason([] { resolve_model("smollm2-135m-instruct"); });
    EXPECT_NE(text.find(models().string()), std::string::npos) << text;
    EXPECT_NE(text.find("packaging/run.sh"), std::string::npos) << text;
}

TEST_F(Catalog, KnowsModelsToFetchByHand) {
    const CatalogModel qwen = named("qwen2.5-0.5b-instruct");
    EXPECT_EQ(qwen.source, ModelSource::known);
    EXPECT_FALSE(qwen.installed);
    EXPECT_EQ(qwen.parameters, 494032768);
    EXPECT_EQ(qwen.licence, "Apache-2.0");
    EXPECT_EQ(qwen.hub_id, "Qwen/Qwen2.5-0.5B-Instruct");
    EXPECT_EQ(qwen.path, models() / "Qwen2.5-0.5B-Instruct");
    EXPECT_NE(qwen.how_to_get.find(qwen.path.string()), std::string::npos);
    EXPECT_GT(qwen.memory_f32, 4 * qwen.parameters);
    EXPECT_LT(qwen.memory_bf16, qwen.memory_f32);
    const std::string text = reason([] { resolve_model("qwen2.5-0.5b-instruct"); });
    EXPECT_NE(text.find("Qwen/Qwen2.5-0.5B-Instruct"), std::string::npos) << text;
    std::set<std::string> names;
    for (const CatalogModel& model : catalog_models()) {
        EXPECT_TRUE(names.insert(model.name).second) << model.name;
        EXPECT_NE(model.title, "") << model.name;
        EXPECT_GT(model.memory_f32, 4 * model.parameters) << model.name;
        EXPECT_GT(model.memory_bf16, 2 * model.parameters) << model.name;
    }
}

TEST_F(Catalog, FindsAnInstalledModelByName) {
    const fs::path file = models() / "SmolLM2-135M-Instruct.Q4_1.gguf";
    testing::tiny_model(5).write(file);
    ASSERT_EQ(here().size(), 2U);
    const CatalogModel model = here()[0];
    EXPECT_TRUE(model.installed);
    EXPECT_EQ(model.title, "SmolLM2 135M Instruct");
    EXPECT_EQ(model.how_to_get, "");
    EXPECT_EQ(model.size_bytes, static_cast<std::int64_t>(fs::file_size(file)));
    EXPECT_EQ(resolve_model("smollm2-135m-instruct"), file);
}

TEST_F(Catalog, TellsWhatAFileHolds) {
    testing::tiny_model(5).write(models() / "Mine.gguf");
    const CatalogModel model = named("mine");
    EXPECT_TRUE(model.installed);
    EXPECT_EQ(model.source, ModelSource::installed);
    EXPECT_EQ(model.family, "llama");
    EXPECT_EQ(model.file_dtype, "F32");
    const GgufFile file(models() / "Mine.gguf");
    std::int64_t elements = 0;
    for (const GgufTensor& tensor : file.tensors()) elements += tensor.elements;
    EXPECT_EQ(model.parameters, elements);
    // The quick list knows where it is and reads nothing.
    std::ofstream(models() / "Mine.gguf") << "no longer a model";
    for (const CatalogModel& quick : list_models()) {
        if (quick.name == "mine") {
            EXPECT_TRUE(quick.installed);
            EXPECT_EQ(quick.parameters, 0);
        }
    }
    EXPECT_FALSE(named("mine").installed);
}

TEST_F(Catalog, AKnownModelThatIsThereBearsItsName) {
    testing::tiny_model(5).write(models() / "SmolLM2-360M-Instruct-Q8_0.gguf");
    testing::tiny_model(5).write(models() / "SmolLM2-360M-Instruct.Q4_K_M.gguf");
    testing::tiny_model(5).write(models() / "SmolLM2-360M.gguf");  // another model
    std::set<std::string> names;
    for (const CatalogModel& model : here()) names.insert(model.name);
    EXPECT_EQ(names, (std::set<std::string>{"smollm2-135m-instruct", "courtesy", "smollm2-360m-instruct",
                                            "smollm2-360m-instruct.q4_k_m", "smollm2-360m"}));
    EXPECT_EQ(named("smollm2-360m-instruct").title, "SmolLM2 360M Instruct");
    EXPECT_EQ(named("smollm2-360m-instruct").licence, "Apache-2.0");
    EXPECT_EQ(resolve_model("smollm2-360m-instruct"), models() / "SmolLM2-360M-Instruct-Q8_0.gguf");
}

TEST_F(Catalog, ListsAFolderWithItsConfiguration) {
    write_folder(models() / "Qwen2.5-Tiny");
    fs::create_directories(models() / "notes");
    const CatalogModel model = named("qwen2.5-tiny");
    EXPECT_TRUE(model.installed) << model.problem;
    EXPECT_EQ(model.family, "qwen2");
    const SafetensorsFile weights(models() / "Qwen2.5-Tiny" / "model.safetensors");
    std::int64_t bytes = 0;
    for (const auto& [name, tensor] : weights.tensors()) bytes += static_cast<std::int64_t>(tensor.data.size());
    EXPECT_EQ(weights.tensors().begin()->second.dtype, model.file_dtype);
    EXPECT_EQ(model.parameters * (model.file_dtype == "F32" ? 4 : 2), bytes);
    EXPECT_EQ(model.licence, "apache-2.0");
    EXPECT_GT(model.size_bytes, bytes);
    EXPECT_EQ(here().size(), 3U);
    EXPECT_EQ(resolve_model("qwen2.5-tiny"), models() / "Qwen2.5-Tiny");

    fs::remove(models() / "Qwen2.5-Tiny" / "model.safetensors");
    EXPECT_NE(named("qwen2.5-tiny").problem.find("safetensors"), std::string::npos) << named("qwen2.5-tiny").problem;
    std::ofstream(models() / "Qwen2.5-Tiny" / "config.json") << R"({"model_type":"mamba"})";
    EXPECT_NE(named("qwen2.5-tiny").problem.find("model_type 'mamba' is not supported"), std::string::npos)
        << named("qwen2.5-tiny").problem;
}

TEST_F(Catalog, ListsADamagedFileWithItsReason) {
    std::ofstream(models() / "Broken.gguf") << "not a model";
    std::ofstream(models() / "notes.txt") << "not looked at";
    const std::vector<CatalogModel> listed = here();
    ASSERT_EQ(listed.size(), 3U);
    EXPECT_EQ(listed[2].name, "broken");
    EXPECT_FALSE(listed[2].installed);
    EXPECT_NE(listed[2].problem.find("Broken.gguf"), std::string::npos) << listed[2].problem;
}

TEST_F(Catalog, TakesFilesAndFolders) {
    const fs::path file = folder_.path() / "other.gguf";
    std::ofstream(file) << "GGUF";
    EXPECT_EQ(resolve_model(file.string()), file);
    EXPECT_EQ(resolve_model(folder_.path().string()), folder_.path());
    EXPECT_EQ(reason([] { resolve_model("nothing-of-the-kind"); }),
              "open model: there is no model or file 'nothing-of-the-kind'; use a .gguf file, a folder with config.json "
              "or one of courtesy");
    EXPECT_THROW(resolve_model(""), Error);
}

TEST_F(Catalog, OnesOwnModelsStayWhereTheyLie) {
    const fs::path file = testing::write_tiny_model(folder_.path(), 5);
    const fs::path folder = write_folder(folder_.path() / "Elsewhere");
    EXPECT_EQ(add_own_model(file), "tiny");
    EXPECT_EQ(add_own_model(folder), "elsewhere");
    EXPECT_EQ(add_own_model(file.parent_path() / "." / "tiny.gguf"), "tiny") << "once is enough";
    EXPECT_EQ(here().size(), 4U);
    EXPECT_EQ(named("tiny").source, ModelSource::own);
    EXPECT_TRUE(named("tiny").installed);
    EXPECT_EQ(named("elsewhere").family, "qwen2");
    EXPECT_EQ(resolve_model("tiny"), file);

    fs::create_directories(folder_.path() / "more");
    const fs::path other = testing::write_tiny_model(folder_.path() / "more", 6);
    EXPECT_EQ(add_own_model(other), "tiny-2");

    fs::rename(file, folder_.path() / "moved.gguf");
    EXPECT_FALSE(named("tiny").installed);
    EXPECT_EQ(named("tiny").problem, file.string() + " is missing; put it back, or take it off the list");
    EXPECT_NE(reason([] { resolve_model("tiny"); }).find("is missing"), std::string::npos);
    remove_own_model("tiny");
    EXPECT_EQ(resolve_model("tiny-2"), other);
    remove_own_model("tiny-2");
    EXPECT_TRUE(fs::exists(other)) << "only the entry goes";
    EXPECT_EQ(reason([] { remove_own_model("courtesy"); }),
              "remove model: 'courtesy' was not added; choose one of elsewhere");
}

TEST_F(Catalog, RefusesToAddWhatCannotBeOpened) {
    const fs::path broken = folder_.path() / "broken.gguf";
    std::ofstream(broken) << "not a model";
    EXPECT_NE(reason([&] { add_own_model(broken); }).find("open model: "), std::string::npos);
    EXPECT_NE(reason([&] { add_own_model("/no/such.gguf"); }).find("there is no such file"), std::string::npos);
    EXPECT_NE(reason([&] { add_own_model(models()); }).find("neither a .gguf file nor a folder"), std::string::npos);
    EXPECT_FALSE(fs::exists(folder_.path() / "models.json"));
}

TEST_F(Catalog, ADamagedListOfOnesOwnIsShownAndKept) {
    const fs::path list = folder_.path() / "models.json", file = testing::write_tiny_model(folder_.path(), 5);
    for (const char* text : {"", "[]", "{\"models\": 3}", "{\"models\": [{\"name\": \"a\"}]}", "{\"models\": ["}) {
        std::ofstream(list) << text;
        EXPECT_NE(named("models.json").problem.find("models.json"), std::string::npos) << text;
        EXPECT_THROW(add_own_model(file), Error) << text;
        EXPECT_EQ(testing::read_whole(list), text);
        EXPECT_NO_THROW(resolve_model("courtesy"));
    }
}

TEST(PlainModelName, LeavesOwnerAndQuantisationOut) {
    const std::pair<const char*, const char*> cases[] = {
        {"HuggingFaceTB/SmolLM2-360M-Instruct", "smollm2-360m-instruct"},
        {"SmolLM2-360M-Instruct.Q4_K_M", "smollm2-360m-instruct"},
        {"qwen2.5-0.5b-instruct-iq2_xxs", "qwen2.5-0.5b-instruct"},
        {"Qwen3-0.6B-BF16", "qwen3-0.6b"},
        {"qwen2.5", "qwen2.5"},
        {"tiny-quick", "tiny-quick"},
        {"model-2", "model-2"},
        {".q4", ".q4"},
    };
    for (const auto& [text, name] : cases) {
        EXPECT_EQ(plain_model_name(text), name) << text;
    }
}

TEST(MachineMemory, IsThatOfTheSystem) {
    const MachineMemory memory = machine_memory();
    EXPECT_GT(memory.available, 0);
    EXPECT_LE(memory.available, memory.total);
    EXPECT_EQ(fit(100, {200, 100}), Fit::yes);
    EXPECT_EQ(fit(101, {200, 100}), Fit::when_freed);
    EXPECT_EQ(fit(200, {200, 100}), Fit::when_freed);
    EXPECT_EQ(fit(201, {200, 100}), Fit::no);
}

TEST_F(Catalog, BringsCourtesyAlong) {
    const fs::path file = resolve_model("courtesy");
    EXPECT_EQ(file.parent_path().parent_path(), folder_.path() / "bundled");
    const GgufFile gguf(file);
    std::int64_t parameters = 0;
    for (const GgufTensor& tensor : gguf.tensors()) parameters += tensor.elements;
    const CatalogModel listed = catalog_models()[1];
    EXPECT_EQ(listed.name, "courtesy");
    EXPECT_EQ(listed.source, ModelSource::bundled);
    EXPECT_TRUE(listed.installed);
    EXPECT_EQ(listed.parameters, parameters);
    EXPECT_EQ(testing::read_whole(file),
              testing::read_whole(fs::path(PLUMBLINE_SOURCE_DIR) / "resources" / "models" / "courtesy.gguf"));
    EXPECT_LT(fs::file_size(file), 4u << 20);

    // A file that was cut short is written again; one that is whole is left alone.
    fs::resize_file(file, 1000);
    EXPECT_EQ(resolve_model("courtesy"), file);
    EXPECT_EQ(fs::file_size(file), testing::read_whole(file).size());
    EXPECT_GT(fs::file_size(file), 1000u);
    const auto written = fs::last_write_time(file);
    catalog_models();
    EXPECT_EQ(fs::last_write_time(file), written);
}

TEST_F(Catalog, SaysWhyCourtesyCannotBeUnpacked) {
    std::ofstream(folder_.path() / "bundled") << "a file where the folder should be";
    const CatalogModel listed = catalog_models()[1];
    EXPECT_FALSE(listed.installed);
    EXPECT_NE(listed.problem, "");
    EXPECT_THROW(resolve_model("courtesy"), Error);
}

TEST(Prompts, OfCourtesyAreItsOwn) {
    const std::vector<std::string> prompts = bundled_prompts("courtesy"), heldout = heldout_prompts("courtesy");
    EXPECT_GE(prompts.size(), 50U);
    EXPECT_GE(heldout.size(), 20U);
    std::set<std::string> all(prompts.begin(), prompts.end());
    all.insert(heldout.begin(), heldout.end());
    EXPECT_EQ(all.size(), prompts.size() + heldout.size()) << "a held-out prompt is trained on";
    EXPECT_NE(prompts, bundled_prompts());
    EXPECT_EQ(bundled_prompts("smollm2-135m-instruct"), bundled_prompts());
}

TEST(Prompts, AreThereAndHeldOutOnesAreDifferent) {
    const std::vector<std::string> prompts = bundled_prompts();
    const std::vector<std::string> heldout = heldout_prompts();
    EXPECT_GE(prompts.size(), 40U);
    EXPECT_GE(heldout.size(), 10U);
    std::set<std::string> all(prompts.begin(), prompts.end());
    all.insert(heldout.begin(), heldout.end());
    EXPECT_EQ(all.size(), prompts.size() + heldout.size()) << "a prompt stands twice";
    EXPECT_EQ(all.count(""), 0U);
    EXPECT_EQ(prompts[0], "My package arrived broken. What should I do?");
}

}  // namespace
}  // namespace plumbline
