#include "core/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/api/errors.h"

namespace plumbline {
namespace {

/// Whether `path` still names the file behind `descriptor`: a former holder removes it on release.
bool is_current(int descriptor, const std::filesystem::path& path) {
    struct stat mine {};
    struct stat there {};
    return fstat(descriptor, &mine) == 0 && stat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

Error not_lockable(const std::filesystem::path& file, const char* operation, int code) {
    if (code == EACCES || code == EPERM || code == EROFS) {
        return {operation,
                file.string() + ": its folder is read-only; choose a place that you can write to"};
    }
    if (code == ENOENT || code == ENOTDIR) {
        return {operation, file.string() + ": there is no such folder; create it or choose another"};
    }
    if (code == ENOSPC || code == EDQUOT) {
        return {operation, file.string() + ": the disk is full; free some space and try again"};
    }
    return {operation, file.string() + ": it cannot be locked (" + std::strerror(code) +
                           "); choose another place"};
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file, const char* operation, Busy busy) {
    // Two names of one file (a link to it) share the lock.
    std::error_code ignored;
    const std::filesystem::path real = std::filesystem::weakly_canonical(file, ignored);
    path_ = (real.empty() ? file : real).string() + "-lock";
    while (true) {
        descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (descriptor_ < 0) {
            throw not_lockable(file, operation, errno);
        }
        int taken = 0;
        do {
            taken = flock(descriptor_, busy == Busy::waits ? LOCK_EX : LOCK_EX | LOCK_NB);
        } while (taken != 0 && errno == EINTR);
        if (taken != 0) {
            const int code = errno;
            ::close(descriptor_);
            if (code == EWOULDBLOCK) {
                throw Error(operation, file.string() + " is open in another window; close it there");
            }
            throw not_lockable(file, operation, code);
        }
        if (is_current(descriptor_, path_)) {
            return;
        }
        ::close(descriptor_);
    }
}

FileLock::~FileLock() {
    ::unlink(path_.c_str());
    ::close(descriptor_);
}

}  // namespace plumbline
