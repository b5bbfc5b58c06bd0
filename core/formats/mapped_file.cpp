#include "core/formats/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/api/errors.h"

namespace plumbline {
namespace {

std::string reason(int code) {
    const std::string text = std::strerror(code);
    if (code == ENOENT) return text + "; check the path";
    if (code == EACCES || code == EPERM) return text + "; make the file readable";
    return text;
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { ::close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

  private:
    int fd_;
};

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, const std::string& operation) {
    const auto fail = [&](const std::string& what) { throw Error(operation, path.string() + ": " + what); };
    // O_NONBLOCK: opening a named pipe must not wait for its writer; it has no effect on regular files.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) fail(reason(errno));
    const Descriptor closer(fd);
    struct stat status {};
    if (::fstat(fd, &status) != 0) fail(reason(errno));
    if (S_ISDIR(status.st_mode)) fail("this is a folder; name the file in it");
    if (!S_ISREG(status.st_mode)) fail("not a regular file; copy it to disk first");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // mmap refuses length 0
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address == MAP_FAILED) fail(reason(errno));
    bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace plumbline
