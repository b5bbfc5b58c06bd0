#pragma once
// A read-only memory map of a whole file.

#include <cstddef>
#include <filesystem>
#include <span>

namespace plumbline {

/// Immutable after construction; may be read from any thread. Throws Error when the file cannot be mapped.
class MappedFile {
  public:
    explicit MappedFile(const std::filesystem::path& path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace plumbline
