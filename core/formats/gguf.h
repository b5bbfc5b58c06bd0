#pragma once
// GGUF, versions 2 and 3, little endian: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/formats/mapped_file.h"

namespace plumbline {

/// The tensor types that are read; values are the file's.
enum class GgufType : std::uint32_t {
    f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q5_0 = 6, q5_1 = 7, q8_0 = 8, q2_k = 10, q3_k = 11, q4_k = 12, q5_k = 13,
    q6_k = 14, iq2_xxs = 16, iq2_xs = 17, iq3_xxs = 18, iq1_s = 19, iq4_nl = 20, iq3_s = 21, iq2_s = 22, iq4_xs = 23,
    i8 = 24, i16 = 25, i32 = 26, i64 = 27, f64 = 28, iq1_m = 29, bf16 = 30, tq1_0 = 34, tq2_0 = 35, mxfp4 = 39,
};
std::string_view name_of(GgufType type);   // "Q4_1"

/// A type stores its rows in blocks of so many elements and bytes.
struct GgufBlock {
    std::int64_t elements = 0, bytes = 0;  // 0: the type is not known
};
GgufBlock block_of(GgufType type);

struct GgufTensor {
    std::string name;
    GgufType type{};
    std::vector<std::int64_t> shape;       // row-major, outermost first: (out, in) for a matrix
    std::int64_t elements = 0;
    std::span<const std::byte> data;       // lies in the map
};

using GgufScalar = std::variant<bool, std::int64_t, std::uint64_t, double, std::string>;
using GgufValue = std::variant<GgufScalar, std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>,
                               std::vector<bool>>;

/// A GGUF file: metadata and tensor directory, checked whole on opening; tensor data stays in the map.
/// Texts are as in the file except that text() and find_text() replace what is not UTF-8.
/// Immutable after construction. Every error is an Error "open model: <file>: …" that names the place.
class GgufFile {
  public:
    explicit GgufFile(const std::filesystem::path& path);

    const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
    /// A value as it lies in the file, its type first. The key is one of metadata()'s.
    std::span<const std::byte> stored(std::string_view key) const { return stored_.find(key)->second; }
    const std::vector<GgufTensor>& tensors() const { return tensors_; }
    const GgufTensor* find_tensor(std::string_view name) const;   // nullptr: absent
    const GgufTensor& tensor(std::string_view name) const;        // throws Error when absent
    /// Where a tensor of this file begins, bytes from the file's start.
    std::int64_t offset_of(const GgufTensor& tensor) const { return tensor.data.data() - map_->bytes().data(); }

    // Typed metadata: throws Error when absent (without fallback), of another type or out of range.
    std::string text(std::string_view key) const;
    std::optional<std::string> find_text(std::string_view key) const;
    std::int64_t integer(std::string_view key, std::int64_t least, std::int64_t most) const;
    std::optional<std::int64_t> find_integer(std::string_view key, std::int64_t least, std::int64_t most) const;
    std::optional<double> find_real(std::string_view key) const;
    std::optional<bool> find_flag(std::string_view key) const;
    const std::vector<std::string>& texts(std::string_view key) const;
    const std::vector<std::string>* find_texts(std::string_view key) const;
    const std::vector<double>& reals(std::string_view key) const;
    const std::vector<std::int64_t>* find_integers(std::string_view key) const;

    /// The most frequent type among the tensors, by elements.
    GgufType main_type() const;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    std::unique_ptr<MappedFile> map_;
    std::map<std::string, GgufValue> metadata_;
    std::map<std::string, std::span<const std::byte>, std::less<>> stored_;
    std::vector<GgufTensor> tensors_;                               // in the file's order
    std::map<std::string, std::size_t, std::less<>> tensor_index_;  // name to place in tensors_
};

/// Writes `tensor` as f32, row-major; out has tensor.elements places. Throws Error for whole numbers (I8 … I64).
void dequantize(const GgufTensor& tensor, std::span<float> out);

}  // namespace plumbline
