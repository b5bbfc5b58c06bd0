#pragma once
// What the tables of the stages' settings share: the optimiser's fields, and how a table is built once.

#include <string>
#include <vector>

#include "core/api/field_building.h"
#include "core/api/stage_configs.h"

namespace plumbline::fields_of {

template <class Config>
using Table = std::vector<Field<Config>>;

/// `member` is of Config or of one of its bases.
template <class Config, class Member>
void add(Table<Config>& out, std::string_view key, std::string_view range, std::string_view help,
         Member member) {
    out.push_back(field<Config>(
        key, range, help, [=](auto& config) -> auto& { return config.*member; }));
}

template <class Config>
void add_optimizer(Table<Config>& out) {
    using O = OptimizerConfig;
    add(out, "lr", "0..10", "learning rate", &O::lr);
    add(out, "batch_size", "1..1024", "rows or prompts a batch", &O::batch_size);
    add(out, "accumulate", "1..1024", "batches whose gradients make one step", &O::accumulate);
    add(out, "steps", "0..1000000", "steps; 0: epochs decide", &O::steps);
    add(out, "epochs", "1..1000", "passes over the data", &O::epochs);
    add(out, "shuffle", "true|false", "a seeded order each epoch; false keeps the file's order", &O::shuffle);
    add(out, "schedule", "constant|linear|cosine", "how the learning rate falls", &O::schedule);
    add(out, "warmup_steps", "0..1000000", "linear warm-up from 0, steps", &O::warmup_steps);
    add(out, "weight_decay", "0..1", "decoupled weight decay a step, times lr", &O::weight_decay);
    add(out, "clip_norm", "0..1e6", "largest global gradient norm; 0: no clipping", &O::clip_norm);
    add(out, "optimizer", "adamw|sgd", "adamw, or plain gradient descent", &O::optimizer);
    add(out, "adam_beta1", "0..0.9999", "decay of Adam's mean gradient, a step", &O::adam_beta1);
    add(out, "adam_beta2", "0..0.999999", "decay of Adam's mean squared gradient, a step", &O::adam_beta2);
    add(out, "adam_epsilon", "1e-12..1", "added to the root of Adam's mean squared gradient",
        &O::adam_epsilon);
    add(out, "adam_form", "pytorch|tensorflow", "epsilon after the bias correction, or before it",
        &O::adam_form);
    add(out, "max_length", "8..131072", "longest prompt and reply, tokens; a longer row is refused",
        &O::max_length);
    add(out, "seed", "0..18446744073709551615", "initial weights, order and samples", &O::seed);
}

/// The table that every stage begins with.
template <class Config>
Table<Config> stage_table() {
    Table<Config> out;
    add_optimizer(out);
    add_own_lora(out);
    for (Field<Config>& row : out) {
        if (row.key == "weights") {
            row.help =
                "what trains: low-rank adapters, or every weight; auto: every weight where --out is a .gguf "
                "file";
        }
    }
    return out;
}

/// Two settings that are in range each but do not fit.
[[noreturn]] inline void misfit(const std::string& what, const std::string& what_to_do) {
    throw ConfigError("settings", what + "; " + what_to_do);
}

}  // namespace plumbline::fields_of
