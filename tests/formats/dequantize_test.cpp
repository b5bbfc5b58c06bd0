#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "core/formats/gguf.h"
#include "core/formats/half.h"
#include "tests/support/golden_file.h"

namespace plumbline {
namespace {

std::vector<std::byte> from_hex(const std::string& text) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        out.push_back(static_cast<std::byte>(std::stoi(text.substr(i, 2), nullptr, 16)));
    }
    return out;
}

std::vector<std::uint32_t> bits_of(GgufType type, std::int64_t elements, std::span<const std::byte> data) {
    const GgufTensor tensor{"t", type, {elements}, elements, data};
    std::vector<float> values(static_cast<std::size_t>(elements));
    dequantize(tensor, values);
    std::vector<std::uint32_t> out;
    for (const float value : values) out.push_back(std::bit_cast<std::uint32_t>(value));
    return out;
}

TEST(Dequantize, EqualsTheReferenceToTheLastBit) {
    const auto golden = testing::golden_json("quants.json");
    int types = 0;
    for (const auto& [name, row] : golden["types"].items()) {
        const auto type = static_cast<GgufType>(row["type"].get<std::uint32_t>());
        EXPECT_EQ(name_of(type), name);
        const auto elements = row["elements"].get<std::int64_t>();
        std::vector<std::byte> data = from_hex(row["data"]);
        const auto expected = row["bits"].get<std::vector<std::uint32_t>>();
        ASSERT_EQ(bits_of(type, elements, data), expected) << name;

        // One bit of the data changed must show.
        data[data.size() / 2 + 5] ^= std::byte{0x10};
        EXPECT_NE(bits_of(type, elements, data), expected) << name;
        ++types;
    }
    EXPECT_EQ(types, 11);
}

TEST(Dequantize, ReadsDataAtAnyAddress) {
    const auto golden = testing::golden_json("quants.json");
    for (const auto& [name, row] : golden["types"].items()) {
        const auto data = from_hex(row["data"]);
        std::vector<std::byte> shifted(data.size() + 1);
        std::memcpy(shifted.data() + 1, data.data(), data.size());
        const auto type = static_cast<GgufType>(row["type"].get<std::uint32_t>());
        EXPECT_EQ(bits_of(type, row["elements"], std::span(shifted).subspan(1)),
                  row["bits"].get<std::vector<std::uint32_t>>())
            << name;
    }
}

// The definition: sign, five bits of exponent with bias 15, ten of mantissa.
double half_by_definition(std::uint16_t half) {
    const int exponent = (half >> 10) & 31, mantissa = half & 1023;
    const double sign = half & 0x8000 ? -1 : 1;
    return exponent == 0 ? sign * std::ldexp(mantissa, -24)
                         : sign * std::ldexp(1024 + mantissa, exponent - 25);
}

TEST(Half, IsExactForEveryValue) {
    for (unsigned half = 0; half < 0x10000; ++half) {
        const float value = float_from_half(static_cast<std::uint16_t>(half));
        if ((half & 0x7c00) == 0x7c00) {
            EXPECT_EQ(std::isnan(value), (half & 1023) != 0);
            EXPECT_EQ(std::isinf(value), (half & 1023) == 0);
        } else {
            ASSERT_EQ(value, half_by_definition(static_cast<std::uint16_t>(half)));
        }
        ASSERT_EQ(std::signbit(value), half >= 0x8000);
    }
}

TEST(Dequantize, RefusesAnOutputOfAnotherSize) {
    const std::vector<std::byte> data(18);
    const GgufTensor tensor{"t", GgufType::q4_0, {32}, 32, data};
    std::vector<float> out(31);
    EXPECT_THROW(dequantize(tensor, out), std::logic_error);
    const GgufTensor cut{"t", GgufType::q4_0, {32}, 32, std::span(data).first(17)};
    out.resize(32);
    EXPECT_THROW(dequantize(cut, out), std::logic_error);
}

}  // namespace
}  // namespace plumbline
