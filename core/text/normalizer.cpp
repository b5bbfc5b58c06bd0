#include "core/text/normalizer.h"

#include "core/text/byte_alphabet.h"
#include "core/text/precompiled_charsmap.h"

namespace plumbline {
namespace {

std::string apply(NormalForm form, std::string text) {
    return normalized(text, form);
}

std::string apply(const LowercaseStep&, std::string text) {
    return lowercased(text);
}

std::string apply(const StripStep& step, std::string text) {
    std::string_view rest = text;
    while (step.left && !rest.empty() && is_white_space(code_point_at(rest, 0).value))
        rest.remove_prefix(code_point_at(rest, 0).length);
    while (step.right && !rest.empty() && is_white_space(last_code_point(rest).value))
        rest.remove_suffix(last_code_point(rest).length);
    return std::string(rest);
}

/// Each character as written by write(character, its code point, out).
template <class Write>
std::string by_character(const std::string& text, Write write) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto [point, length] = code_point_at(text, at);
        write(std::string_view(text).substr(at, length), point, out);
        at += length;
    }
    return out;
}

std::string apply(const StripAccentsStep&, std::string text) {
    return by_character(text, [](std::string_view character, char32_t point, std::string& out) {
        if (!is_mark(point)) out += character;
    });
}

std::string apply(const NmtStep&, std::string text) {
    return by_character(text, [](std::string_view character, char32_t point, std::string& out) {
        const bool control = (point >= 1 && point <= 8) || point == 0xB || (point >= 0xE && point <= 0x1F) ||
                             point == 0x7F || point == 0x8F || point == 0x9F;
        const bool space = point == 0x9 || point == 0xA || point == 0xC || point == 0xD || point == 0x1680 ||
                           (point >= 0x200B && point <= 0x200F) || point == 0x2028 || point == 0x2029 ||
                           point == 0x2581 || point == 0xFEFF || point == 0xFFFD;
        if (!control) out += space ? " " : character;
    });
}

std::string apply(const ReplaceStep& step, std::string text) {
    std::vector<Range> found;
    DelimiterSearch(step.what).find_all(text, found);
    require_growth(text.size(), found.size() * step.by.size());
    std::string out;
    std::size_t at = 0;
    for (const Range& range : found) {
        out.append(text, at, range.begin - at).append(step.by);
        at = range.end;
    }
    return out.append(text, at);
}

std::string apply(const PrependStep& step, std::string text) {
    return text.empty() ? text : step.text + text;
}

std::string apply(const ByteAlphabetStep&, std::string text) {
    std::string out;
    append_in_byte_alphabet(text, out);
    return out;
}

std::string apply(const std::shared_ptr<const PrecompiledCharsmap>& charsmap, std::string text) {
    return charsmap->apply(text);
}

}  // namespace

std::string Normalizer::apply(std::string text) const {
    const std::size_t bytes = text.size();
    for (const NormalizerStep& step : steps_) {
        text = std::visit([&](const auto& s) { return plumbline::apply(s, std::move(text)); }, step);
        require_growth(bytes, text.size());
    }
    return text;
}

}  // namespace plumbline
