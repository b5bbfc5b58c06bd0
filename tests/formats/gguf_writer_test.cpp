#include "core/formats/gguf_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "core/api/errors.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

/// One value of each kind and a tensor of each type; odd sizes, so that data needs padding.
GgufWriter sample() {
    GgufWriter writer;
    writer.set("general.architecture", std::string("llama"));
    writer.set("sample.flag", true);
    writer.set("sample.count", std::uint32_t{4000000000u});
    writer.set("sample.offset", std::int32_t{-7});
    writer.set("sample.real", 0.1f);
    writer.set("sample.text", std::string("Gr\u00fc\u00dfe\n"));
    writer.set("sample.texts", std::vector<std::string>{"a", "", "\u0120b"});
    writer.set("sample.integers", std::vector<std::int32_t>{1, -2, 3});
    writer.set("sample.reals", std::vector<float>{0.5f, -1.25f});
    const std::vector<float> values = {1.0f, -0.1f, 3.14159265f, 1e-6f, 65504.0f, -2.0f / 3};
    writer.add_tensor("a.f32", GgufType::f32, {2, 3}, values);
    writer.add_tensor("b.f16", GgufType::f16, {3, 1, 2}, values);
    writer.add_tensor("c.bf16", GgufType::bf16, {6}, values);
    writer.add_tensor("d.f32", GgufType::f32, {1, 1}, std::vector<float>{42.0f});
    return writer;
}

std::string error_of(const std::function<void(GgufWriter&)>& change) {
    GgufWriter writer;
    try {
        change(writer);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

// PLUMBLINE_WRITE_GOLDEN=1 writes the file anew; tests/golden/make_pretraining.py then reads it with `gguf`.
TEST(WrittenGguf, IsWhatTheReferenceReads) {
    if (std::getenv("PLUMBLINE_WRITE_GOLDEN") != nullptr)
        sample().write(testing::golden_path("") / "written.gguf");
    const TempFolder folder;
    sample().write(folder / "w.gguf");
    ASSERT_EQ(testing::read_whole(folder / "w.gguf"),
              testing::read_whole(testing::golden_path("written.gguf")))
        << "the golden numbers are of another file";

    const auto golden = testing::golden_json("gguf_written.json");
    const auto& metadata = golden["metadata"];
    EXPECT_EQ(metadata.size(), 9u);
    const auto value = [&](const char* key) { return metadata.at(key).at("value"); };
    EXPECT_EQ(value("general.architecture"), "llama");
    EXPECT_EQ(value("sample.flag"), true);
    EXPECT_EQ(metadata.at("sample.flag").at("types"), nlohmann::json::parse(R"(["BOOL"])"));
    EXPECT_EQ(value("sample.count"), 4000000000u);
    EXPECT_EQ(value("sample.offset"), -7);
    EXPECT_EQ(value("sample.real").get<float>(), 0.1f);
    EXPECT_EQ(value("sample.text"), "Gr\u00fc\u00dfe\n");
    EXPECT_EQ(value("sample.texts"), nlohmann::json::parse("[\"a\", \"\", \"\\u0120b\"]"));
    EXPECT_EQ(value("sample.integers"), nlohmann::json::parse("[1, -2, 3]"));
    EXPECT_EQ(value("sample.reals"), nlohmann::json::parse("[0.5, -1.25]"));

    // Our reader is tested against other files; here both readers must agree on ours.
    const GgufFile file(folder / "w.gguf");
    ASSERT_EQ(golden["tensors"].size(), file.tensors().size());
    for (const auto& row : golden["tensors"]) {
        const GgufTensor& tensor = file.tensor(row["name"].get<std::string>());
        EXPECT_EQ(name_of(tensor.type), row["type"].get<std::string>());
        EXPECT_EQ(tensor.shape, row["shape"].get<std::vector<std::int64_t>>());
        std::vector<float> values(static_cast<std::size_t>(tensor.elements));
        dequantize(tensor, values);
        EXPECT_EQ(values, row["values"].get<std::vector<float>>()) << tensor.name;
    }
}

TEST(WrittenGguf, ReadsBackWithinItsPrecision) {
    const TempFolder folder;
    sample().write(folder / "w.gguf");
    const GgufFile file(folder / "w.gguf");
    EXPECT_EQ(file.integer("sample.count", 0, 1LL << 40), 4000000000);
    EXPECT_EQ(file.integer("sample.offset", -10, 0), -7);
    EXPECT_EQ(file.find_flag("sample.flag"), true);
    EXPECT_EQ(file.text("sample.text"), "Gr\u00fc\u00dfe\n");
    EXPECT_EQ(file.texts("sample.texts"), (std::vector<std::string>{"a", "", "\u0120b"}));
    const std::vector<float> values = {1.0f, -0.1f, 3.14159265f, 1e-6f, 65504.0f, -2.0f / 3};
    const auto read = [&](const char* name) {
        std::vector<float> out(values.size());
        dequantize(file.tensor(name), out);
        return out;
    };
    EXPECT_EQ(read("a.f32"), values);
    const std::vector<float> half = read("b.f16"), brain = read("c.bf16");
    for (std::size_t i = 0; i < values.size(); ++i) {
        // Half: 11 bits, or 2^-25 below 2^-14. Brain: 8 bits. Half a unit in the last place either way.
        EXPECT_LE(std::abs(half[i] - values[i]), std::max(std::abs(values[i]) * 0x1p-11f, 0x1p-25f));
        EXPECT_LE(std::abs(brain[i] - values[i]), std::abs(values[i]) * 0x1p-8f);
    }
    // The twin: the same bounds notice the other type's rounding.
    EXPECT_GT(std::abs(brain[5] - values[5]), std::abs(values[5]) * 0x1p-11f);
    EXPECT_GT(std::abs(half[3] - values[3]), std::abs(values[3]) * 0x1p-11f);
}

TEST(WrittenGguf, RefusesWhatAReaderWould) {
    const std::vector<float> six(6, 1.0f);
    const auto tensor = [&](const std::string& name, GgufType type, std::vector<std::int64_t> shape) {
        return error_of([&](GgufWriter& w) { w.add_tensor(name, type, shape, six); });
    };
    EXPECT_EQ(tensor("t", GgufType::f32, {2, 3}), "");
    EXPECT_EQ(tensor("t", GgufType::f32, {2, 2}),
              "write GGUF: tensor t has 6 values where its shape asks for 4; give as many");
    EXPECT_NE(tensor("t", GgufType::f32, {2, 4}), "");
    EXPECT_NE(tensor("t", GgufType::f32, {-2, -3}), "");
    EXPECT_NE(tensor("t", GgufType::f32, {0}), "");
    EXPECT_NE(tensor("t", GgufType::f32, {std::int64_t{1} << 62, 4}), "") << "the product overflows";
    EXPECT_NE(tensor("t", GgufType::f32, {}), "");
    EXPECT_NE(tensor("t", GgufType::f32, {1, 1, 1, 1, 6}), "");
    EXPECT_NE(tensor("t", GgufType::q4_0, {6}).find("rows of 6, not a multiple of 32 as Q4_0"), std::string::npos);
    EXPECT_NE(tensor("t", GgufType::q4_k, {6}).find("Q4_K"), std::string::npos);
    EXPECT_NE(tensor("", GgufType::f32, {6}), "");
    EXPECT_EQ(tensor(std::string(63, 'n'), GgufType::f32, {6}), "");
    EXPECT_NE(tensor(std::string(64, 'n'), GgufType::f32, {6}), "");
    EXPECT_NE(error_of([&](GgufWriter& w) {
                  w.add_tensor("t", GgufType::f32, {6}, six);
                  w.add_tensor("t", GgufType::f32, {6}, six);
              }),
              "");
    EXPECT_NE(error_of([](GgufWriter& w) { w.set("", true); }), "");
    const auto one = [](GgufType type, float value) {
        return error_of([&](GgufWriter& w) { w.add_tensor("t", type, {1}, std::vector<float>{value}); });
    };
    EXPECT_EQ(one(GgufType::f16, 65519.0f), "");
    EXPECT_NE(one(GgufType::f16, 65520.0f), "") << "it would become infinite";
    EXPECT_EQ(one(GgufType::bf16, 65520.0f), "");
}

TEST(WrittenGguf, AsksForEachTensorWhenItsTurnComes) {
    const TempFolder folder;
    GgufWriter writer;
    std::vector<std::string> calls;
    for (const char* name : {"a", "b"}) {
        writer.add_tensor(name, GgufType::q8_0, {2, 32}, [&calls, name](std::span<float> values) {
            calls.emplace_back(name);
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 30;
        });
    }
    writer.write(folder / "w.gguf", [&](double share) { calls.push_back(std::to_string(share)); });
    EXPECT_EQ(calls, (std::vector<std::string>{"0.000000", "a", "0.500000", "b", "1.000000"}));
    const GgufFile file(folder / "w.gguf");
    std::vector<float> values(64);
    dequantize(file.tensor("b"), values);
    EXPECT_NEAR(values[10], -20.0f, 30.0f / 254);

    EXPECT_THROW(writer.write(folder / "w.gguf",
                              [](double share) {
                                  if (share > 0) throw std::runtime_error("stopped");
                              }),
                 std::runtime_error);
    EXPECT_EQ(GgufFile(folder / "w.gguf").tensors().size(), 2u) << "what stood there is as it was";
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(WrittenGguf, LeavesNothingBehindWhenItCannotWrite) {
    const TempFolder folder;
    EXPECT_THROW(sample().write(folder / "no such folder" / "w.gguf"), Error);
    sample().write(folder / "empty.gguf");
    GgufWriter().write(folder / "empty.gguf");
    EXPECT_TRUE(GgufFile(folder / "empty.gguf").tensors().empty());
}

}  // namespace
}  // namespace plumbline
