#include "core/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

#include "core/api/errors.h"

namespace plumbline {
namespace {

utf8proc_category_t category(char32_t point) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct Free {
    void operator()(utf8proc_uint8_t* text) const { std::free(text); }
};

int options_of(NormalForm form) {
    switch (form) {
        case NormalForm::nfc: return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
        case NormalForm::nfd: return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
        case NormalForm::nfkc: return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
        case NormalForm::nfkd: return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    }
    throw std::logic_error("not a normal form");
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t value = lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) value = value << 6 | (byte(i) & 0x3Fu);
    return {value, length};
}

CodePoint last_code_point(std::string_view text) {
    std::size_t at = text.size() - 1;
    while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return code_point_at(text, at);
}

void append_utf8(char32_t point, std::string& text) {
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes);
    text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool is_white_space(char32_t point) {
    return (point >= 0x9 && point <= 0xD) || point == 0x20 || point == 0x85 || point == 0xA0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
           point == 0x205F || point == 0x3000;
}

bool is_numeric(char32_t point) {
    const auto c = category(point);
    return c == UTF8PROC_CATEGORY_ND || c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_NO;
}

bool is_punctuation(char32_t point) {
    if (point < 0x80) return point > 0x20 && point < 0x7F && std::isalnum(static_cast<int>(point)) == 0;
    const auto c = category(point);
    return c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO;
}

bool is_mark(char32_t point) {
    const auto c = category(point);
    return c >= UTF8PROC_CATEGORY_MN && c <= UTF8PROC_CATEGORY_ME;
}

bool is_word(char32_t point) {
    const auto c = category(point);
    return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_ND) || c == UTF8PROC_CATEGORY_NL ||
           c == UTF8PROC_CATEGORY_PC || point == 0x200C || point == 0x200D;
}

std::string normalized(std::string_view text, NormalForm form) {
    if (is_ascii(text)) return std::string(text);
    utf8proc_uint8_t* raw = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                     &raw, static_cast<utf8proc_option_t>(options_of(form)));
    const std::unique_ptr<utf8proc_uint8_t, Free> owner(raw);
    if (length < 0) throw std::bad_alloc();  // the only failure for valid UTF-8
    return {reinterpret_cast<const char*>(raw), static_cast<std::size_t>(length)};
}

std::string lowercased(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto [point, length] = code_point_at(text, at);
        at += length;
        if (point == 0x130) {  // the one capital whose small form is two code points: i and a dot above
            out += "i\u0307";
        } else {
            append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point))), out);
        }
    }
    return out;
}

void require_growth(std::size_t bytes, std::size_t made) {
    constexpr std::size_t most_times = 64, most_more = 64 << 10;
    if (made > most_times * bytes + most_more) {
        throw Error("tokenize", "the tokenizer's steps make " + std::to_string(made) + " bytes of " +
                                    std::to_string(bytes) + "; its file is damaged or no tokenizer for texts");
    }
}

std::size_t grapheme_end(std::string_view text, std::size_t begin) {
    utf8proc_int32_t state = 0;
    CodePoint last = code_point_at(text, begin);
    std::size_t at = begin + last.length;
    while (at < text.size()) {
        const CodePoint next = code_point_at(text, at);
        if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(last.value),
                                             static_cast<utf8proc_int32_t>(next.value), &state)) {
            break;
        }
        at += next.length;
        last = next;
    }
    return at;
}

}  // namespace plumbline
