#pragma once
// config.json of a Hugging Face folder out of the decoder's description, for a model that came as GGUF.

#include <nlohmann/json_fwd.hpp>

#include "core/model/decoder_config.h"

namespace plumbline {

/// Everything but the token ids. Throws Error "export: …" for a choice that the family's config.json cannot express.
nlohmann::json folder_config(const DecoderConfig& config);

}  // namespace plumbline
