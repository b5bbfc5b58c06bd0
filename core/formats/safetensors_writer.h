#pragma once
// Writes weights as safetensors, one file or shards with an index, one tensor at a time.

#include <cstdint>
#include <filesystem>
#include <functional>

#include "core/formats/file_tensors.h"

namespace plumbline {

/// model.safetensors in `folder`, or model-00001-of-0000N.safetensors with model.safetensors.index.json where there is
/// more than `shard_bytes` of it, as the transformers library cuts it. `type` is f32, f16 or bf16. `before_each` is
/// called with the share of the bytes done, 0..1, before each tensor and at the end; what it throws ends the writing.
void write_weights(const std::filesystem::path& folder, const std::vector<FileTensor>& tensors, GgufType type,
                   std::uint64_t shard_bytes, const std::function<void(double)>& before_each);

}  // namespace plumbline
