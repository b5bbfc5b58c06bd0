// The table of the settings of pre-training, and how they must fit together.

#include "core/api/field_building.h"
#include "core/api/pretrain_config.h"

namespace plumbline {

using namespace fields_of;

namespace {

std::vector<Field<PretrainConfig>> pretrain_fields() {
    std::vector<Field<PretrainConfig>> out;
    const auto add = [&](std::string_view key, std::string_view range, std::string_view help, auto member) {
        out.push_back(field<PretrainConfig>(
            key, range, help, [=](auto& config) -> auto& { return config.*member; }));
    };
    using P = PretrainConfig;
    add("lr", "0..10", "learning rate of Adam", &P::lr);
    add("lr_floor", "0..1", "share of lr that linear and cosine end at", &P::lr_floor);
    add("batch_size", "1..1024", "texts a step", &P::batch_size);
    add("steps", "0..1000000", "optimiser steps; 0: epochs decide", &P::steps);
    add("epochs", "1..1000", "passes over the texts", &P::epochs);
    add("shuffle", "true|false", "a seeded order each epoch; false keeps the file's order", &P::shuffle);
    add("schedule", "constant|linear|cosine", "how the learning rate falls", &P::schedule);
    add("warmup_steps", "0..1000000", "linear warm-up from 0, steps", &P::warmup_steps);
    add("weight_decay", "0..1", "decoupled weight decay a step, times lr", &P::weight_decay);
    add("clip_norm", "0..1e6", "largest global gradient norm; 0: no clipping", &P::clip_norm);
    add("adam_beta1", "0..0.9999", "decay of the mean gradient", &P::adam_beta1);
    add("adam_beta2", "0..0.999999", "decay of the mean squared gradient", &P::adam_beta2);
    add("max_length", "8..131072", "longest dialogue, tokens; a longer one is refused, a longer text cut",
        &P::max_length);
    add("heldout_share", "0..0.5", "share of the texts kept from training to measure the loss",
        &P::heldout_share);
    add("vocabulary", "261..65536", "tokens of the vocabulary, 256 bytes and 5 special tokens among them",
        &P::vocabulary);
    add("hidden", "8..1024", "width of the states, a multiple of 2 * heads", &P::hidden);
    add("layers", "1..32", "blocks", &P::layers);
    add("heads", "1..64", "attention heads", &P::heads);
    add("kv_heads", "1..64", "heads of keys and values, a divisor of heads", &P::kv_heads);
    add("mlp", "8..4096", "width of the MLP", &P::mlp);
    add("context", "16..4096", "longest text of the model, tokens", &P::context);
    add("seed", "0..18446744073709551615", "initial weights and order", &P::seed);
    return out;
}

}  // namespace

template <>
const std::vector<Field<PretrainConfig>>& fields<PretrainConfig>() {
    static const auto table = pretrain_fields();
    return table;
}

void validate(const PretrainConfig& config) {
    check(fields<PretrainConfig>(), config);
    const auto refuse = [](const std::string& what) { throw ConfigError("settings", what); };
    if (config.hidden % (2 * config.heads) != 0) {
        refuse("hidden is " + std::to_string(config.hidden) + ", not a multiple of 2 * heads = " +
               std::to_string(2 * config.heads) + "; rotary positions need heads of even width");
    }
    if (config.heads % config.kv_heads != 0) {
        refuse("heads is " + std::to_string(config.heads) + ", not a multiple of kv_heads = " +
               std::to_string(config.kv_heads) + "; choose a divisor of heads for kv_heads");
    }
    if (config.max_length > config.context) {
        refuse("max_length is " + std::to_string(config.max_length) + ", more than context = " +
               std::to_string(config.context) + "; raise context or lower max_length");
    }
}

template void set_field(PretrainConfig&, std::string_view, std::string_view);

}  // namespace plumbline
