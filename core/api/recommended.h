#pragma once
// Settings that were measured to work, by algorithm and size of the model.

#include <cstdint>

#include "core/api/configs.h"

namespace plumbline {

/// Sets `config.live`, its reward and collapse guard apart, for its algorithm: those of a small model all of
/// whose weights train (`config.lora.weights`, automatic by `parameters`), or those of low-rank adapters.
void recommend(SessionConfig& config, std::int64_t parameters);

/// Whether every weight of a model of that size trains under these settings.
bool trains_all_weights(const LoraConfig& config, std::int64_t parameters);

}  // namespace plumbline
