#include "core/formats/quantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/api/errors.h"
#include "core/formats/half.h"
#include "tests/formats/quant_golden.h"

namespace plumbline {
namespace {

using testing::from_hex;

std::vector<float> floats_of(const nlohmann::json& bits) {
    std::vector<float> out;
    for (const auto& word : bits) out.push_back(std::bit_cast<float>(word.get<std::uint32_t>()));
    return out;
}

/// What make_quants.py quantises: the cube makes a wide range of magnitudes.
std::vector<float> generated_values() {
    std::vector<float> out;
    for (const std::uint16_t number : testing::generated(4096 * 32)) {
        const float value = (static_cast<float>(number) - 32768) / 16384;
        out.push_back(value * value * value);
    }
    return out;
}

TEST(Quantize, EqualsTheReferenceToTheLastBit) {
    const auto golden = testing::golden_json("quants.json")["written"];
    const std::vector<float> awkward = floats_of(golden["values"]);
    std::vector<float> many = generated_values();
    int types = 0;
    for (const auto& [name, row] : golden["types"].items()) {
        const auto type = static_cast<GgufType>(row["type"].get<std::uint32_t>());
        ASSERT_EQ(name_of(type), name);
        EXPECT_TRUE(can_write(type));
        const std::vector<std::byte> expected = from_hex(row["data"]);
        const std::string wanted(reinterpret_cast<const char*>(expected.data()), expected.size());
        ASSERT_EQ(quantize("t", type, awkward), wanted) << name;
        const auto hash = [&] {
            const std::string data = quantize("t", type, many);
            return sha256(std::as_bytes(std::span(data)));
        };
        EXPECT_EQ(hash(), row["sha256"]) << name;
        // The twin: one value of 131072 moved by several codes shows.
        many[77] += many[77] > 0 ? -4.0f : 4.0f;
        EXPECT_NE(hash(), row["sha256"]) << name;
        many = generated_values();
        ++types;
    }
    EXPECT_EQ(types, 8);
}

TEST(Quantize, KeepsToHalfAStepOfItsScale) {
    const std::vector<float> values = generated_values();
    const auto worst = [&](GgufType type) {
        const std::string data = quantize("t", type, values);
        const auto elements = static_cast<std::int64_t>(values.size());
        std::vector<float> read(values.size());
        dequantize({"t", type, {elements}, elements, std::as_bytes(std::span(data))}, read);
        float out = 0;
        for (std::size_t i = 0; i < read.size(); ++i) out = std::max(out, std::abs(read[i] - values[i]));
        return out;
    };
    // Values reach 8: steps of 8/127, of 16/15 with a minimum, and of 8/8, whose last one ends a step short of 8. An
    // F16 scale adds 2^-11 of a value.
    EXPECT_LE(worst(GgufType::q8_0), 8.0f / 254 + 0.004f);
    EXPECT_LE(worst(GgufType::q4_1), 8.0f / 15 + 0.008f);
    EXPECT_LE(worst(GgufType::q4_0), 1.0f + 0.004f);
    EXPECT_GT(worst(GgufType::q4_1), 8.0f / 254 + 0.004f);
    EXPECT_GT(worst(GgufType::q4_0), 8.0f / 15 + 0.008f);
}

TEST(Quantize, FallsBackToHalvesWhereBlocksDoNotFit) {
    EXPECT_EQ(type_for_rows(GgufType::q8_0, 64), GgufType::q8_0);
    EXPECT_EQ(type_for_rows(GgufType::q8_0, 48), GgufType::f16);
    EXPECT_EQ(type_for_rows(GgufType::bf16, 7), GgufType::bf16);
}

TEST(Quantize, RefusesWhatNoScaleCanHold) {
    std::vector<float> values(32, 1.0f);
    const auto error_of = [&](GgufType type, float value) -> std::string {
        values[5] = value;
        try {
            quantize("blk.0.attn_q.weight", type, values);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(error_of(GgufType::q8_0, std::nanf("")),
              "write model: tensor blk.0.attn_q.weight has nan as value 5, which no quantised type can hold; go back "
              "to a state before the weights were damaged");
    EXPECT_NE(error_of(GgufType::q4_1, std::numeric_limits<float>::infinity()), "");
    EXPECT_EQ(error_of(GgufType::q8_0, 65504.0f * 127), "");
    EXPECT_NE(error_of(GgufType::q8_0, 65520.0f * 127), "") << "its scale would become infinite";
    EXPECT_THROW(quantize("t", GgufType::q8_0, std::span(values).first(31)), std::logic_error);
    EXPECT_THROW(quantize("t", GgufType::q4_k, values), std::logic_error);
}

// Every half that is not NaN, and the midpoints between neighbours, which go to the even one.
TEST(Quantize, RoundsHalvesToTheNearestAndTiesToEven) {
    for (std::uint32_t bits = 0; bits < 0x7c00u; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const float value = float_from_half(half);
        ASSERT_EQ(half_from_float(value), half);
        ASSERT_EQ(half_from_float(-value), half | 0x8000u);
        const float next =
            bits + 1 < 0x7c00u ? float_from_half(static_cast<std::uint16_t>(bits + 1)) : 65536.0f;
        const float middle = value + (next - value) / 2;  // exact: one bit more than a half has
        ASSERT_EQ(half_from_float(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
        ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0f)), bits);
        ASSERT_EQ(half_from_float(std::nextafter(middle, 1e30f)), bits + 1);
    }
    EXPECT_EQ(half_from_float(std::numeric_limits<float>::infinity()), 0x7c00u);
    EXPECT_TRUE(std::isnan(float_from_half(half_from_float(std::nanf("")))));
}

TEST(Quantize, RoundsBrainFloatsToTheNearestAndTiesToEven) {
    EXPECT_EQ(bfloat16_from_float(1.0f), 0x3f80u);
    EXPECT_EQ(bfloat16_from_float(std::bit_cast<float>(0x3f808000u)), 0x3f80u);  // a tie, even stays
    EXPECT_EQ(bfloat16_from_float(std::bit_cast<float>(0x3f808001u)), 0x3f81u);
    EXPECT_EQ(bfloat16_from_float(std::bit_cast<float>(0x3f818000u)), 0x3f82u);  // a tie, odd goes up
    EXPECT_EQ(bfloat16_from_float(std::bit_cast<float>(0x3f817fffu)), 0x3f81u);
    EXPECT_EQ(bfloat16_from_float(-std::numeric_limits<float>::infinity()), 0xff80u);
    EXPECT_EQ(bfloat16_from_float(std::numeric_limits<float>::max()), 0x7f80u);
    EXPECT_TRUE(std::isnan(
        std::bit_cast<float>(static_cast<std::uint32_t>(bfloat16_from_float(std::nanf(""))) << 16)));
}

}  // namespace
}  // namespace plumbline
