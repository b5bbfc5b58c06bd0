#include "core/formats/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/api/errors.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/golden_file.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using testing::TempFolder;

std::string file_of(const std::string& header, const std::string& data, std::uint64_t length) {
    std::string out(8, '\0');
    std::memcpy(out.data(), &length, sizeof length);
    return out + header + data;
}
std::string file_of(const std::string& header, const std::string& data) {
    return file_of(header, data, header.size());
}

const std::string good_header = R"({"__metadata__":{"format":"pt"},)"
                                R"("a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
                                R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}})";
const std::string good_data(22, '\1');

/// Empty when the file was accepted.
std::string open(const std::string& bytes) {
    static const TempFolder folder;
    testing::write_whole(folder / "f.safetensors", bytes);
    const testing::AllocationWatch watch;
    std::string error;
    try {
        const SafetensorsFile file(folder / "f.safetensors");
        for (const auto& [name, tensor] : file.tensors()) {
            if (tensor.dtype == "F32") as_floats(tensor);
        }
    } catch (const Error& caught) {
        error = caught.what();
        EXPECT_EQ(error.rfind("read safetensors: ", 0), 0u) << error;
    }
    EXPECT_LT(watch.largest(), std::size_t{1} << 20) << error;
    return error;
}

TEST(Safetensors, ReadsWhatPeftWrote) {
    const SafetensorsFile file(testing::golden_path("tiny_adapter/adapter_model.safetensors"));
    EXPECT_EQ(file.metadata().at("format"), "pt");
    EXPECT_EQ(file.tensors().size(), 4u * 7 * 2);
    const SafeTensor& a = file.tensors().at("base_model.model.model.layers.0.mlp.down_proj.lora_A.weight");
    EXPECT_EQ(a.dtype, "F32");
    EXPECT_EQ(a.shape, (std::vector<std::int64_t>{8, 128}));
    EXPECT_EQ(as_floats(a).size(), 1024u);
}

TEST(Safetensors, GivesBackWhatWasWritten) {
    const TempFolder folder;
    const std::vector<float> floats = {1, -2.5f, 3e-30f, 4};
    const std::vector<std::uint16_t> halves = {0x3c00, 0xc000, 0x0001}, brains = {0x3f80, 0xc000};
    std::map<std::string, SafeTensor> tensors;
    tensors["x"] = {"F32", {2, 2}, std::as_bytes(std::span(floats))};
    tensors["h"] = {"F16", {3}, std::as_bytes(std::span(halves))};
    tensors["b \"quoted\" \xC3\xA9"] = {"BF16", {2, 1}, std::as_bytes(std::span(brains))};
    tensors["none"] = {"F32", {0, 5}, {}};
    write_safetensors(folder / "f", tensors, {{"k", "v"}});

    const SafetensorsFile file(folder / "f");
    ASSERT_EQ(file.tensors().size(), 4u);
    EXPECT_EQ(file.metadata().at("k"), "v");
    EXPECT_EQ(as_floats(file.tensors().at("x")), floats);
    EXPECT_EQ(as_floats(file.tensors().at("h")), (std::vector<float>{1, -2, 0x1p-24f}));
    EXPECT_EQ(as_floats(file.tensors().at("b \"quoted\" \xC3\xA9")), (std::vector<float>{1, -2}));
    EXPECT_EQ(file.tensors().at("none").shape, (std::vector<std::int64_t>{0, 5}));
    const std::string bytes = testing::read_whole(folder / "f");
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    EXPECT_EQ(header % 8, 0u);
}

TEST(Safetensors, NamesWhatIsWrong) {
    ASSERT_EQ(open(file_of(good_header, good_data)), "");
    struct Case {
        std::string from, to, part;
    };
    for (const Case& c : std::vector<Case>{
             {"[0,16]", "[0,17]", "17 bytes where its shape and dtype need 16"},
             {"[0,16]", "[16,0]", "lies at 16 to 0 of 22"},
             {"[16,22]", "[16,9000000000000000000]", "lies at 16 to 9000000000000000000"},
             {"[16,22]", "[10,16]", "tensor 'b' begins at 10, not where the one before ends, at 16"},
             {"\"shape\":[3]", "\"shape\":[2]", "6 bytes where its shape and dtype need 4"},
             {"[3]", "[9223372036854775807]", "need 18446744073709551614"},
             {"[3]", "[9223372036854775808]", "too large with the others"},
             {"[2,2]", "[4294967296,4294967296]", "too large with the others"},
             {"[2,2]", "[-2,-2]", "not a non-negative whole number"},
             {"[2,2]", "[2.0,2]", "not a non-negative whole number"},
             {"[2,2]", "4", "a shape that is not a list"},
             {"[2,2]", "[1,1,1,1,1,1,1,2,2]", "a shape that is not a list of at most 8"},
             {"[2,2]", "[[2,2]]", "nested too deep"},
             {"[2,2]", "[[[[2]]]]", "nested too deep"},
             {"[0,16]", "[0,8,16]", "not two numbers"},
             {"\"F32\"", "\"F31\"", "unknown dtype 'F31'"},
             {"\"F32\"", "32", "a dtype that is not a text"},
             {"\"b\"", "\"a\"", "'a' stands twice"},
             {"\"dtype\":\"F32\"", "\"type\":\"F32\"", "not exactly dtype, shape and data_offsets"},
             {"{\"format\":\"pt\"}", "\"pt\"", "__metadata__ is not an object"},
             {"\"pt\"", "1", "__metadata__ 'format' is not a text"},
             {"}}", "}", "not valid JSON"},
         }) {
        std::string header = good_header;
        ASSERT_NE(header.find(c.from), std::string::npos) << c.from;
        header.replace(header.find(c.from), c.from.size(), c.to);
        const std::string error = open(file_of(header, good_data));
        EXPECT_NE(error.find(c.part), std::string::npos) << c.part << "\ngot: " << error;
    }
    EXPECT_NE(open(file_of("[]", "")).find("not a JSON object"), std::string::npos);
    EXPECT_NE(open(file_of(good_header, good_data + "x")).find("the tensors end at 22 of 23"),
              std::string::npos);
    EXPECT_NE(open(file_of(good_header, good_data, ~0ull)).find("the header length is 18446744073709551615"),
              std::string::npos);
    EXPECT_NE(open(file_of(good_header, good_data, 1 << 20)).find("the header at byte 8 needs 1048576"),
              std::string::npos);
    EXPECT_NE(open(file_of(std::string(100000, '['), "")).find("nested too deep"), std::string::npos);
}

TEST(Safetensors, RefusesEveryTruncationAndSurvivesAnyChange) {
    const std::string bytes = file_of(good_header, good_data);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_NE(open(bytes.substr(0, length)), "") << length;
    for (std::size_t at = 0; at < 8 + good_header.size(); ++at) {
        for (const int change : {0x01, 0x10, 0x80}) {
            std::string changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ change);
            open(changed);
        }
    }
}

TEST(Safetensors, RefusesToReadOtherTypesAsFloats) {
    const std::vector<std::int64_t> ints = {1};
    const SafeTensor tensor{"I64", {1}, std::as_bytes(std::span(ints))};
    EXPECT_THROW(as_floats(tensor), Error);
}

TEST(Safetensors, RefusesToWriteBytesThatDoNotFit) {
    const TempFolder folder;
    const std::vector<float> floats(3);
    EXPECT_THROW(write_safetensors(folder / "f", {{"x", {"F32", {2, 2}, std::as_bytes(std::span(floats))}}}),
                 std::logic_error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace plumbline
