// A damaged file gives an Error that names the place: never a crash, a hang or a large allocation.

#include <gtest/gtest.h>

#include <cstring>

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/tokenizer.h"
#include "tests/support/allocation_watch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_model.h"

namespace plumbline {
namespace {

using testing::GgufWriter;
using testing::TempFolder;

/// Small, with every kind of field.
GgufWriter sample() {
    GgufWriter writer;
    writer.add_u32("general.alignment", 32);
    writer.add_text("tokenizer.ggml.model", "gpt2");
    writer.add_text("tokenizer.ggml.pre", "smollm");
    writer.add_f32("rate", 0.5f);
    writer.add_flag("tokenizer.ggml.add_bos_token", false);
    writer.add_texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<x>"});
    writer.add_i32s("tokenizer.ggml.token_type", {1, 1, 1, 3});
    writer.add_texts("tokenizer.ggml.merges", {"a b"});
    writer.add_u32("tokenizer.ggml.eos_token_id", 3);
    const std::vector<float> values(12, 1.0f);
    writer.add_tensor("f", {3, 4}, values);
    const std::vector<std::byte> blocks(2 * 18);
    writer.add_tensor("q", {2, 32}, 2, blocks);
    return writer;
}

template <class T>
std::string with(std::string bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
}

class GgufDamage : public ::testing::Test {
  protected:
    /// Empty when the file was accepted; then all of it is used.
    std::string open(const std::string& bytes) {
        testing::write_whole(folder_ / "damaged.gguf", bytes);
        const testing::AllocationWatch watch;
        std::string error;
        try {
            const GgufFile file(folder_ / "damaged.gguf");
            for (const GgufTensor& tensor : file.tensors()) {
                std::vector<float> values(static_cast<std::size_t>(tensor.elements));
                dequantize(tensor, values);
            }
            Tokenizer::from_gguf(file)->encode("ab<x> 12", SpecialTokens::parse);
        } catch (const Error& caught) {
            error = caught.what();
            EXPECT_EQ(error.rfind("open model: ", 0), 0u) << error;
        }
        EXPECT_LT(watch.largest(), std::size_t{1} << 20) << error;
        return error;
    }

    void expect(const std::string& bytes, const std::string& part) {
        const std::string error = open(bytes);
        EXPECT_NE(error.find(part), std::string::npos) << "expected: " << part << "\ngot: " << error;
    }

    const GgufWriter writer_ = sample();
    const std::string bytes_ = writer_.bytes();
    const std::map<std::string, std::size_t> places_ = writer_.places();
    TempFolder folder_;
};

TEST_F(GgufDamage, TheSampleItselfIsAccepted) {
    EXPECT_EQ(open(bytes_), "");
}

TEST_F(GgufDamage, NamesEachFieldThatIsWrong) {
    const auto at = [&](const char* place) { return places_.at(place); };
    const std::uint64_t huge = ~std::uint64_t{0}, large = std::uint64_t{1} << 40;
    for (const std::uint64_t count : {huge, large, std::uint64_t{1} << 62}) {
        expect(with(bytes_, at("tensor count"), count),
               "the tensor count at byte 8 is " + std::to_string(count));
        expect(with(bytes_, at("metadata count"), count),
               "the metadata count at byte 16 is " + std::to_string(count));
        expect(with(bytes_, at("tokenizer.ggml.tokens length"), count),
               "the length of metadata 'tokenizer.ggml.tokens'");
        expect(with(bytes_, at("tokenizer.ggml.token_type length"), count), "the length of metadata");
        expect(with(bytes_, at("tokenizer.ggml.model value"), count), "'tokenizer.ggml.model' at byte");
        expect(with(bytes_, at("rate key length"), count), "the key of metadata 3 at byte");
        expect(with(bytes_, at("f name length"), count), "the name of tensor 0 at byte");
        expect(with(bytes_, at("f shape"), count), "tensor 'f'");
        expect(with(bytes_, at("f offset"), count & ~std::uint64_t{31}),
               "tensor 'f' takes 48 bytes at offset");
    }
    expect(with(bytes_, at("rate type"), 99u), "value type 99");
    expect(with(bytes_, at("rate key length"), std::uint64_t{0}), "");
    expect(with(bytes_, at("tokenizer.ggml.tokens item type"), 99u), "value type 99");
    expect(with(bytes_, at("tokenizer.ggml.tokens item type"), 9u), "array of arrays");
    expect(with(bytes_, at("tokenizer.ggml.add_bos_token value"), char{2}), "is 2, not 0 or 1");
    for (const std::uint32_t alignment : {0u, 33u, 1u << 31}) {
        expect(with(bytes_, at("general.alignment value"), alignment),
               "general.alignment " + std::to_string(alignment));
    }
    expect(with(bytes_, at("f dimensions"), 0u), "has 0 dimensions");
    expect(with(bytes_, at("f dimensions"), 5u), "has 5 dimensions");
    expect(with(bytes_, at("f shape"), std::uint64_t{0}), "dimension of size 0");
    expect(
        with(with(bytes_, at("f shape"), std::uint64_t{1} << 32), at("f shape") + 8, std::uint64_t{1} << 32),
        "too large with the others");
    expect(with(bytes_, at("f type"), 15u), "type 15, which is not supported; use a file of floats or of the Q, IQ");
    expect(with(bytes_, at("q shape"), std::uint64_t{33}), "not a multiple of 32 as Q4_0 needs");
    expect(with(bytes_, at("q offset"), std::uint64_t{33}), "not a multiple of the alignment 32");
    expect(with(bytes_, at("q offset"), std::uint64_t{0}), "overlap at offset 0");
    expect(with(bytes_, at("q offset"), std::uint64_t{32}), "overlap at offset 32");
    expect(with(bytes_, at("q shape") + 8, std::uint64_t{4}), "tensor 'q' takes 72 bytes at offset 64");
    expect(with(bytes_, at("f name length") + 8, 'q'), "tensor 'q' stands twice");
}

TEST_F(GgufDamage, RefusesTheSameKeyTwiceAndUnnamedThings) {
    GgufWriter twice = sample();
    twice.add_u32("rate", 1);
    expect(twice.bytes(), "metadata 'rate' stands twice");
    GgufWriter unnamed = sample();
    unnamed.add_u32("", 1);
    expect(unnamed.bytes(), "has an empty key");
    GgufWriter tensor = sample();
    const std::vector<float> one(1);
    tensor.add_tensor("", {1}, one);
    expect(tensor.bytes(), "has no name");
    GgufWriter long_name = sample();
    long_name.add_tensor(std::string(65, 'n'), {1}, one);
    expect(long_name.bytes(), "length 65, more than 64");
}

TEST_F(GgufDamage, RefusesEveryTruncation) {
    // The last tensor's bytes end before its padding does.
    const std::size_t needed = places_.at("data") + 64 + 36;
    ASSERT_LE(needed, bytes_.size());
    for (std::size_t length = 0; length < needed; ++length) {
        EXPECT_NE(open(bytes_.substr(0, length)), "")
            << "accepted " << length << " of " << bytes_.size() << " bytes";
    }
    EXPECT_EQ(open(bytes_.substr(0, needed)), "");
}

TEST_F(GgufDamage, SurvivesAnyByteChanged) {
    int refused = 0;
    for (std::size_t at = 0; at < places_.at("data"); ++at) {
        for (const int change : {0x01, 0x80, 0xFF}) {
            std::string bytes = bytes_;
            bytes[at] = static_cast<char>(bytes[at] ^ change);
            refused += !open(bytes).empty();
        }
    }
    EXPECT_GT(refused, 500);
}

TEST_F(GgufDamage, SurvivesACutTinyModel) {
    const std::string tiny = testing::tiny_model(2).bytes();
    for (std::size_t length = 0; length < tiny.size(); length += 997)
        EXPECT_NE(open(tiny.substr(0, length)), "") << length;
}

}  // namespace
}  // namespace plumbline
