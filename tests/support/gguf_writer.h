#pragma once
// Writes GGUF files, right ones and, with the given numbers falsified, wrong ones.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline::testing {

class GgufWriter {
  public:
    void add_text(std::string_view key, std::string_view value);
    void add_u32(std::string_view key, std::uint32_t value);
    void add_f32(std::string_view key, float value);
    void add_flag(std::string_view key, bool value);
    void add_texts(std::string_view key, const std::vector<std::string>& values);
    void add_i32s(std::string_view key, const std::vector<std::int32_t>& values);
    void add_f32s(std::string_view key, const std::vector<float>& values);
    /// `shape` row-major, outermost first; `type` the file's number; the data is copied.
    void add_tensor(std::string_view name, const std::vector<std::int64_t>& shape, std::uint32_t type,
                    std::span<const std::byte> data);
    void add_tensor(std::string_view name, const std::vector<std::int64_t>& shape,
                    std::span<const float> values);

    /// The whole file, version 3 with alignment 32.
    std::string bytes() const;
    void write(const std::filesystem::path& path) const;

    /// Where each field that a reader must check begins: "magic", "version", "tensor count", "metadata
    /// count", "KEY key length", "KEY type", "KEY value", "KEY item type", "KEY length", "NAME name length",
    /// "NAME dimensions", "NAME shape", "NAME type", "NAME offset", "data".
    std::map<std::string, std::size_t> places() const;

  private:
    struct Value {
        std::string key;
        std::uint32_t type = 0;
        std::string body;
    };
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        std::uint32_t type = 0;
        std::string data;
    };
    std::string build(std::map<std::string, std::size_t>& places) const;

    std::vector<Value> values_;
    std::vector<Tensor> tensors_;
};

/// The bytes of `path`, and a file of the given bytes.
std::string read_whole(const std::filesystem::path& path);
void write_whole(const std::filesystem::path& path, std::string_view bytes);

}  // namespace plumbline::testing
