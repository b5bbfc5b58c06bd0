// Forward passes, losses and optimiser steps with every weight on the `meta` device, which has shapes and no numbers:
// what a run on another device than the CPU needs is that no operation meets tensors of two devices, and that can be
// seen here without one.

#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>
#include <torch/library.h>

#include <array>
#include <set>
#include <string>

#include "core/model/decoder.h"
#include "core/model/kv_cache.h"
#include "core/model/lora.h"
#include "core/training/adamw.h"
#include "core/training/grpo.h"
#include "core/training/preference.h"
#include "core/training/reward_model.h"
#include "core/training/rloo.h"
#include "tests/support/made_decoder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::still;

// What the library has no kernels for on this device, but has on others: shapes as the CPU's kernel gives them for zeros.
void by_shape(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
    const auto arguments = static_cast<std::ptrdiff_t>(op.schema().arguments().size());
    for (auto value = stack->end() - arguments; value != stack->end(); ++value) {
        if (value->isTensor() && value->toTensor().defined()) {
            *value = at::zeros_like(value->toTensor(), at::TensorOptions().device(at::kCPU));
        }
    }
    op.callBoxed(stack);
    const auto results = static_cast<std::ptrdiff_t>(op.schema().returns().size());
    for (auto value = stack->end() - results; value != stack->end(); ++value) {
        if (value->isTensor() && value->toTensor().defined()) {
            *value = value->toTensor().to(at::kMeta);
        }
    }
}
at::Scalar read_back(const Tensor&) { return 1.0; }   // so that the code around a loss goes on
void adamw_step(at::TensorList weights, at::TensorList grads, at::TensorList first, at::TensorList second,
                at::TensorList, at::TensorList counts, double, double, double, double, double, bool, bool,
                const std::optional<Tensor>&, const std::optional<Tensor>&) {
    for (const at::TensorList list : {weights, grads, first, second, counts}) {
        for (const Tensor& t : list) {
            TORCH_CHECK(t.is_meta(), "a tensor of the optimiser is on ", t.device());
        }
    }
}
TORCH_LIBRARY_IMPL(aten, Meta, kernels) {
    kernels.impl("_local_scalar_dense", read_back);
    kernels.impl("_fused_adamw_", adamw_step);
    using Key = c10::DispatchKey;
    for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
        const auto op = c10::Dispatcher::singleton().findSchema(name);
        if (!op || name.getNamespace() != "aten" || !op->hasKernelForDispatchKey(Key::CPU) ||
            op->hasKernelForDispatchKey(Key::Meta) || op->hasKernelForDispatchKey(Key::CompositeExplicitAutograd) ||
            op->hasKernelForDispatchKey(Key::CompositeExplicitAutogradNonFunctional)) {
            continue;
        }
        const std::string overload = name.overload_name.empty() ? "" : "." + name.overload_name;
        kernels.impl((name.name + overload).c_str(), torch::CppFunction::makeFromBoxedFunction<&by_shape>());
    }
}

/// While it lives, notes every operation that meets tensors of two devices. Copies may, and a number is no tensor.
class DeviceWatch {
  public:
    DeviceWatch() : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(look).needsInputs(true))) {
        mixed().clear();
    }
    ~DeviceWatch() { at::removeCallback(handle_); }
    DeviceWatch(const DeviceWatch&) = delete;
    DeviceWatch& operator=(const DeviceWatch&) = delete;

    static std::set<std::string>& mixed() {
        static std::set<std::string> names;
        return names;
    }

  private:
    static void collect(const c10::IValue& value, std::set<at::DeviceType>& devices) {
        if (value.isTensor() && value.toTensor().defined() && value.toTensor().dim() > 0) {
            devices.insert(value.toTensor().device().type());
        } else if (value.isTensorList()) {
            for (const Tensor& t : value.toTensorVector()) {
                collect(t, devices);
            }
        } else if (value.isList()) {
            for (const c10::IValue& item : value.toListRef()) {
                collect(item, devices);
            }
        }
    }
    static std::unique_ptr<at::ObserverContext> look(const at::RecordFunction& call) {
        const std::string name = call.name();
        std::set<at::DeviceType> devices;
        for (const c10::IValue& value : call.inputs()) {
            collect(value, devices);
        }
        if (devices.size() > 1 && name != "aten::copy_" && name != "aten::_to_copy") {
            mixed().insert(name);
        }
        return nullptr;
    }
    at::CallbackHandle handle_;
};

DecoderConfig small_config() {
    DecoderConfig c;
    c.vocab = 300;
    c.hidden = 32;
    c.blocks = 2;
    c.heads = 4;
    c.kv_heads = 2;
    c.head_dim = 8;
    c.mlp = 64;
    c.context = 64;
    return c;
}

Tensor on_meta(at::IntArrayRef shape) { return at::empty(shape, at::TensorOptions(at::kFloat).device(at::kMeta)); }

Decoder meta_decoder(Precision precision) {
    return testing::made_decoder(small_config(), precision, [](const auto& shape) { return on_meta(shape); });
}

LoraConfig every_block() {
    LoraConfig config;
    config.lora_first_block = 0;
    return config;
}

const Sequence short_reply{{5, 6, 7, 8, 9}, 2}, long_reply{{5, 6, 7, 8, 9, 10, 11}, 2};

std::vector<Rollout> some_rollouts() {
    std::vector<Rollout> out;
    for (const Sequence& sequence : {short_reply, long_reply}) {
        Rollout rollout;
        rollout.sequence = sequence;
        rollout.logprobs.assign(static_cast<std::size_t>(sequence.reply_length()), -1.0f);
        rollout.reference_logprobs.assign(static_cast<std::size_t>(sequence.reply_length()), -1.5f);
        rollout.score = static_cast<double>(out.size());
        out.push_back(std::move(rollout));
    }
    return out;
}

class MetaDevice : public ::testing::TestWithParam<Precision> {
  protected:
    /// A policy's gradients by `gradients`, then a step.
    void expect_one_device(const std::function<void(const Decoder&, const LoraAdapter&)>& gradients) {
        const Decoder decoder = meta_decoder(GetParam());
        LoraAdapter adapter = LoraAdapter::fresh(decoder.config(), every_block(), 1, decoder.device());
        adapter.require_grad(true);
        AdamW optimizer(adapter.tensors(), adapter.tensor_names());
        const DeviceWatch watch;
        gradients(decoder, adapter);
        for (const Tensor& t : adapter.tensors()) {
            ASSERT_TRUE(t.grad().defined());
            EXPECT_TRUE(t.is_meta() && t.grad().is_meta());
        }
        optimizer.step(1e-3, 0, 1);
        EXPECT_EQ(DeviceWatch::mixed(), std::set<std::string>{});
        for (const Tensor& t : optimizer.state()) {
            EXPECT_TRUE(t.is_meta());
        }
    }
};

TEST_P(MetaDevice, PairsTrainThePolicy) {
    expect_one_device([](const Decoder& decoder, const LoraAdapter& adapter) {
        const PreferencePair pair{short_reply, long_reply, {}, {}, -3, -4};
        for (const char* loss : {"dpo", "ipo", "simpo", "orpo"}) {
            preference_gradients(decoder, adapter, {&pair, 1}, pair_loss(loss), {}, still);
        }
    });
}

TEST_P(MetaDevice, SamplesTrainThePolicy) {
    expect_one_device([](const Decoder& decoder, const LoraAdapter& adapter) {
        PolicyGradientSettings settings;
        settings.group_size = 2;
        rloo_gradients(decoder, adapter, some_rollouts(), settings, still);
        settings.kl_in = KlPlace::loss;
        settings.kl_estimator = KlEstimator::k3;
        grpo_gradients(decoder, adapter, some_rollouts(), settings, still);
    });
}

TEST_P(MetaDevice, PairsTrainTheRewardModel) {
    const Decoder decoder = meta_decoder(GetParam());
    RewardModel model{LoraAdapter::fresh(decoder.config(), every_block(), 1, decoder.device()), on_meta({1, 32})};
    model.require_grad(true);
    AdamW optimizer(model.tensors(), model.tensor_names());
    const RewardPair pair{short_reply, long_reply};
    const DeviceWatch watch;
    const Tensor of_tokens = token_rewards(decoder, model, pack(std::array{short_reply, long_reply}), still);   // (M)
    bradley_terry_loss(of_tokens.slice(0, 2, 3), of_tokens.slice(0, 7, 8), 0, 0.01).sum().backward();
    optimizer.step(1e-3, 0, 1);
    EXPECT_EQ(DeviceWatch::mixed(), std::set<std::string>{});
}

TEST_P(MetaDevice, TokensAreDecodedOneByOne) {
    at::NoGradGuard no_grad;
    const Decoder decoder = meta_decoder(GetParam());
    const LoraAdapter adapter = LoraAdapter::fresh(decoder.config(), every_block(), 1, decoder.device());
    const DeviceWatch watch;
    KvCache cache(decoder.config(), 3, 4, decoder.device());
    const auto ids = [](std::vector<std::int64_t> values) { return at::tensor(values, at::kLong); };
    for (const std::int64_t rows : {2, 1}) {   // two prompts
        cache.add_group(rows, 4);
        EXPECT_TRUE(decoder.prefill(ids({1, 2, 3, 4}), cache, &adapter, still).is_meta());
    }
    decoder.step(ids({5, 6, 7}), cache, &adapter);
    cache.keep_rows({0, 2});
    const Tensor logits = decoder.logits(decoder.step(ids({5, 6}), cache, &adapter), &adapter);
    EXPECT_TRUE(logits.is_meta());
    EXPECT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, 300}));
    EXPECT_EQ(DeviceWatch::mixed(), std::set<std::string>{});
}

// What the tests above would see.
TEST_P(MetaDevice, ATensorOnAnotherDeviceIsSeen) {
    const Decoder decoder = meta_decoder(GetParam());
    const LoraAdapter left_behind = LoraAdapter::fresh(decoder.config(), every_block(), 1);
    const PackedBatch batch = pack({&short_reply, 1});
    const DeviceWatch watch;
    try {
        policy_logprobs(decoder, &left_behind, batch, {}, 1.0, still);
    } catch (const c10::Error&) {
        return;   // the library sees it by itself in many operations
    }
    EXPECT_NE(DeviceWatch::mixed(), std::set<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(InEachPrecision, MetaDevice, ::testing::Values(Precision::f32, Precision::bf16),
                         [](const auto& each) { return each.param == Precision::f32 ? "f32" : "bf16"; });

}  // namespace
}  // namespace plumbline
