#pragma once
// Writes a GGUF file, version 3, little endian: metadata, then tensors.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/formats/gguf.h"

namespace plumbline {

/// A value as another file has it, its type first: GgufFile::stored().
struct GgufStored {
    std::string bytes;
};
/// The alternatives are the file's own value types.
using GgufMetadata = std::variant<bool, std::uint32_t, std::int32_t, float, std::string, std::vector<std::string>,
                                  std::vector<std::int32_t>, std::vector<float>, GgufStored>;

/// What is written reads back through GgufFile. Throws Error "write GGUF: …" for what a reader would refuse.
class GgufWriter {
  public:
    /// Fills a tensor's values in, row-major.
    using Fill = std::function<void(std::span<float> values)>;

    /// A key stands once; a later value takes the earlier one's place. The key must not be empty.
    void set(const std::string& key, GgufMetadata value);
    /// `shape` is row-major, outermost first, with 1 to 4 sizes of at least 1. `type` is one that quantize() writes,
    /// and rows are whole blocks of it. `fill` is called when the tensor's turn comes, so that one at a time is in
    /// memory.
    void add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape, Fill fill);
    /// The same with the values at hand; `shape` has their number.
    void add_tensor(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape,
                    std::span<const float> values);

    /// Whole or not at all. `before_each` is called with the share of the bytes done, 0..1, before each tensor and at
    /// the end; what it throws ends the writing.
    void write(const std::filesystem::path& path, const std::function<void(double)>& before_each = {}) const;

  private:
    struct Tensor {
        std::string name;
        GgufType type{};
        std::vector<std::int64_t> shape;
        std::uint64_t elements = 0, bytes = 0;
        std::function<std::string()> data;
    };
    Tensor checked(const std::string& name, GgufType type, const std::vector<std::int64_t>& shape) const;
    void add(Tensor tensor);

    std::map<std::string, GgufMetadata> metadata_;
    std::vector<Tensor> tensors_;
    std::set<std::string> names_;
};

}  // namespace plumbline
