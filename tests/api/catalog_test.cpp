#include "core/api/catalog.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

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

    testing::TempFolder folder_;
    Environment own_{"PLUMBLINE_DATA_DIR", folder_.path().string()};
};

TEST_F(Catalog, ListsWhatIsMissingWithTheWayToGetIt) {
    const std::vector<CatalogModel> listed = catalog_models();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].name, "smollm2-135m-instruct");
    EXPECT_FALSE(listed[0].installed);
    EXPECT_NE(listed[0].how_to_get.find("packaging/run.sh"), std::string::npos);
    EXPECT_EQ(listed[0].path.parent_path(), models());
    try {
        resolve_model("smollm2-135m-instruct");
        FAIL() << "a model that is not there";
    } catch (const Error& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find(models().string()), std::string::npos) << text;
        EXPECT_NE(text.find("packaging/run.sh"), std::string::npos) << text;
    }
}

TEST_F(Catalog, FindsAnInstalledModelByName) {
    const fs::path file = models() / "SmolLM2-135M-Instruct.Q4_1.gguf";
    std::ofstream(file) << "GGUF";
    ASSERT_EQ(catalog_models().size(), 2U);
    EXPECT_TRUE(catalog_models()[0].installed);
    EXPECT_EQ(resolve_model("smollm2-135m-instruct"), file);
}

TEST_F(Catalog, ListsADamagedFileWithItsReason) {
    std::ofstream(models() / "Broken.gguf") << "not a model";
    std::ofstream(models() / "notes.txt") << "not looked at";
    const std::vector<CatalogModel> listed = catalog_models();
    ASSERT_EQ(listed.size(), 3U);
    EXPECT_EQ(listed[2].name, "broken");
    EXPECT_FALSE(listed[2].installed);
    EXPECT_NE(listed[2].how_to_get.find("Broken.gguf"), std::string::npos) << listed[2].how_to_get;
}

TEST_F(Catalog, TakesFilesAndFolders) {
    const fs::path file = folder_.path() / "other.gguf";
    std::ofstream(file) << "GGUF";
    EXPECT_EQ(resolve_model(file.string()), file);
    EXPECT_EQ(resolve_model(folder_.path().string()), folder_.path());
    try {
        resolve_model("nothing-of-the-kind");
        FAIL() << "a model that is not there";
    } catch (const Error& error) {
        EXPECT_STREQ(
            error.what(),
            "open model: there is no model or file 'nothing-of-the-kind'; use a .gguf file or one of "
            "smollm2-135m-instruct, courtesy");
    }
    EXPECT_THROW(resolve_model(""), Error);
}

TEST_F(Catalog, BringsCourtesyAlong) {
    const fs::path file = resolve_model("courtesy");
    EXPECT_EQ(file.parent_path().parent_path(), folder_.path() / "bundled");
    const GgufFile gguf(file);
    std::int64_t parameters = 0;
    for (const GgufTensor& tensor : gguf.tensors()) parameters += tensor.elements;
    const CatalogModel listed = catalog_models()[1];
    EXPECT_EQ(listed.name, "courtesy");
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
    EXPECT_NE(listed.how_to_get, "");
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
