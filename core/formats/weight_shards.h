#pragma once
// The safetensors files of a Hugging Face folder: one, or shards with an index.

#include <filesystem>
#include <string>
#include <vector>

#include "core/formats/gguf.h"
#include "core/formats/safetensors.h"

namespace plumbline {

/// Immutable; data lies in the maps. Throws Error "open model: <folder>: …".
class WeightShards {
  public:
    explicit WeightShards(const std::filesystem::path& folder);

    /// All tensors of F32, F16 and BF16, which are GGUF's types too, under their names in the files.
    const std::vector<GgufTensor>& tensors() const { return tensors_; }
    const std::vector<std::filesystem::path>& files() const { return files_; }

  private:
    std::vector<std::filesystem::path> files_;
    std::vector<SafetensorsFile> shards_;
    std::vector<GgufTensor> tensors_;
};

}  // namespace plumbline
