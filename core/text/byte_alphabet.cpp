#include "core/text/byte_alphabet.h"

namespace plumbline {
namespace {

// Bytes that are visible Latin-1 characters stand for themselves; the others take U+0100 onward in order.
constexpr unsigned alphabet_end = 0x144;

constexpr std::array<unsigned, 256> code_points() {
    std::array<unsigned, 256> out{};
    unsigned next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        out[byte] = visible ? byte : next++;
    }
    return out;
}

constexpr std::array<int, alphabet_end> bytes_of_code_points() {
    std::array<int, alphabet_end> out{};
    for (int& byte : out) byte = -1;
    const auto points = code_points();
    for (int byte = 0; byte < 256; ++byte) out[points[static_cast<std::size_t>(byte)]] = byte;
    return out;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() {
    static const std::array<std::string, 256> characters = [] {
        std::array<std::string, 256> out;
        const auto points = code_points();
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const unsigned point = points[byte];
            if (point < 0x80) {
                out[byte] = static_cast<char>(point);
            } else {
                out[byte] = {static_cast<char>(0xC0 | (point >> 6)),
                             static_cast<char>(0x80 | (point & 0x3F))};
            }
        }
        return out;
    }();
    return characters;
}

void append_in_byte_alphabet(std::string_view bytes, std::string& out) {
    const auto& characters = byte_characters();
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > 0x20 && byte < 0x7F) {
            out += c;  // most of them, and faster so
        } else {
            out += characters[byte];
        }
    }
}

std::optional<std::string> bytes_behind(std::string_view text) {
    static constexpr auto bytes = bytes_of_code_points();
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        unsigned point = static_cast<unsigned char>(text[at++]);
        if (point >= 0x80) {  // the alphabet has characters of one and two bytes only
            if (point < 0xC2 || point > 0xDF || at == text.size()) return std::nullopt;
            const unsigned second = static_cast<unsigned char>(text[at++]);
            if ((second & 0xC0) != 0x80) return std::nullopt;
            point = (point & 0x1F) << 6 | (second & 0x3F);
        }
        if (point >= alphabet_end || bytes[point] < 0) return std::nullopt;
        out += static_cast<char>(bytes[point]);
    }
    return out;
}

}  // namespace plumbline
