#pragma once
// The weights of a model's files, packed for work.

#include <functional>
#include <memory>

#include "core/model/decoder.h"
#include "core/model/pulse.h"

namespace plumbline {

class ModelFiles;

/// `progress` gets 0..1. Nothing of `files` is needed afterwards; a GGUF file stays open, for what sampling reads of it at
/// its first token. Throws Error for weights that are not finite.
std::unique_ptr<Decoder> read_decoder(const ModelFiles& files, Precision precision, const Pulse& pulse,
                                      const std::function<void(double)>& progress, at::Device device = at::kCPU);

}  // namespace plumbline
