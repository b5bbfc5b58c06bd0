#include "core/text/jinja/code_points.h"

#include <locale.h>

#include <algorithm>
#include <cwctype>
#include <utility>

namespace plumbline::jinja {
namespace {

/// Case and letters of Unicode, whatever the program's locale is.
locale_t unicode() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

char32_t to_upper(char32_t c) {
    if (c < 128 || !unicode()) return c >= 'a' && c <= 'z' ? c - 32 : c;
    return static_cast<char32_t>(towupper_l(static_cast<wint_t>(c), unicode()));
}

char32_t to_lower(char32_t c) {
    if (c < 128 || !unicode()) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), unicode()));
}

bool has_case(char32_t c) {
    return c == 0xDF || to_upper(c) != c || to_lower(c) != c;
}

bool contains(std::string_view set, std::string_view character) {
    for (std::size_t at = 0; at < set.size();) {
        const std::string_view one = character_at(set, at);
        if (one == character) return true;
        at += one.size();
    }
    return false;
}

template <typename Map>
std::string mapped(std::string_view text, Map map) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view one = character_at(text, at);
        const char32_t before = code_point_of(one), after = map(before);
        out += before == after ? std::string(one) : utf8_of(after);
        at += one.size();
    }
    return out;
}

}   // namespace

std::string_view character_at(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::size_t have = 1;
    while (have < length && at + have < text.size() && (static_cast<unsigned char>(text[at + have]) & 0xC0) == 0x80)
        ++have;
    return text.substr(at, have == length ? length : 1);
}

std::vector<std::string_view> characters_of(std::string_view text) {
    std::vector<std::string_view> out;
    out.reserve(count_characters(text));
    for (std::size_t at = 0; at < text.size(); at += out.back().size()) out.push_back(character_at(text, at));
    return out;
}

std::size_t count_characters(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++count) at += character_at(text, at).size();
    return count;
}

char32_t code_point_of(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(character[i])); };
    switch (character.size()) {
        case 2:
            return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
        case 3:
            return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
        case 4:
            return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
        default:
            return byte(0);
    }
}

std::string utf8_of(char32_t c) {
    const auto tail = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(c)};
    if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(c >> 6), tail(c)};
    return {static_cast<char>(0xF0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

bool is_space(std::string_view character) {
    const char32_t c = code_point_of(character);
    if (character.size() == 1) return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

std::string_view strip(std::string_view text, Side side, std::string_view unwanted) {
    const auto goes = [&](std::string_view one) { return unwanted.empty() ? is_space(one) : contains(unwanted, one); };
    while (side != Side::right && !text.empty()) {
        const std::string_view first = character_at(text, 0);
        if (!goes(first)) break;
        text.remove_prefix(first.size());
    }
    while (side != Side::left && !text.empty()) {
        std::size_t at = text.size() - 1;
        while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        std::string_view last = text.substr(at);
        if (character_at(text, at).size() != last.size()) last = text.substr(text.size() - 1);
        if (!goes(last)) break;
        text.remove_suffix(last.size());
    }
    return text;
}

std::string upper(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {   // the one letter of a language in use that becomes two
        const std::size_t sharp_s = std::min(text.find("ß", at), text.size());
        out += mapped(text.substr(at, sharp_s - at), to_upper);
        if (sharp_s < text.size()) out += "SS";
        at = sharp_s + 2;
    }
    return out;
}

std::string lower(std::string_view text) {
    return mapped(text, to_lower);
}

std::string capitalize(std::string_view text) {
    bool first = true;
    return mapped(text, [&](char32_t c) { return std::exchange(first, false) ? to_upper(c) : to_lower(c); });
}

std::string title(std::string_view text) {
    bool inside = false;
    return mapped(text, [&](char32_t c) {
        const char32_t out = inside ? to_lower(c) : to_upper(c);
        inside = has_case(c);
        return out;
    });
}

}   // namespace plumbline::jinja
