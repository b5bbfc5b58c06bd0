#pragma once
// The trained reward model: LoRA on the backbone and a scalar head read at the last reply token.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/model/decoder.h"
#include "core/model/lora.h"
#include "core/training/metrics.h"

namespace plumbline {

struct PeftAdapter;

/// r = head . state + bias. Shares tensors when copied.
struct RewardModel {
    LoraAdapter adapter;
    at::Tensor head;  // (1, D)
    double bias = 0;  // set by normalise(); not trained, since no loss on differences sees it

    /// Head ~ N(0, 1/sqrt(D + 1)) from `seed`.
    static RewardModel fresh(const DecoderConfig& model, const LoraConfig& config, std::uint64_t seed,
                             at::Device device = at::kCPU);
    /// Bias 0. Throws Error when the adapter has no reward head that fits.
    static RewardModel from_peft(const DecoderConfig& model, const PeftAdapter& peft,
                                 at::Device device = at::kCPU);
    void to_peft(PeftAdapter& peft) const;

    /// A PEFT folder, with the bias in "reward_scale.json" beside, {"bias": -0.3}: the score layer of
    /// transformers has none, and peft loads the folder without it, so its rewards are less by the bias.
    /// read() takes a folder without that file for bias 0, write() leaves none for bias 0. Both throw Error.
    static RewardModel read(const DecoderConfig& model, const std::filesystem::path& folder,
                            at::Device device = at::kCPU);
    void write(const std::filesystem::path& folder, const std::string& base_model) const;

    /// Scales head and bias so that these rewards, which the model gives now, become of mean 0 and
    /// (population) deviation 1 (1909.08593, 2.2). Throws Error for fewer than two or equal or non-finite
    /// ones.
    void normalise(std::span<const double> rewards);

    std::vector<at::Tensor> tensors() const;
    std::vector<std::string> tensor_names() const;
    void require_grad(bool on);
};

/// The head's value at every reply token: (M). Differentiable.
at::Tensor token_rewards(const Decoder& decoder, const RewardModel& model, const PackedBatch& batch,
                         const Pulse& pulse);

/// Two replies or more to one prompt and what was said of them. None of them is empty.
struct RewardRow {
    std::vector<Sequence> replies;  // the best first
    int ranked = 1;                 // places given, 1..replies; those behind are below, in no order
    bool tie = false;               // of two: neither is better
    double margin = 0;  // of two in order: strength, the least difference of rewards that is asked for
};

/// Tokens of the row, its prompt's counted once.
std::int64_t tokens_of(const RewardRow& row);

struct RewardLossSettings {
    double center = 0;         // weight of the squared sum of a row's rewards
    double tie_threshold = 1;  // Rao-Kupper's theta: above 1 where there are ties, and only there, since with
                               // it preferences ask for log theta more
};

/// Adds the gradient of the mean loss of the rows to the model's .grad, some rows a pass (passes.h): of two
/// replies Bradley-Terry with margin or a Rao-Kupper tie, of more Plackett-Luce; each with center (2/N sum of
/// rewards)^2. Metrics: loss/reward, reward/min, reward/mean, reward/max over replies, and over the stated
/// pairs, where there are any, reward/accuracy and reward/margin. No rows: nothing. Throws Error for a row
/// that is none of these, before anything is added, NonFinite, Stopped.
Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardRow> rows,
                         const RewardLossSettings& settings, const Pulse& pulse);

struct RewardPair {
    Sequence chosen, rejected;
    double margin = 0;
};

/// The same of plain pairs.
Metrics reward_gradients(const Decoder& decoder, const RewardModel& model, std::span<const RewardPair> pairs,
                         double center, const Pulse& pulse);

}  // namespace plumbline
