#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// What stands at the beginning of a text, by the well-formed sequences of the Unicode standard (table 3-7).
struct Sequence {
    std::size_t length = 1;  // of the character, or of the longest broken beginning of one
    bool valid = false;
    bool unfinished = false;  // the text ends before the character does
};

Sequence first_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {1, true, false};
    std::size_t length = 0;
    unsigned char low = 0x80, high = 0xBF;  // range of the second byte
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;   // no overlong forms
        if (lead == 0xED) high = 0x9F;  // no surrogates
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;  // nothing above U+10FFFF
    } else {
        return {};
    }
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size()) return {i, false, true};
        if (byte(i) < low || byte(i) > high) return {i, false, false};
        low = 0x80;
        high = 0xBF;
    }
    return {length, true, false};
}

/// Appends the valid form of `text` to `out`; returns where an unfinished character at the end begins.
std::size_t append_valid(std::string_view text, std::string& out) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Sequence next = first_sequence(text.substr(at));
        if (next.unfinished) break;
        out += next.valid ? text.substr(at, next.length) : replacement;
        at += next.length;
    }
    return at;
}

}  // namespace

std::string Utf8Stream::push(std::string_view bytes) {
    pending_ += bytes;
    std::string out;
    pending_.erase(0, append_valid(pending_, out));
    return out;
}

std::string Utf8Stream::finish() {
    const bool unfinished = !pending_.empty();
    pending_.clear();
    return unfinished ? std::string(replacement) : std::string();
}

std::string valid_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    if (append_valid(text, out) < text.size()) out += replacement;
    return out;
}

}  // namespace plumbline
