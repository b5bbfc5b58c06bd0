#include "core/formats/byte_reader.h"

#include "core/api/errors.h"

namespace plumbline {

std::string shown(std::string_view text) {
    constexpr std::size_t longest = 80;
    constexpr char digits[] = "0123456789abcdef";
    std::string out = "'";
    for (const char c : text.substr(0, longest)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        }
    }
    out += text.size() > longest ? "…'" : "'";
    return out;
}

std::string_view ByteReader::text(std::string_view what, std::uint64_t longest) {
    const std::uint64_t start = at_;
    const auto length = number<std::uint64_t>(what);
    if (length > longest) {
        fail(std::string(what) + " at byte " + std::to_string(start) + " has length " +
             std::to_string(length) + ", more than " + std::to_string(longest) + "; the file is damaged");
    }
    need(length, what);
    const std::string_view view(reinterpret_cast<const char*>(bytes_.data()) + at_, length);
    at_ += length;
    return view;
}

std::uint64_t ByteReader::count(std::string_view what, std::uint64_t item_bytes) {
    const std::uint64_t start = at_;
    const auto items = number<std::uint64_t>(what);
    if (items > left() / item_bytes) {
        fail(std::string(what) + " at byte " + std::to_string(start) + " is " + std::to_string(items) +
             ", more than the " + std::to_string(left()) +
             " bytes after it can hold; the file is damaged or cut short");
    }
    return items;
}

void ByteReader::need(std::uint64_t bytes, std::string_view what) const {
    if (bytes > left()) {
        fail(std::string(what) + " at byte " + std::to_string(at_) + " needs " + std::to_string(bytes) +
             " bytes, the file has " + std::to_string(left()) + " more; it is cut short or damaged");
    }
}

void ByteReader::fail(const std::string& what) const {
    throw Error(operation_, path_.string() + ": " + what);
}

}  // namespace plumbline
