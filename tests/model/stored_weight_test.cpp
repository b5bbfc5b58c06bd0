// Products with weights as their file stores them against plain products of the same numbers.

#include "core/model/stored_weight.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/api/errors.h"
#include "core/formats/quantize.h"
#include "core/model/frozen_linear.h"
#include "core/model/stored_kernels.h"
#include "tests/support/gguf_writer.h"
#include "tests/support/temp_folder.h"

namespace plumbline {
namespace {

using at::Tensor;

/// A matrix as blocks, and the numbers that the blocks stand for.
struct Blocks {
    Blocks(GgufType type, std::int64_t out, std::int64_t in) : rows{type, out, in, 0, {}} {
        const Tensor values = at::randn({out, in});
        const std::string text =
            quantize("w", type, {values.const_data_ptr<float>(), static_cast<std::size_t>(out * in)});
        bytes.assign(reinterpret_cast<const std::byte*>(text.data()),
                     reinterpret_cast<const std::byte*>(text.data() + text.size()));
        plain = at::empty({out, in});
        GgufTensor tensor{"w", type, {out, in}, out * in, bytes};
        dequantize(tensor, {plain.data_ptr<float>(), static_cast<std::size_t>(out * in)});
    }
    StoredWeight::Reader reader() const {
        return [all = bytes](const StoredRows&) { return std::make_shared<const std::vector<std::byte>>(all); };
    }
    StoredRows rows;
    std::vector<std::byte> bytes;
    Tensor plain;
};

double off(const Tensor& ours, const Tensor& theirs) {
    return ((ours.to(at::kDouble) - theirs).norm() / theirs.norm()).item<double>();
}

struct Case {
    GgufType type;
    Precision precision;
};

class Stored : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        at::manual_seed(5);
        if (!loops::multiplies_stored(GetParam().type, rounds())) {
            GTEST_SKIP() << "this processor has no such kernel";
        }
    }
    bool rounds() const { return GetParam().precision == Precision::bf16; }
    at::ScalarType number() const { return rounds() ? at::kBFloat16 : at::kFloat; }
    std::shared_ptr<const StoredWeight> weight_of(const Blocks& blocks) const {
        return StoredWeight::of({blocks.rows}, blocks.reader(), GetParam().precision);
    }
};

// Sizes that leave a group of outputs, a tile of rows and a part of a row unfilled.
TEST_P(Stored, EqualsThePlainProduct) {
    for (const auto& [out, in] : {std::pair<std::int64_t, std::int64_t>{16, 32}, {37, 96}, {3, 576}, {50, 1536}, {129, 672}}) {
        const Blocks blocks(GetParam().type, out, in);
        const auto weight = weight_of(blocks);
        for (const std::int64_t rows : {1, 2, 4, 7, 8, 16, 17, 32}) {
            const Tensor x = at::randn({rows, in}).to(number());
            const Tensor theirs = at::linear(x.to(at::kDouble), blocks.plain.to(number()).to(at::kDouble));
            const Tensor ours = weight->product(x);
            ASSERT_EQ(ours.scalar_type(), number());
            const double tolerance = rounds() ? 3e-3 : 1e-6;   // a result in bf16 has eight bits
            EXPECT_LT(off(ours, theirs), tolerance) << rows << " rows, " << out << " x " << in;
            EXPECT_GT(off(ours.to(at::kFloat) * (1 + 2 * tolerance), theirs), tolerance);
        }
    }
}

TEST_P(Stored, SumsInOneOrderInAnyBatch) {
    const Blocks blocks(GetParam().type, 83, 608);
    const auto weight = weight_of(blocks);
    const Tensor x = at::randn({32, 608}).to(number());
    const Tensor all = weight->product(x);
    for (const std::int64_t rows : {1, 3, 8, 20}) {
        EXPECT_TRUE(at::equal(weight->product(x.narrow(0, 5, rows).contiguous()), all.narrow(0, 5, rows))) << rows;
    }
}

TEST_P(Stored, PartsLieOneBelowTheOther) {
    const Blocks above(GetParam().type, 24, 64), below(GgufType::q8_0, 40, 64);
    const auto weight = StoredWeight::of(
        {above.rows, below.rows},
        [&](const StoredRows& part) { return (part.rows == 24 ? above : below).reader()(part); }, GetParam().precision);
    const Tensor x = at::randn({3, 64}).to(number());
    const Tensor both = weight->product(x);
    EXPECT_TRUE(at::equal(both.narrow(1, 0, 24), weight_of(above)->product(x)));
    EXPECT_TRUE(at::equal(both.narrow(1, 24, 40), StoredWeight::of({below.rows}, below.reader(), GetParam().precision)->product(x)));
}

// Many rows go through the packed weight, few through the stored one; nothing but rounding tells them apart.
TEST_P(Stored, ServesALayerOfFewRows) {
    const Blocks blocks(GetParam().type, 48, 96);
    FrozenLinear layer(blocks.plain, GetParam().precision);
    int reads = 0;
    layer.multiply_few_by(StoredWeight::of({blocks.rows}, [&](const StoredRows& part) { ++reads; return blocks.reader()(part); },
                                           GetParam().precision));
    const std::int64_t most = StoredWeight::most_rows();
    const Tensor x = at::randn({most + 1, 96});
    const Tensor many = layer.product(x);
    EXPECT_EQ(reads, 0);
    const Tensor few = layer.product(x.narrow(0, 0, most));
    EXPECT_EQ(reads, 1);
    layer.product(x.narrow(0, 0, 1));
    EXPECT_EQ(reads, 1);
    EXPECT_LT(off(few, many.narrow(0, 0, most).to(at::kDouble)), rounds() ? 1e-3 : 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Types, Stored,
                         ::testing::Values(Case{GgufType::q4_0, Precision::f32}, Case{GgufType::q4_1, Precision::f32},
                                           Case{GgufType::q8_0, Precision::f32}, Case{GgufType::q4_0, Precision::bf16},
                                           Case{GgufType::q4_1, Precision::bf16}, Case{GgufType::q8_0, Precision::bf16}),
                         [](const auto& each) {
                             return std::string(name_of(each.param.type)) + (each.param.precision == Precision::bf16 ? "bf16" : "f32");
                         });

// Where there is a matrix unit, what serves the others is compared with it here.
TEST(StoredKernels, WithAndWithoutTilesAgree) {
    if (!loops::multiplies_stored(GgufType::q4_1, true)) {
        GTEST_SKIP() << "this processor has no such kernel";
    }
    at::manual_seed(6);
    const Blocks blocks(GgufType::q4_1, 70, 736);
    const loops::StoredBlocks weight{GgufType::q4_1, blocks.bytes.data(), 70, 736};
    for (const std::int64_t rows : {1, 8, 19}) {
        const Tensor x = at::randn({rows, 736}).to(at::kBFloat16);
        Tensor chosen = at::zeros({rows, 70}, at::kBFloat16), plain = chosen.clone();
        const auto* from = static_cast<const std::uint16_t*>(x.const_data_ptr());
        loops::stored_product(weight, from, rows, 0, 70, static_cast<std::uint16_t*>(chosen.data_ptr()), 70);
        loops::stored_bf16(weight, from, rows, 0, 70, static_cast<std::uint16_t*>(plain.data_ptr()), 70);
        EXPECT_LT(off(chosen, plain.to(at::kDouble)), 1e-3);
        EXPECT_GT(off(chosen.to(at::kFloat) * 1.003, plain.to(at::kDouble)), 1e-3);
    }
}

TEST(StoredWeight, IsNoneForTypesWithoutAKernel) {
    const StoredRows rows{GgufType::q6_k, 4, 256, 0, {}};
    EXPECT_EQ(StoredWeight::of({rows}, {}, Precision::f32), nullptr);
}

class KeptFileTest : public ::testing::Test {
  protected:
    void SetUp() override { testing::write_whole(path, "0123456789abcdef"); }
    static std::string error_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            return error.what();
        }
        return "none";
    }
    testing::TempFolder folder;
    std::filesystem::path path = folder / "weights.gguf";
};

TEST_F(KeptFileTest, GivesRowsInTheOrderAsked) {
    const KeptFile file(path);
    StoredRows rows{GgufType::f16, 2, 2, 4, {}};   // rows of 4 bytes
    const auto text = [&] {
        const std::vector<std::byte> bytes = rows.read(file);
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    EXPECT_EQ(text(), "456789ab");
    rows.places = {2, 1};
    EXPECT_EQ(text(), "cdef89ab");
}

TEST_F(KeptFileTest, KeepsAFileThatIsReplaced) {
    const KeptFile file(path);
    testing::write_whole(folder / "new", "another one");
    std::filesystem::rename(folder / "new", path);
    std::vector<std::byte> out(4);
    EXPECT_NO_THROW(file.read(0, out));
    EXPECT_EQ(static_cast<char>(out[0]), '0');
}

TEST_F(KeptFileTest, RefusesAFileThatWasWrittenTo) {
    const KeptFile file(path);
    std::ofstream(path, std::ios::app) << "more";
    std::vector<std::byte> out(4);
    EXPECT_EQ(error_of([&] { file.read(0, out); }),
              "read model: weights.gguf: it has been written to since it was opened; open the model again");
}

TEST_F(KeptFileTest, RefusesAFileThatWasCut) {
    const KeptFile file(path);
    std::filesystem::resize_file(path, 6);
    std::vector<std::byte> out(4);
    EXPECT_EQ(error_of([&] { file.read(4, out); }), "read model: weights.gguf: it has been cut; open the model again");
}

TEST_F(KeptFileTest, RefusesAFileThatIsNotThere) {
    EXPECT_EQ(error_of([&] { KeptFile(folder / "none.gguf"); }),
              "read model: none.gguf: No such file or directory; open the model again");
}

}  // namespace
}  // namespace plumbline
