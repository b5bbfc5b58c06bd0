#pragma once
// The settings of a GGUF file out of the decoder's description, for a model that came as a folder.

#include "core/formats/gguf_writer.h"
#include "core/formats/model_files.h"

namespace plumbline {

/// Sizes and choices under llama.cpp's keys, and the tensors of scaled rotary positions. Returns what llama.cpp will do
/// otherwise than the model asks, in words. Throws Error "export: …" for what GGUF cannot express.
std::vector<std::string> add_settings(const ModelFiles& model, GgufWriter& to);

}  // namespace plumbline
