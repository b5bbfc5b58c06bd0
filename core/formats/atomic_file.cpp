#include "core/formats/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/api/errors.h"

namespace plumbline {
AtomicFile::AtomicFile(const std::filesystem::path& path, const std::string& operation)
    : target_(path), operation_(operation) {
    static std::atomic<unsigned> counter{0};
    path_ = target_;
    path_ += ".part" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) fail(errno);
}

AtomicFile::~AtomicFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!renamed_) ::unlink(path_.c_str());
}

void AtomicFile::write(std::string_view part) {
    while (!part.empty()) {
        const ::ssize_t written = ::write(fd_, part.data(), part.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail(errno);
        part.remove_prefix(static_cast<std::size_t>(written));
    }
}

void AtomicFile::put_in_place() {
    if (::fsync(fd_) != 0) fail(errno);
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) fail(errno);
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(errno);
    renamed_ = true;
    sync_folder();
}

void AtomicFile::fail(int code) const {
    std::string what = target_.string() + ": " + std::strerror(code);
    if (code == ENOSPC || code == EDQUOT) what += "; free some space and try again";
    if (code == EACCES || code == EPERM || code == EROFS) what += "; choose a folder that can be written";
    if (code == ENOENT) what += "; make the folder first";
    throw Error(operation_, what);
}

/// The rename itself reaches the disk; where folders cannot be synced the file system orders it.
void AtomicFile::sync_folder() const {
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0) return;
    ::fsync(folder_fd);
    ::close(folder_fd);
}

void write_atomically(const std::filesystem::path& path, const std::vector<std::string_view>& parts,
                      const std::string& operation) {
    AtomicFile file(path, operation);
    for (const std::string_view part : parts) file.write(part);
    file.put_in_place();
}

}  // namespace plumbline
