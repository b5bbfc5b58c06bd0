#include "core/training/pretrain.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/sampling/counter_random.h"
#include "core/training/policy.h"

namespace plumbline {

using at::Tensor;

namespace {

constexpr std::size_t bucket_batches = 64;  // so many batches are sorted by length together

/// Fisher-Yates with counter-based numbers; `round` sets apart the orders of one epoch.
template <class T>
void shuffle(std::span<T> values, std::uint64_t seed, int epoch, std::uint64_t round) {
    const std::uint64_t index = static_cast<std::uint64_t>(epoch) << 1 | round;
    for (std::size_t i = values.size(); i > 1; --i) {
        const double u = uniform(seed, Use::shuffle, index, static_cast<std::uint32_t>(i));
        std::swap(values[i - 1], values[static_cast<std::size_t>(u * static_cast<double>(i))]);
    }
}

Decoder empty_backbone(const DecoderConfig& config) {
    return {config, {}, std::vector<DecoderBlock>(static_cast<std::size_t>(config.blocks))};
}

FullWeights trainable(const DecoderConfig& model, std::uint64_t seed) {
    FullWeights out = FullWeights::fresh(model, seed);
    out.require_grad(true);
    return out;
}

}  // namespace

Sequence whole_text(std::vector<int> ids) {
    return {std::move(ids), 1};
}

std::vector<std::vector<std::size_t>> bucketed_batches(std::span<const int> lengths, int batch_size,
                                                       std::uint64_t seed, int epoch) {
    const auto size = static_cast<std::size_t>(batch_size);
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    shuffle<std::size_t>(order, seed, epoch, 0);
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t begin = 0; begin < order.size(); begin += size * bucket_batches) {
        const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto last = order.begin() +
                          static_cast<std::ptrdiff_t>(std::min(order.size(), begin + size * bucket_batches));
        std::stable_sort(first, last, [&](std::size_t a, std::size_t b) { return lengths[a] < lengths[b]; });
        for (auto at = first; at != last;) {
            const auto end = at + std::min(static_cast<std::ptrdiff_t>(size), last - at);
            batches.emplace_back(at, end);
            at = end;
        }
    }
    shuffle<std::vector<std::size_t>>(batches, seed, epoch, 1);
    return batches;
}

std::vector<std::vector<std::size_t>> batches_in_order(std::size_t texts, int batch_size) {
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t i = 0; i < texts; ++i) {
        if (i % static_cast<std::size_t>(batch_size) == 0) batches.emplace_back();
        batches.back().push_back(i);
    }
    return batches;
}

double pretraining_rate(const PretrainConfig& config, int step, int total) {
    if (step < config.warmup_steps) return config.lr * (step + 1) / config.warmup_steps;
    const double progress =
        static_cast<double>(step - config.warmup_steps) / std::max(1, total - 1 - config.warmup_steps);
    const auto between = [&](double share) {
        return config.lr * (config.lr_floor + (1 - config.lr_floor) * share);
    };
    switch (config.schedule) {
        case Schedule::linear:
            return between(1 - progress);
        case Schedule::cosine:
            return between(0.5 * (1 + std::cos(M_PI * progress)));
        default:
            return config.lr;
    }
}

DecoderConfig decoder_config(const PretrainConfig& config, std::int64_t vocabulary) {
    DecoderConfig out;
    out.vocab = vocabulary;
    out.hidden = config.hidden;
    out.blocks = config.layers;
    out.heads = config.heads;
    out.kv_heads = config.kv_heads;
    out.head_dim = config.hidden / config.heads;
    out.mlp = config.mlp;
    out.context = config.context;
    return out;
}

Pretrainer::Pretrainer(const DecoderConfig& model, const PretrainConfig& config, double mean_targets)
    : config_(config),
      mean_targets_(mean_targets),
      decoder_(empty_backbone(model)),
      weights_(trainable(model, config.seed)),
      optimizer_(weights_.tensors(), weights_.tensor_names(),
                 {.beta1 = config.adam_beta1, .beta2 = config.adam_beta2}) {}

Pretrainer::Step Pretrainer::step(std::span<const Sequence> sequences, double lr, const Pulse& pulse) {
    const PackedBatch batch = pack(sequences);
    const Tensor logprobs = policy_logprobs(decoder_, &weights_, batch, {}, 1.0, pulse);  // (M)
    const Tensor nats = -logprobs.sum();
    const double total = nats.item<double>();
    if (!std::isfinite(total)) throw NonFinite("the loss is not finite");
    // L = -sum of log p(token | tokens before it) / (B * mean tokens of the corpus)
    (nats / (config_.batch_size * mean_targets_)).backward();
    const double norm = optimizer_.step(lr, config_.weight_decay, config_.clip_norm).gradient_norm;
    return {total / static_cast<double>(batch.targets.size(0)), norm};
}

std::vector<double> Pretrainer::losses(std::span<const Sequence> sequences, const Pulse& pulse) const {
    at::NoGradGuard no_grad;
    const PackedBatch batch = pack(sequences);
    const Tensor sums =
        sum_replies(batch, policy_logprobs(decoder_, &weights_, batch, {}, 1.0, pulse)).to(at::kDouble);
    std::vector<double> out(sums.data_ptr<double>(), sums.data_ptr<double>() + sums.size(0));
    for (double& v : out) v = -v;
    return out;
}

}  // namespace plumbline
