// The same forward pass, loss and step on a CUDA device as on the CPU. Skipped, visibly, where there is none.

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "core/model/decoder.h"
#include "core/model/lora.h"
#include "core/training/adamw.h"
#include "core/training/preference.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::still;

/// The library's CUDA side is loaded where it is installed.
bool has_cuda() {
    static const bool found = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr && at::hasCUDA();
    return found;
}

/// The golden tiny model's backbone with every weight on `device`.
Decoder backbone_on(at::Device device, Precision precision) {
    const Decoder& from = testing::golden_model().decoder();
    std::vector<DecoderBlock> blocks;
    for (int i = 0; i < from.config().blocks; ++i) {
        const DecoderBlock& b = from.block(i);
        const auto moved = [&](const FrozenLinear& layer) {
            return FrozenLinear(layer.dense().to(device), precision);
        };
        DecoderBlock& to = blocks.emplace_back();
        to.qkv = moved(b.qkv);
        to.output = moved(b.output);
        to.gate_up = moved(b.gate_up);
        to.down = moved(b.down);
        for (const BlockVector norm : {BlockVector::attention_norm, BlockVector::mlp_norm}) {
            to.vector(norm) = b.vector(norm).to(device);
        }
    }
    const Tensor table = from.ends().embedding.dense().to(device);
    DecoderEnds ends;
    ends.embedding = FrozenLinear(table, precision);
    ends.embedding.keep_plain(table);
    ends.final_norm = from.ends().final_norm.to(device);
    return {from.config(), std::move(ends), std::move(blocks)};
}

/// The policy's weights after one step on a pair, on the CPU, as one row.
Tensor weights_after_a_step(at::Device device, Precision precision) {
    const Decoder decoder = backbone_on(device, precision);
    LoraAdapter adapter = LoraAdapter::fresh(decoder.config(), {}, 1, device);
    adapter.require_grad(true);
    AdamW optimizer(adapter.tensors(), adapter.tensor_names());
    const PreferencePair pair{
        {{37, 262, 78, 70, 276}, 2}, {{37, 262, 331, 78, 82, 376}, 2}, {}, {}, -20, -10};
    preference_gradients(decoder, adapter, {&pair, 1}, pair_loss("dpo"), {}, still);
    optimizer.step(1e-2, 0, 0.1);
    std::vector<Tensor> rows;
    for (const Tensor& t : adapter.tensors()) {
        rows.push_back(t.detach().to(at::kCPU).reshape({-1}));
    }
    return at::cat(rows);
}

class OnCuda : public ::testing::TestWithParam<Precision> {};

TEST_P(OnCuda, AStepIsTheCpus) {
    if (!has_cuda()) {
        GTEST_SKIP() << "there is no CUDA device, or libtorch_cuda.so is not installed";
    }
    const Tensor expected = weights_after_a_step(at::kCPU, GetParam());
    const Tensor ours = weights_after_a_step(at::Device(at::kCUDA, 0), GetParam());
    // Adam's first step is the rate times the gradient's sign: a share of signs may differ where gradients
    // are near 0.
    const auto share = [&](const Tensor& other) {
        return ((other - expected).abs() > 1e-3).to(at::kFloat).mean().item<double>();
    };
    EXPECT_LT(share(ours), GetParam() == Precision::f32 ? 0.01 : 0.1);
    EXPECT_GT(share(-expected), 0.1) << "another step is told apart";
}

INSTANTIATE_TEST_SUITE_P(InEachPrecision, OnCuda, ::testing::Values(Precision::f32, Precision::bf16),
                         [](const auto& each) { return each.param == Precision::f32 ? "f32" : "bf16"; });

}  // namespace
}  // namespace plumbline
