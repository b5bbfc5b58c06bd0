#pragma once
// A checked cursor over bytes of an untrusted file.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace plumbline {

/// `text` in quotes, cut to 80 bytes, with control bytes and what is not ASCII shown as \xNN: for errors.
std::string shown(std::string_view text);

/// Reads little-endian values in order. Every read that passes the end throws Error
/// "<operation>: <file>: … at byte N …"; nothing is allocated before its bytes are known to be there.
class ByteReader {
  public:
    ByteReader(std::span<const std::byte> bytes, std::string operation, const std::filesystem::path& path)
        : bytes_(bytes), operation_(std::move(operation)), path_(path) {}

    template <class T>
    T number(std::string_view what) {
        static_assert(std::is_arithmetic_v<T>);
        need(sizeof(T), what);
        T value;
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }
    /// A 64-bit length and that many bytes; the view lies in the file.
    std::string_view text(std::string_view what, std::uint64_t longest);
    /// A 64-bit count of items that take at least `item_bytes` each of what is left.
    std::uint64_t count(std::string_view what, std::uint64_t item_bytes);
    /// The number of bytes that count(…) items take, which must be there.
    void need(std::uint64_t bytes, std::string_view what) const;

    std::uint64_t at() const { return at_; }
    std::uint64_t left() const { return bytes_.size() - at_; }
    [[noreturn]] void fail(const std::string& what) const;

  private:
    std::span<const std::byte> bytes_;
    std::uint64_t at_ = 0;
    std::string operation_;
    std::filesystem::path path_;
};

}  // namespace plumbline
