#include "core/formats/text_parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "core/api/errors.h"

namespace plumbline {
namespace {

constexpr std::uint64_t most_unpacked = std::uint64_t{4} << 30;
constexpr std::size_t buffer_size = std::size_t{1} << 18;
constexpr std::string_view gzip_mark = "\x1f\x8b", byte_order_mark = "\xEF\xBB\xBF";

using Fail = std::function<void(const std::string&)>;   // throws

class InputBytes {
  public:
    InputBytes(const std::filesystem::path& file, const Fail& fail) : fail_(fail) {
        // O_NONBLOCK: opening a named pipe must not wait for its writer; it has no effect on regular files.
        fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd_ < 0) fail_(std::strerror(errno) + std::string("; check the path and its permissions"));
        struct stat status {};
        if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
            ::close(fd_);
            fail_(S_ISDIR(status.st_mode) ? "this is a folder; name the file in it"
                                          : "not a regular file; copy it to disk first");
        }
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
    ~InputBytes() { ::close(fd_); }
    InputBytes(const InputBytes&) = delete;
    InputBytes& operator=(const InputBytes&) = delete;

    /// The next bytes; empty at the end.
    std::string_view next() {
        ::ssize_t got = 0;
        do {
            got = ::read(fd_, buffer_.data(), buffer_.size());
        } while (got < 0 && errno == EINTR);
        if (got < 0) fail_(std::strerror(errno) + std::string("; copy the file to another disk"));
        read_ += static_cast<std::uint64_t>(got);
        return {buffer_.data(), static_cast<std::size_t>(got)};
    }
    double fraction() const {
        return size_ == 0 ? 1 : std::min(1.0, static_cast<double>(read_) / static_cast<double>(size_));
    }
    std::uint64_t bytes_read() const { return read_; }

  private:
    const Fail& fail_;
    int fd_ = -1;
    std::uint64_t size_ = 0, read_ = 0;
    std::vector<char> buffer_ = std::vector<char>(buffer_size);
};

class Inflater {
  public:
    Inflater() {
        constexpr int window_bits = 15, with_gzip_header = 16;
        if (inflateInit2(&stream_, window_bits + with_gzip_header) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    z_stream* operator->() { return &stream_; }
    z_stream* get() { return &stream_; }

  private:
    z_stream stream_{};
};

/// All members of a gzip file, one after the other. `packed` is its beginning.
void unpack(InputBytes& input, std::string_view packed, const Fail& fail,
            const std::function<void(std::string_view)>& visit) {
    std::vector<char> buffer(buffer_size);
    Inflater inflater;
    std::uint64_t unpacked = 0;
    bool in_member = true;
    const auto give = [&](std::string_view bytes) {
        inflater->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        inflater->avail_in = static_cast<uInt>(bytes.size());
    };
    give(packed);
    while (true) {
        if (inflater->avail_in == 0) {
            const std::string_view more = input.next();
            if (more.empty()) break;
            give(more);
        }
        if (!in_member) {
            if (*inflater->next_in != static_cast<Bytef>(gzip_mark[0])) return;   // zeros may pad the end
            inflateReset(inflater.get());
            in_member = true;
        }
        inflater->next_out = reinterpret_cast<Bytef*>(buffer.data());
        inflater->avail_out = static_cast<uInt>(buffer.size());
        const int result = inflate(inflater.get(), Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            fail("the gzip data is damaged near byte " + std::to_string(input.bytes_read() - inflater->avail_in) +
                 "; make the file again");
        }
        const std::size_t size = buffer.size() - inflater->avail_out;
        unpacked += size;
        if (unpacked > most_unpacked) fail("it unpacks to more than 4 GiB; split the file");
        if (size > 0) visit({buffer.data(), size});
        in_member = result != Z_STREAM_END;
    }
    if (in_member) fail("the gzip data is cut short; make the file again");
}

/// Files that people have preferences in, and that are no text.
void refuse_known_kinds(std::string_view beginning, const std::string& name, const Fail& fail) {
    struct Kind {
        std::string_view mark, words;
    };
    static constexpr std::array<Kind, 4> packed = {{{"\x28\xB5\x2F\xFD", "zstd"},
                                                    {"\xFD" "7zXZ", "xz"},
                                                    {"BZh", "bzip2"},
                                                    {"PK\x03\x04", "zip"}}};
    for (const auto& [mark, words] : packed) {
        if (beginning.starts_with(mark)) {
            fail("it is compressed with " + std::string(words) + ", which is not supported; unpack it, or pack it with gzip");
        }
    }
    for (const auto& [mark, words] : {Kind{"PAR1", "Parquet"}, Kind{"ARROW1", "Arrow"}}) {
        if (beginning.starts_with(mark)) {
            const std::string reader = words == "Parquet" ? "read_parquet" : "read_feather";
            fail(std::string(words) + " is not supported; make JSON lines of it: python3 -c \"import pandas; pandas." +
                 reader + "('" + name + "').to_json('rows.jsonl', orient='records', lines=True)\"");
        }
    }
}

}  // namespace

void for_each_part(const std::filesystem::path& file, const std::string& operation,
                   const std::function<void(std::string_view, double)>& visit) {
    const Fail fail = [&](const std::string& what) { throw Error(operation, file.string() + ": " + what); };
    InputBytes input(file, fail);
    bool at_start = true;
    const auto give = [&](std::string_view text) {
        if (std::exchange(at_start, false) && text.starts_with(byte_order_mark)) text.remove_prefix(3);
        visit(text, input.fraction());
    };
    const std::string_view first = input.next();
    refuse_known_kinds(first, file.filename().string(), fail);
    if (first.starts_with(gzip_mark)) {
        unpack(input, first, fail, give);
        return;
    }
    for (std::string_view part = first; !part.empty(); part = input.next()) give(part);
}

}  // namespace plumbline
