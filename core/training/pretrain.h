#pragma once
// Next-word training of a new model: every token of a text after its first is a target. No mask over prompts,
// no packing of several texts into one row, no dropout.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/api/pretrain_config.h"
#include "core/model/decoder.h"
#include "core/model/full_weights.h"
#include "core/model/packed_batch.h"
#include "core/training/adamw.h"

namespace plumbline {

/// The whole of a text as what is learned.
Sequence whole_text(std::vector<int> ids);

/// Batches of one pass over texts of these lengths (tokens), as indexes: nearly equal lengths meet, in a
/// random order of batches. Each text stands once; the last batch may be smaller. A function of seed and
/// epoch.
std::vector<std::vector<std::size_t>> bucketed_batches(std::span<const int> lengths, int batch_size,
                                                       std::uint64_t seed, int epoch);

/// The same in the order of the texts.
std::vector<std::vector<std::size_t>> batches_in_order(std::size_t texts, int batch_size);

/// The rate of step 0..total-1: warm-up from 0, then the schedule down to lr * lr_floor.
double pretraining_rate(const PretrainConfig& config, int step, int total);

/// The model that the settings describe, for a vocabulary of that many tokens.
DecoderConfig decoder_config(const PretrainConfig& config, std::int64_t vocabulary);

/// A new model and its optimiser. Used on one thread at a time.
class Pretrainer {
  public:
    /// `mean_targets`: tokens to predict in a text of the corpus, on average; the constant by which a batch's
    /// loss is divided, with batch_size. Dividing by the batch's own tokens would weigh short texts more.
    Pretrainer(const DecoderConfig& model, const PretrainConfig& config, double mean_targets);

    struct Step {
        double loss = 0;           // nats a token of this batch, before the step
        double gradient_norm = 0;  // before clipping
    };
    /// Throws NonFinite with the weights as they were.
    Step step(std::span<const Sequence> batch, double lr, const Pulse& pulse);
    /// -log p of each sequence's reply part, nats; no gradients.
    std::vector<double> losses(std::span<const Sequence> batch, const Pulse& pulse) const;

    const FullWeights& weights() const { return weights_; }

  private:
    PretrainConfig config_;
    double mean_targets_;
    Decoder decoder_;  // the products of an empty backbone: every weight is weights_'
    FullWeights weights_;
    AdamW optimizer_;
};

}  // namespace plumbline
