#pragma once
// A matrix that stays in its file until it is asked for, as it is stored there.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "core/formats/gguf.h"

namespace plumbline {

/// A file that is read again after it has been looked at. One that was replaced under its name is still this one.
class KeptFile {
  public:
    /// Throws Error when it cannot be opened.
    explicit KeptFile(const std::filesystem::path& path);
    ~KeptFile();
    KeptFile(const KeptFile&) = delete;
    KeptFile& operator=(const KeptFile&) = delete;

    /// Throws Error when it has been written to since it was opened, or cannot be read.
    void read(std::int64_t offset, std::span<std::byte> out) const;

  private:
    std::filesystem::path path_;
    int descriptor_;
    std::int64_t size_ = 0, seconds_ = 0, nanoseconds_ = 0;   // when it was last written
};

/// Where they lie.
struct StoredRows {
    GgufType type{};
    std::int64_t rows = 0, columns = 0;
    std::int64_t offset = 0;             // in the file
    std::vector<std::int64_t> places;    // of each row among those from `offset` on; empty: in their order

    std::int64_t row_bytes() const;
    /// The rows one behind the other.
    std::vector<std::byte> read(const KeptFile& file) const;
};

}  // namespace plumbline
