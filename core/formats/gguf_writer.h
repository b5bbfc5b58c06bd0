#pragma once
// Writes a GGUF file, version 3, little endian: metadata, then tensors of floats.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/formats/gguf.h"

namespace plumbline {

/// The alternatives are the file's own value types.
using GgufMetadata = std::variant<bool, std::uint32_t, std::int32_t, float, std::string,
                                  std::vector<std::string>, std::vector<std::int32_t>, std::vector<float>>;

/// What is written reads back through GgufFile. Throws Error "write GGUF: …" for what a reader would refuse.
class GgufWriter {
  public:
    /// A key stands once; a later value takes the earlier one's place. The key must not be empty.
    void set(const std::string& key, GgufMetadata value);
    /// `shape` is row-major, outermost first, with 1 to 4 sizes of at least 1; `values` has their product.
    /// `type` is f32, f16 or bf16: rounded to the nearest, halves to even; a value too large for f16 is
    /// refused.
    void add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape,
                    std::span<const float> values);

    /// Whole or not at all.
    void write(const std::filesystem::path& path) const;

  private:
    struct Tensor {
        std::string name;
        GgufType type{};
        std::vector<std::int64_t> shape;
        std::string data;
    };
    std::map<std::string, GgufMetadata> metadata_;
    std::vector<Tensor> tensors_;
};

/// Rounded to the nearest, halves to even; infinite when out of range.
std::uint16_t half_from_float(float value);
std::uint16_t bfloat16_from_float(float value);

}  // namespace plumbline
