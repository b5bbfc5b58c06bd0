#include "core/model/lora.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/api/errors.h"
#include "core/formats/peft.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using testing::golden_model;

TEST(Lora, FreshAdapterCoversTheUpperHalfAndDoesNothing) {
    const DecoderConfig& model = golden_model().decoder().config();
    const LoraAdapter adapter = LoraAdapter::fresh(model, LoraConfig{}, 7);
    EXPECT_EQ(adapter.first_block(), model.blocks / 2);
    EXPECT_EQ(adapter.tensors().size(), static_cast<std::size_t>(model.blocks) / 2 * linear_modules(model).size() * 2);
    const at::Tensor x = at::randn({3, model.hidden});
    for (const int block : {0, model.blocks - 1}) {   // not adapted, and adapted with B zero
        const FrozenLinear& frozen = golden_model().decoder().block(block).qkv;
        EXPECT_TRUE(at::equal(adapter.linear(frozen, {x}, block, BlockProduct::qkv), frozen(x)));
    }
    EXPECT_TRUE(at::equal(LoraAdapter::fresh(model, LoraConfig{}, 7).tensors()[0], adapter.tensors()[0]));
    EXPECT_FALSE(at::equal(LoraAdapter::fresh(model, LoraConfig{}, 8).tensors()[0], adapter.tensors()[0]));
}

TEST(Lora, GoesThroughPeftAndBack) {
    const DecoderConfig& model = golden_model().decoder().config();
    const LoraAdapter adapter = LoraAdapter::from_peft(model, read_peft(testing::golden_path("tiny_adapter")));
    const testing::TempFolder folder;
    PeftAdapter peft;
    adapter.to_peft(peft);
    write_peft(folder / "adapter", peft);
    const LoraAdapter again = LoraAdapter::from_peft(model, read_peft(folder / "adapter"));
    ASSERT_EQ(again.tensors().size(), adapter.tensors().size());
    for (std::size_t i = 0; i < adapter.tensors().size(); ++i) {
        EXPECT_TRUE(at::equal(again.tensors()[i], adapter.tensors()[i]));
    }
    EXPECT_EQ(again.scale(), adapter.scale());
    EXPECT_EQ(again.tensor_names(), adapter.tensor_names());
}

TEST(Lora, RefusesAnotherModelsAdapter) {
    DecoderConfig other = golden_model().decoder().config();
    other.hidden *= 2;
    EXPECT_THROW(LoraAdapter::from_peft(other, read_peft(testing::golden_path("tiny_adapter"))), Error);
    other = golden_model().decoder().config();
    other.blocks = 2;
    EXPECT_THROW(LoraAdapter::from_peft(other, read_peft(testing::golden_path("tiny_adapter"))), Error);
    LoraConfig late;
    late.lora_first_block = 99;
    EXPECT_THROW(LoraAdapter::fresh(golden_model().decoder().config(), late, 0), ConfigError);
}

TEST(Lora, ShrinkMovesTowardsTheReference) {
    const DecoderConfig& model = golden_model().decoder().config();
    LoraAdapter adapter = LoraAdapter::from_peft(model, read_peft(testing::golden_path("tiny_adapter")));
    const LoraAdapter copy = adapter.clone();
    const at::Tensor x = at::randn({2, model.hidden});
    const FrozenLinear& frozen = golden_model().decoder().block(1).output;
    const auto added = [&](const LoraAdapter& by) { return by.linear(frozen, {x}, 1, BlockProduct::output) - frozen(x); };
    const at::Tensor before = added(adapter);
    EXPECT_GT(before.abs().max().item<double>(), 1e-3);
    adapter.shrink(0.5);
    EXPECT_TRUE(at::allclose(added(adapter), 0.5 * before, 1e-4, 1e-5));
    EXPECT_TRUE(at::equal(added(copy), before)) << "a clone has weights of its own";
}

}  // namespace
}  // namespace plumbline
