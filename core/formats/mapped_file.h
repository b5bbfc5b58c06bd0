#pragma once
// A read-only memory map of a whole file.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace plumbline {

/// Immutable after construction; may be read from any thread. Throws Error "<operation>: <path>: …" when the
/// file cannot be mapped. An empty file has no bytes. The file must not be cut while it is mapped.
class MappedFile {
  public:
    explicit MappedFile(const std::filesystem::path& path, const std::string& operation = "open file");
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace plumbline
