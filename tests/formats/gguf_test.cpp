#include "core/formats/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/api/errors.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

using testing::GgufWriter;
using testing::TempFolder;

TEST(GgufFile, GivesWhatWasWritten) {
    const TempFolder folder;
    GgufWriter writer;
    writer.add_text("general.name", "a model");
    writer.add_u32("count", 7);
    writer.add_f32("rate", 0.25f);
    writer.add_flag("yes", true);
    writer.add_texts("words", {"", "one", "two words"});
    writer.add_i32s("numbers", {-1, 0, 2147483647});
    const std::vector<float> six = {1, 2, 3, 4, 5, 6};
    writer.add_tensor("first", {2, 3}, six);
    const std::vector<std::byte> block(36, std::byte{1});
    writer.add_tensor("second", {2, 32}, 2, block);  // Q4_0
    writer.write(folder / "a.gguf");

    const GgufFile file(folder / "a.gguf");
    EXPECT_EQ(file.text("general.name"), "a model");
    EXPECT_EQ(file.integer("count", 0, 10), 7);
    EXPECT_EQ(file.find_real("rate"), 0.25);
    EXPECT_EQ(file.find_flag("yes"), true);
    EXPECT_EQ(file.texts("words"), (std::vector<std::string>{"", "one", "two words"}));
    EXPECT_EQ(*file.find_integers("numbers"), (std::vector<std::int64_t>{-1, 0, 2147483647}));
    EXPECT_EQ(file.find_text("absent"), std::nullopt);
    EXPECT_EQ(file.find_integer("absent", 0, 1), std::nullopt);
    EXPECT_EQ(file.find_texts("absent"), nullptr);

    ASSERT_EQ(file.tensors().size(), 2u);
    const GgufTensor& first = file.tensor("first");
    EXPECT_EQ(first.shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(first.elements, 6);
    std::vector<float> values(6);
    dequantize(first, values);
    EXPECT_EQ(values, six);
    EXPECT_EQ(file.tensor("second").data.size(), 36u);
    EXPECT_EQ(file.find_tensor("third"), nullptr);
    EXPECT_EQ(file.main_type(), GgufType::q4_0);  // 64 elements against 6
}

void expect_error(const std::function<void()>& act, const std::string& part) {
    try {
        act();
        ADD_FAILURE() << "no error with " << part;
    } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).rfind("open model: ", 0), 0u) << error.what();
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
}

TEST(GgufFile, NamesWhatIsMissingOrOfAnotherType) {
    const TempFolder folder;
    GgufWriter writer;
    writer.add_text("name", "x");
    writer.add_u32("count", 7);
    writer.write(folder / "a.gguf");
    const GgufFile file(folder / "a.gguf");
    expect_error([&] { file.text("absent"); }, "'absent' is missing");
    expect_error([&] { file.integer("absent", 0, 1); }, "'absent' is missing");
    expect_error([&] { file.texts("absent"); }, "'absent' is missing");
    expect_error([&] { file.tensor("absent"); }, "tensor 'absent' is missing");
    expect_error([&] { file.integer("count", 8, 9); }, "is 7, not 8 to 9");
    expect_error([&] { file.integer("count", -5, 6); }, "is 7, not -5 to 6");
    expect_error([&] { file.integer("name", 0, 9); }, "is not a whole number");
    expect_error([&] { file.text("count"); }, "is not a text");
    expect_error([&] { file.find_real("count"); }, "is not a real number");
    expect_error([&] { file.find_flag("count"); }, "is not true or false");
    expect_error([&] { file.texts("name"); }, "is not a list of texts");
}

TEST(GgufFile, ShowsTextThatIsNotUtf8AsText) {
    const TempFolder folder;
    GgufWriter writer;
    writer.add_text("name", "a\xFFz");
    writer.write(folder / "a.gguf");
    EXPECT_EQ(GgufFile(folder / "a.gguf").text("name"), "a\uFFFDz");
}

TEST(GgufFile, ReadsVersion2) {
    const TempFolder folder;
    const auto tiny = testing::tiny_model(1);
    std::string bytes = tiny.bytes();
    bytes[tiny.places().at("version")] = 2;
    testing::write_whole(folder / "a.gguf", bytes);
    EXPECT_EQ(GgufFile(folder / "a.gguf").tensors().size(), 38u);
}

TEST(GgufFile, SaysWhyAFileIsNoModel) {
    const TempFolder folder;
    const auto open = [&](const std::string& bytes) {
        testing::write_whole(folder / "a.gguf", bytes);
        return [&] { GgufFile(folder / "a.gguf"); };
    };
    expect_error(open(""), "magic number at byte 0");
    expect_error(open("PK\3\4 not a model"), "does not begin with 'GGUF'");
    expect_error(open(std::string("GGUF\1\0\0\0", 8) + std::string(64, '\0')), "version 1 is not supported");
    expect_error(open(std::string("GGUF\0\0\0\3", 8) + std::string(64, '\0')), "big endian");
    expect_error([&] { GgufFile(folder / "absent.gguf"); }, "No such file");
    expect_error([&] { GgufFile(folder.path()); }, "folder");
}

TEST(GgufFile, OpensSmolLm2) {
    const auto path = testing::installed_smollm2();
    if (!path) GTEST_SKIP() << "SmolLM2-135M-Instruct.Q4_1.gguf is not installed";
    const GgufFile file(*path);
    EXPECT_EQ(file.text("general.architecture"), "llama");
    EXPECT_EQ(file.integer("llama.block_count", 1, 1000), 30);
    EXPECT_EQ(file.tensors().size(), 272u);
    EXPECT_EQ(file.main_type(), GgufType::q4_1);
    EXPECT_EQ(file.tensor("token_embd.weight").shape, (std::vector<std::int64_t>{49152, 576}));
    std::int64_t elements = 0;
    for (const GgufTensor& tensor : file.tensors()) elements += tensor.elements;
    EXPECT_EQ(elements, 134515008);
}

}  // namespace
}  // namespace plumbline
