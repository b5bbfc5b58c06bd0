#include "core/training/policy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>

#include "core/api/recommended.h"
#include "core/model/full_weights.h"
#include "core/model/lora.h"
#include "core/training/passes.h"
#include "core/training/token_logprobs.h"

namespace plumbline {

using at::Tensor;

namespace {

std::vector<float> to_floats(const Tensor& t) {
    const Tensor plain = t.to(at::kCPU, at::kFloat).contiguous();
    return {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()};
}

}  // namespace

std::unique_ptr<Adapter> new_policy(const Decoder& decoder, const LoraConfig& config, std::uint64_t seed) {
    std::unique_ptr<Adapter> policy;
    if (trains_all_weights(config, decoder.config().parameters())) {
        policy = std::make_unique<FullWeights>(FullWeights::of(decoder));
    } else {
        policy = std::make_unique<LoraAdapter>(LoraAdapter::fresh(decoder.config(), config, seed, decoder.device()));
    }
    policy->require_grad(true);
    return policy;
}

double ReferenceFacts::sum() const { return std::accumulate(logprobs.begin(), logprobs.end(), 0.0); }
double ReferenceFacts::sum_t1() const { return std::accumulate(logprobs_t1.begin(), logprobs_t1.end(), 0.0); }

std::vector<ReferenceFacts> reference_facts(const Decoder& decoder, std::span<const Sequence> sequences, int first_block,
                                            double temperature, Want want, const Pulse& pulse,
                                            Prompts prompts) {
    at::NoGradGuard no_grad;
    const PackedBatch batch = pack(sequences, prompts);
    const int blocks = decoder.config().blocks, middle = blocks / 2;
    Tensor h = decoder.embed(batch, nullptr);   // (N, D)
    int at_block = 0;
    const auto run_to = [&](int block) {
        h = decoder.run(h, batch, at_block, block, nullptr, pulse);
        at_block = block;
        return h;
    };
    Tensor lower, at_middle;
    if (first_block <= middle) {
        lower = run_to(first_block);
        at_middle = want == Want::everything ? run_to(middle) : Tensor();
    } else {
        at_middle = run_to(middle);
        lower = run_to(first_block);
    }
    std::vector<ReferenceFacts> facts(sequences.size());
    for (std::size_t i = 0; i < facts.size(); ++i) {
        facts[i].lower = rows_of(batch, lower, static_cast<std::int64_t>(i));
    }
    if (want == Want::lower_only) {
        return facts;
    }
    const Tensor predictors = run_to(blocks).index_select(0, batch.predictors.to(h.device()));   // (M, D)
    const Tensor both = reference_logprobs(decoder, predictors, batch.targets, {temperature, 1.0}, pulse);   // (2, M)
    const std::vector<float> tempered = to_floats(both[0]), plain = to_floats(both[1]);
    const Tensor reply_states = at_middle.index_select(0, batch.reply_rows.to(h.device()));   // (M, D)
    for (std::size_t i = 0; i < facts.size(); ++i) {
        const std::int64_t begin = batch.reply_starts[i], end = batch.reply_starts[i + 1];
        facts[i].logprobs.assign(tempered.begin() + begin, tempered.begin() + end);
        facts[i].logprobs_t1.assign(plain.begin() + begin, plain.begin() + end);
        facts[i].features = end > begin ? to_floats(reply_states.slice(0, begin, end).mean(0))
                                        : std::vector<float>(decoder.config().hidden, 0.0f);
    }
    return facts;
}

Tensor policy_states(const Decoder& decoder, const Adapter* adapter, const PackedBatch& batch, const Tensor& lower,
                     const Pulse& pulse) {
    const int first = adapter ? adapter->first_block() : decoder.config().blocks;
    Tensor h = lower;
    if (adapter && adapter->owns_embedding()) {
        h = decoder.embed(batch, adapter);
    } else if (!h.defined()) {
        at::NoGradGuard no_grad;   // nothing below the adapter trains
        h = decoder.run(decoder.embed(batch, nullptr), batch, 0, first, nullptr, pulse);
    }
    h = decoder.run(h, batch, first, decoder.config().blocks, adapter, pulse);
    return h.index_select(0, batch.predictors.to(h.device(), /*non_blocking=*/true));   // (M, D)
}

Tensor policy_logprobs(const Decoder& decoder, const Adapter* adapter, const PackedBatch& batch,
                       const Tensor& lower, double temperature, const Pulse& pulse) {
    if (at::GradMode::is_enabled() && !(adapter && adapter->owns_embedding())) {
        decoder.head().prepare_backward();
    }
    const Tensor states = policy_states(decoder, adapter, batch, lower, pulse);
    return token_logprobs(decoder, adapter, states, batch.targets, temperature, pulse);   // (M)
}

std::vector<double> reply_logprobs(const Decoder& decoder, const Adapter* adapter, std::span<const Sequence> sequences,
                                   const Pulse& pulse) {
    const at::NoGradGuard no_grad;
    const auto rows = [&](const Sequence& sequence) -> std::int64_t {
        const bool shares = &sequence != sequences.data() && have_one_prompt(*(&sequence - 1), sequence);
        return shares ? sequence.reply_length() : static_cast<std::int64_t>(sequence.ids.size());
    };
    std::vector<double> out;
    for (const std::span<const Sequence> part : in_passes(sequences, rows, rows_of_a_plain_pass)) {
        const PackedBatch batch = pack(part, Prompts::shared);
        const std::vector<float> sums =
            to_floats(sum_replies(batch, policy_logprobs(decoder, adapter, batch, {}, 1.0, pulse)));
        out.insert(out.end(), sums.begin(), sums.end());
    }
    return out;
}

}  // namespace plumbline
