// What is foretold of memory against what is held, and the refusal of what would not fit.

#include "core/lab/memory_check.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/api/memory_forecast.h"
#include "core/model/lora.h"
#include "core/training/policy.h"
#include "tests/lab/engine_driver.h"
#include "tests/support/golden_file.h"
#include "tests/support/made_decoder.h"
#include "tests/support/temp_folder.h"
#include "tests/support/torch_model.h"

namespace plumbline {
namespace {

using at::Tensor;
using testing::golden_path;
using testing::still;

/// SmolLM2's widths; the number of blocks is the test's.
DecoderConfig smol_shape() {
    DecoderConfig c;
    c.vocab = 300;
    c.hidden = 576;
    c.heads = 9;
    c.kv_heads = 3;
    c.head_dim = 64;
    c.mlp = 1536;
    c.context = 256;
    return c;
}

/// Bytes of tensors that this thread has made and not let go since.
class TensorBytes : public c10::MemoryReportingInfoBase {
  public:
    void reportMemoryUsage(void*, std::int64_t change, std::size_t, std::size_t, c10::Device) override {
        bytes += change;
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::int64_t bytes = 0;
};

/// Bytes that the graph of `replies` of `reply` tokens to one prompt of as many keeps alive, by the
/// allocator's account.
std::int64_t graph_bytes(const Decoder& decoder, const LoraAdapter& adapter, std::size_t replies, int reply) {
    const Sequence sequence{std::vector<int>(2 * static_cast<std::size_t>(reply), 3), reply};
    const PackedBatch batch = pack(std::vector<Sequence>(replies, sequence), Prompts::shared);
    policy_states(decoder, &adapter, batch, {}, still);  // what is made once
    const auto counted = std::make_shared<TensorBytes>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counted);
    const Tensor states = policy_states(decoder, &adapter, batch, {}, still);
    return counted->bytes;
}

/// What a block more adds for 32 tokens of prompt and of each reply more, floats.
double measured_floats(DecoderConfig config, int rank, Precision precision, std::size_t replies) {
    at::set_num_threads(1);
    LoraConfig lora;
    lora.lora_rank = rank;
    lora.lora_first_block = 0;
    double slopes[2];
    for (const int i : {0, 1}) {
        config.blocks = 1 + i;
        const Decoder decoder = testing::made_decoder(
            config, precision, [](const auto& shape) { return at::full(shape, 0.1, at::kFloat); });
        LoraAdapter adapter = LoraAdapter::fresh(config, lora, 1);
        adapter.require_grad(true);
        slopes[i] = static_cast<double>(graph_bytes(decoder, adapter, replies, 64) -
                                        graph_bytes(decoder, adapter, replies, 32)) /
                    4;
    }
    return slopes[1] - slopes[0];
}

class Activations : public ::testing::TestWithParam<Precision> {};

TEST_P(Activations, AreAsManyAsForetold) {
    const auto expect_near = [&](const DecoderConfig& config, int rank, std::int64_t replies) {
        const double measured = measured_floats(config, rank, GetParam(), static_cast<std::size_t>(replies));
        const std::int64_t rows = 32 + replies * 32;
        const auto foretold = static_cast<double>(rows * memory::activation_floats(config, rank));
        EXPECT_NEAR(measured / foretold, 1, 0.03) << measured << " floats for " << replies << " replies";
        EXPECT_GT(std::abs(measured / (1.06 * foretold) - 1), 0.03) << "a little more is seen";
    };
    expect_near(smol_shape(), 16, 1);
    expect_near(smol_shape(), 16, 4);
    DecoderConfig other = smol_shape();
    other.hidden = 256;
    other.mlp = 512;
    other.heads = 12;
    expect_near(other, 8, 1);

    DecoderConfig gpt = smol_shape();   // as GPT-2 and OPT
    gpt.family = "gpt2";
    gpt.norm = NormKind::layer;
    gpt.gated = false;
    gpt.kv_heads = gpt.heads;
    gpt.activation = Activation::gelu_tanh;
    gpt.qkv_bias = gpt.output_bias = gpt.mlp_bias = true;
    gpt.positions.assign(2, {BlockPositions::Turn::none, 0});
    expect_near(gpt, 16, 1);
    DecoderConfig neox = gpt;           // as Pythia
    neox.family = "gpt_neox";
    neox.positions.clear();
    neox.rotary_dims = 16;
    neox.parallel = true;
    expect_near(neox, 16, 1);
    DecoderConfig qwen3 = smol_shape();
    qwen3.family = "qwen3";
    qwen3.qk_norm = QkNorm::each_head;
    expect_near(qwen3, 16, 1);
    DecoderConfig olmo = smol_shape();
    olmo.family = "olmo2";
    olmo.pre_norms = false;
    olmo.post_norms = true;
    olmo.qk_norm = QkNorm::whole;
    expect_near(olmo, 16, 1);
    DecoderConfig gemma = smol_shape();
    gemma.family = "gemma3";
    gemma.post_norms = true;
    gemma.qk_norm = QkNorm::each_head;
    gemma.activation = Activation::gelu_tanh;
    expect_near(gemma, 16, 1);
}

INSTANTIATE_TEST_SUITE_P(InEachPrecision, Activations, ::testing::Values(Precision::f32, Precision::bf16),
                         [](const auto& each) { return each.param == Precision::f32 ? "f32" : "bf16"; });

TEST(MemoryNeed, CountsLoraAsTheAdapterHasIt) {
    LoraConfig lora;
    lora.lora_rank = 16;
    lora.lora_first_block = 0;
    DecoderConfig config = smol_shape();
    config.blocks = 2;
    std::int64_t floats = 0;
    for (const Tensor& t : LoraAdapter::fresh(config, lora, 1).tensors()) {
        floats += t.numel();
    }
    EXPECT_EQ(2 * memory::lora_floats(config, 16), floats);
}

TEST(MemoryNeed, CountsAKeptRowAsItsTensor) {
    DecoderConfig config = smol_shape();
    config.blocks = 2;
    const Sequence sequence{std::vector<int>(40, 3), 20};
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
        const Decoder decoder = testing::made_decoder(
            config, precision, [](const auto& shape) { return at::full(shape, 0.1, at::kFloat); });
        const Tensor kept = reference_facts(decoder, {&sequence, 1}, 1, 1.0, Want::lower_only, still).front().lower;
        MemoryWork work;
        work.lora_rank = 16;
        work.graph_rows = 100;
        const std::int64_t without = memory_need(config, precision, work).peak();
        work.kept_rows = kept.size(0);
        EXPECT_EQ(memory_need(config, precision, work).peak() - without, static_cast<std::int64_t>(kept.nbytes()));
    }
}

// A token more costs what a token costs; halved weights cost half.
TEST(MemoryNeed, IsLinearInTheBatch) {
    DecoderConfig config = smol_shape();
    config.blocks = 30;
    const auto peak = [&](std::int64_t tokens) {
        MemoryWork work;
        work.lora_rank = 16;
        work.graph_rows = tokens;
        return memory_need(config, Precision::f32, work).peak();
    };
    EXPECT_NEAR(static_cast<double>(peak(300) - peak(200)), static_cast<double>(peak(200) - peak(100)), 2);
    EXPECT_GT(peak(200), peak(100));
    EXPECT_EQ(memory_need(config, Precision::f32, {}).weights,
              2 * memory_need(config, Precision::bf16, {}).weights);
}

// What goes through the weights backwards needs them turned, all that has something trained below it; or it does not.
TEST(MemoryNeed, ASecondCopyIsCountedWhereOneIsKept) {
    DecoderConfig config = smol_shape();
    config.blocks = 30;
    MemoryWork work;
    work.lora_rank = 16;
    work.graph_rows = 100;
    const std::int64_t two = memory_need(config, Precision::f32, work).peak();
    work.one_copy = true;
    constexpr std::int64_t qkv = 576 * 960, block = qkv + 576 * 576 + 3 * 576 * 1536, head = 300 * 576;
    const auto second = static_cast<double>(two - memory_need(config, Precision::f32, work).peak());
    constexpr double exact = 4.0 * (30 * block - qkv + head), vectors = 1e-3;   // which the forecast counts along
    EXPECT_NEAR(second / exact, 1, vectors);
    EXPECT_GT(std::abs(second / (exact + 4.0 * qkv) - 1), vectors) << "the first block's would be one too many";
}

// What a catalogue says of a model before it is read: the forecast of its session, about.
TEST(MemoryNeed, ASessionIsEstimatedByItsWeights) {
    struct Shape {
        std::int64_t hidden, blocks, heads, kv_heads, mlp, vocab;
    };
    for (const auto& [hidden, blocks, heads, kv_heads, mlp, vocab] :
         {Shape{128, 3, 4, 2, 256, 1100}, {576, 30, 9, 3, 1536, 49152}, {960, 32, 15, 5, 2560, 49152},
          {2048, 24, 32, 32, 8192, 49152}}) {
        DecoderConfig config = smol_shape();
        config.hidden = hidden;
        config.blocks = static_cast<int>(blocks);
        config.heads = heads;
        config.kv_heads = kv_heads;
        config.head_dim = hidden / heads;
        config.mlp = mlp;
        config.vocab = vocab;
        config.context = 2048;
        const std::int64_t weights = config.parameters();
        for (const Precision precision : {Precision::f32, Precision::bf16}) {
            for (const bool one_copy : {true, false}) {
                for (const double stored : {0.0, 0.625}) {   // bytes a weight: of a folder, of Q4_1
                    MemoryWork work = session_memory({}, config);
                    work.one_copy = one_copy;
                    work.stored_bytes = static_cast<std::int64_t>(stored * static_cast<double>(weights));
                    const std::int64_t estimate =
                        memory::session_estimate(weights, vocab * hidden, precision, one_copy);
                    const std::int64_t need = memory_need(config, precision, work).peak();
                    EXPECT_NEAR(static_cast<double>(estimate) / static_cast<double>(need), 1, 0.15)
                        << hidden << (one_copy ? " one copy " : " two copies ") << stored;
                }
            }
        }
    }
}

TEST(MemoryCheck, NamesBothFigures) {
    EXPECT_NO_THROW(require_memory("bench", "this", 1'000'000'000, 1'000'000'000));
    try {
        require_memory("bench", "this", 2'500'000'000, 1'000'000'000);
        FAIL() << "it was let through";
    } catch (const Error& error) {
        const std::string text = error.what();
        EXPECT_TRUE(text.starts_with("bench: this needs about 2500 MB of memory where 1000 MB can be had; "))
            << text;
    }
    EXPECT_NO_THROW(require_memory("bench", "this", 1, reachable_memory()));
    EXPECT_THROW(require_memory("bench", "this", std::int64_t{1} << 50, reachable_memory()), Error)
        << "more than any machine has";
}

EngineOptions with_limit(std::int64_t bytes) {
    EngineOptions options;
    options.threads = 1;
    options.memory_limit = bytes;
    return options;
}

constexpr std::int64_t too_little = 100'000'000, enough = 2'000'000'000;  // bytes, for the golden tiny model

BenchConfig small_bench() {
    BenchConfig config;
    config.repeats = 1;
    config.candidates = 2;
    config.max_new_tokens = 2;
    return config;
}

TEST(MemoryCheck, RefusesABenchThatWouldNotFit) {
    const std::string model = golden_path("tiny_llama.gguf").string();
    EXPECT_THROW(bench(BenchWhat::sample, model, small_bench(), with_limit(too_little), {}), Error);
    EXPECT_GT(bench(BenchWhat::sample, model, small_bench(), with_limit(enough), {}).rss_mb, 50);
}

TEST(MemoryCheck, RefusesATrainingThatWouldNotFit) {
    const testing::TempFolder folder;
    TrainRequest request;
    request.model = golden_path("tiny_llama.gguf").string();
    request.data = golden_path("tiny_pairs.jsonl");
    request.out = folder / "out";
    DpoConfig config;
    config.steps = 1;
    request.config = config;
    EXPECT_THROW(train(request, with_limit(too_little), {}, [](const StepMetrics&) {}), Error);
    EXPECT_FALSE(std::filesystem::exists(folder / "out"));
    EXPECT_EQ(train(request, with_limit(enough), {}, [](const StepMetrics&) {}).steps, 1);
}

TEST(MemoryCheck, RefusesASessionThatWouldNotFit) {
    const testing::TempFolder folder;
    const auto first_failure = [&](std::int64_t limit) -> std::string {
        Engine engine(with_limit(limit));
        engine.post(NewSession{
            (folder / std::to_string(limit)).string(), golden_path("tiny_llama.gguf").string(), {}, {}});
        for (;;) {
            engine.wait_for_events(1000);
            for (const Event& event : engine.take_events()) {
                if (const auto* failed = std::get_if<CommandFailed>(&event.body)) {
                    return failed->message;
                }
                if (std::holds_alternative<SessionOpened>(event.body)) {
                    return "";
                }
            }
        }
    };
    const std::string message = first_failure(too_little);
    EXPECT_TRUE(message.starts_with("open model: this session needs about ")) << message;
    EXPECT_EQ(first_failure(enough), "");
}

TEST(Forecast, GrowsWithTheWork) {
    const auto of = [](const std::string& dtype) {
        std::map<std::string, std::int64_t> out;
        for (const MemoryForecast& each : forecast_memory(golden_path("tiny_llama.gguf").string(), dtype)) {
            out[each.work] = each.bytes;
        }
        return out;
    };
    auto f32 = of("f32"), bf16 = of("bf16");
    EXPECT_LT(f32["open"], f32["dpo"]);
    EXPECT_LT(f32["reward"], f32["dpo"]);
    EXPECT_LT(f32["dpo"], f32["rloo"]);
    EXPECT_LT(bf16["dpo"], f32["dpo"]);
}

}  // namespace
}  // namespace plumbline
