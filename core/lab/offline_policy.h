#pragma once
// The policy of a training: how it starts, its reference, and how it is written.

#include <filesystem>
#include <memory>

#include "core/lab/opened_model.h"
#include "core/model/adapter.h"

namespace plumbline {

/// The policy and what KL is measured from: the policy as training starts. A null reference is the backbone.
struct TrainedPolicy {
    std::unique_ptr<Adapter> adapter, reference;
};

/// Before any model is read: throws ConfigError when config.weights or an initial adapter does not go with what is to
/// be written, every weight where `out` is a .gguf file and low-rank adapters otherwise.
void check_policy(const TrainRequest& request, const LoraConfig& config);
/// `request` is checked.
TrainedPolicy start_policy(const OpenedModel& opened, const TrainRequest& request, const LoraConfig& config,
                           std::uint64_t seed);
/// A PEFT folder, or a GGUF file with the weights as f32 and the tokenizer of the model that training began
/// with.
void write_policy(const OpenedModel& opened, const TrainRequest& request, const Adapter& policy,
                  const std::filesystem::path& out);

/// Whether a training that writes `out` trains every weight.
bool is_model_file(const std::filesystem::path& out);

}  // namespace plumbline
