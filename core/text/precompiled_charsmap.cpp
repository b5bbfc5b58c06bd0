#include "core/text/precompiled_charsmap.h"

#include <stdexcept>

#include "core/text/unicode.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

std::string bytes_of_base64(std::string_view text) {
    const auto value_of = [](char c) {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        if (c == '+') return 62;
        if (c == '/') return 63;
        throw std::invalid_argument("is not base64");
    };
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=') break;
        bits = bits << 6 | static_cast<std::uint32_t>(value_of(c));
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFF);
        }
    }
    return out;
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {  // little endian
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i)
        out |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return out;
}

// A unit of darts-clone's array.
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t value_in(std::uint32_t unit) { return unit & 0x7FFFFFFFu; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FFu; }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10 << ((unit & 0x200u) >> 6); }

}  // namespace

PrecompiledCharsmap::PrecompiledCharsmap(std::string_view base64) {
    const std::string blob = bytes_of_base64(base64);
    const std::size_t size = blob.size() < 4 ? 0 : number_at(blob, 0);
    if (size == 0 || size % 4 != 0 || size > blob.size() - 4)
        throw std::invalid_argument("has no whole trie in its " + std::to_string(blob.size()) + " bytes");
    for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(number_at(blob, at));
    replacements_ = blob.substr(4 + size);
    if (valid_utf8(replacements_) != replacements_)
        throw std::invalid_argument("has replacements that are not UTF-8");
}

std::optional<std::string_view> PrecompiledCharsmap::replacement_of(std::string_view sequence) const {
    std::uint32_t at = offset_of(units_[0]);
    for (const char c : sequence) {
        const auto byte = static_cast<unsigned char>(c);
        at ^= byte;
        if (byte == 0 || at >= units_.size() || label_of(units_[at]) != byte) return std::nullopt;
        const std::uint32_t unit = units_[at];
        at ^= offset_of(unit);
        if (!has_leaf(unit)) continue;
        // The shortest sequence that the rules know counts, though it be only the beginning of this one.
        const std::size_t begin = at < units_.size() ? value_in(units_[at]) : replacements_.size();
        if (begin >= replacements_.size()) return std::nullopt;
        const std::size_t end = replacements_.find('\0', begin);
        const std::string_view found =
            std::string_view(replacements_).substr(begin, end == std::string::npos ? end : end - begin);
        // A place within a character would not be valid UTF-8.
        if (!found.empty() && (static_cast<unsigned char>(found[0]) & 0xC0) == 0x80) return std::nullopt;
        return found;
    }
    return std::nullopt;
}

std::string PrecompiledCharsmap::apply(std::string_view text) const {
    constexpr std::size_t long_cluster = 6;
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = grapheme_end(text, at);
        if (end - at < long_cluster) {
            if (const auto found = replacement_of(text.substr(at, end - at))) {
                out += *found;
                at = end;
                continue;
            }
        }
        while (at < end) {
            const std::string_view character = text.substr(at, code_point_at(text, at).length);
            out += replacement_of(character).value_or(character);
            at += character.size();
        }
    }
    return out;
}

}  // namespace plumbline
