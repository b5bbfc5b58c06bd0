#pragma once
// Settings of `train pretrain`, on the terms of configs.h.

#include <cstdint>

#include "core/api/config_fields.h"
#include "core/api/stage_configs.h"

namespace plumbline {

/// A new model of the Llama family from random weights, taught the next token, and a byte-level BPE vocabulary learned
/// from the same texts. The defaults make the bundled model `courtesy`.
struct PretrainConfig {
    double lr = 3e-3;              // of AdamW, 0..10
    double lr_floor = 0.05;        // the share of lr that linear and cosine end at, 0..1
    double adam_beta1 = 0.9;       // decay of the mean gradient, 0..0.9999
    double adam_beta2 = 0.95;      // decay of the mean squared gradient, 0..0.999999
    int batch_size = 64;           // texts a step, 1..1024
    int steps = 2000;              // 0..1000000; 0: `epochs` decide
    int epochs = 1;                // passes over the texts, 1..1000
    bool shuffle = true;           // a seeded order each epoch, texts of one length together; false keeps the file's order
    Schedule schedule = Schedule::cosine;
    int warmup_steps = 100;        // linear warm-up from 0, steps, 0..1000000
    double weight_decay = 0.1;     // decoupled (1711.05101), a step, times lr, 0..1
    double clip_norm = 1.0;        // global gradient norm, 0..1e6; 0: no clipping
    int max_length = 128;          // tokens, 8..131072; a longer dialogue is refused, a longer text cut
    std::uint64_t seed = 0;        // initial weights and order
    double heldout_share = 0.02;   // texts kept out of training to measure the loss, 0..0.5
    int vocabulary = 1100;         // tokens, 261..65536
    int hidden = 128;              // width of the states, 8..1024, a multiple of 2 * heads
    int layers = 2;                // blocks, 1..32
    int heads = 4;                 // attention heads, 1..64
    int kv_heads = 4;              // heads of keys and values, 1..64, a divisor of heads
    int mlp = 344;                 // width of the MLP, 8..4096
    int context = 256;             // tokens, 16..4096, at least max_length
};

/// Throws ConfigError naming the field, the value and its range.
void validate(const PretrainConfig& config);

template <> const std::vector<Field<PretrainConfig>>& fields<PretrainConfig>();
extern template void set_field(PretrainConfig&, std::string_view, std::string_view);

}  // namespace plumbline
