#pragma once
// safetensors: an 8-byte header length, a JSON header, raw little-endian data.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/formats/mapped_file.h"

namespace plumbline {

struct SafeTensor {
    std::string dtype;                   // "F32", "F16", "BF16", "I64"
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;
};

/// Immutable; data lies in the map. Throws Error "read safetensors: <file>: …".
class SafetensorsFile {
  public:
    explicit SafetensorsFile(const std::filesystem::path& path);
    const std::map<std::string, SafeTensor>& tensors() const { return tensors_; }
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

  private:
    std::unique_ptr<MappedFile> map_;
    std::map<std::string, SafeTensor> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// Values as f32 (from F32, F16, BF16). Throws Error for another dtype.
std::vector<float> as_floats(const SafeTensor& tensor);

/// Written beside its place and renamed.
void write_safetensors(const std::filesystem::path& path, const std::map<std::string, SafeTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace plumbline
