#include "core/formats/stored_rows.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/api/errors.h"

namespace plumbline {

namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
    throw Error("read model", path.filename().string() + ": " + what);
}

}  // namespace

KeptFile::KeptFile(const std::filesystem::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
        const std::string reason = std::strerror(errno);
        if (descriptor_ >= 0) ::close(descriptor_);
        fail(path, reason + "; open the model again");
    }
    size_ = status.st_size;
    seconds_ = status.st_mtim.tv_sec;
    nanoseconds_ = status.st_mtim.tv_nsec;
}

KeptFile::~KeptFile() { ::close(descriptor_); }

void KeptFile::read(std::int64_t offset, std::span<std::byte> out) const {
    for (std::size_t done = 0; done < out.size();) {
        const ssize_t n = ::pread(descriptor_, out.data() + done, out.size() - done,
                                  static_cast<off_t>(offset) + static_cast<off_t>(done));
        if (n <= 0) {
            if (n < 0 && errno == EINTR) continue;
            fail(path_, std::string(n == 0 ? "it has been cut" : std::strerror(errno)) + "; open the model again");
        }
        done += static_cast<std::size_t>(n);
    }
    struct stat status {};
    const bool same = ::fstat(descriptor_, &status) == 0 && status.st_size == size_ && status.st_mtim.tv_sec == seconds_ &&
                      status.st_mtim.tv_nsec == nanoseconds_;
    if (!same) fail(path_, "it has been written to since it was opened; open the model again");
}

std::int64_t StoredRows::row_bytes() const {
    const GgufBlock block = block_of(type);
    return columns / block.elements * block.bytes;
}

std::vector<std::byte> StoredRows::read(const KeptFile& file) const {
    const auto of_row = static_cast<std::size_t>(row_bytes());
    std::vector<std::byte> out(of_row * static_cast<std::size_t>(rows));
    if (places.empty()) {
        file.read(offset, out);
        return out;
    }
    const auto [first, last] = std::ranges::minmax(places);
    std::vector<std::byte> all(of_row * static_cast<std::size_t>(last - first + 1));
    file.read(offset + first * row_bytes(), all);
    for (std::size_t row = 0; row < places.size(); ++row) {
        std::memcpy(out.data() + row * of_row, all.data() + static_cast<std::size_t>(places[row] - first) * of_row, of_row);
    }
    return out;
}

}  // namespace plumbline
