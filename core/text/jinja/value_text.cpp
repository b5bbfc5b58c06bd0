// Values as text: Python's str, repr and json.dumps.

#include <charconv>
#include <cmath>
#include <cstdio>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/value.h"

namespace plumbline::jinja {
namespace {

std::string hex(char32_t code, int digits, char letter) {
    char out[16];
    std::snprintf(out, sizeof out, "\\%c%0*x", letter, digits, static_cast<unsigned>(code));
    return out;
}

std::string quoted(std::string_view text) {
    const bool with_double = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = with_double ? '"' : '\'';
    std::string out(1, quote);
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view one = character_at(text, at);
        const char32_t c = code_point_of(one);
        at += one.size();
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\t') {
            out += "\\t";
        } else if (c == '\\' || (one.size() == 1 && one[0] == quote)) {
            out += '\\';
            out += one;
        } else if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) {
            out += hex(c, 2, 'x');
        } else if (c == 0xFEFF || (is_space(one) && c > 0x20) || (c >= 0x200B && c <= 0x200F) ||
                   (c >= 0x202A && c <= 0x202E) || (c >= 0xD800 && c <= 0xF8FF)) {
            out += hex(c, 4, 'u');
        } else {
            out += one;
        }
    }
    return out + quote;
}

std::string json_quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        constexpr std::string_view escaped = "\"\\\n\r\t\f\b", letters = "\"\\nrtfb";
        if (const std::size_t which = escaped.find(c); which != std::string_view::npos) {
            out += {'\\', letters[which]};
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += hex(static_cast<unsigned char>(c), 4, 'u');
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string scalar_text(const Value& value, Work& work) {
    if (value.is_none()) return "None";
    if (const bool* flag = value.get_if<bool>()) return *flag ? "True" : "False";
    if (const auto* whole = value.get_if<std::int64_t>()) return std::to_string(*whole);
    if (const double* real = value.get_if<double>()) return text_of_number(*real);
    if (const auto* space = value.get_if<std::shared_ptr<Namespace>>()) {
        std::string out = "<Namespace {";
        for (const auto& [name, of_name] : (*space)->attributes) {
            out += (out.back() == '{' ? "" : ", ") + quoted(name) + ": " + representation(of_name, work);
        }
        return out + "}>";
    }
    return "<" + std::string(value.type_name()) + ">";
}

void append_json(const Value& value, int indent, int level, std::string& out, Work& work) {
    const Work::Depth deeper(work);
    const auto on_new_line = [&](int at_level) {
        if (indent < 0) return;
        work.spend(static_cast<std::size_t>(indent * at_level));
        out += '\n' + std::string(static_cast<std::size_t>(indent * at_level), ' ');
    };
    const char* comma = indent < 0 ? ", " : ",";
    work.spend(Work::step + value.weight());
    if (const Sequence* list = value.sequence(); list && list->kind <= SequenceKind::tuple) {
        if (list->items.empty()) {
            out += "[]";
            return;
        }
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            out += i == 0 ? "[" : comma;
            on_new_line(level + 1);
            append_json(list->items[i], indent, level + 1, out, work);
        }
        on_new_line(level);
        out += ']';
    } else if (const Mapping* dict = value.mapping()) {
        if (dict->entries.empty()) {
            out += "{}";
            return;
        }
        bool first = true;
        for (const auto& [key, of_key] : dict->entries) {
            out += std::exchange(first, false) ? "{" : comma;
            on_new_line(level + 1);
            if (key.text()) {
                out += json_quoted(*key.text());
            } else {
                out += '"';
                append_json(key, indent, level, out, work);
                out += '"';
            }
            out += ": ";
            append_json(of_key, indent, level + 1, out, work);
        }
        on_new_line(level);
        out += '}';
    } else if (value.text()) {
        out += json_quoted(*value.text());
    } else if (value.is_none()) {
        out += "null";
    } else if (const bool* flag = value.get_if<bool>()) {
        out += *flag ? "true" : "false";
    } else if (const double* real = value.get_if<double>(); real && !std::isfinite(*real)) {
        out += std::isnan(*real) ? "NaN" : *real > 0 ? "Infinity" : "-Infinity";
    } else if (value.is_number()) {
        out += scalar_text(value, work);
    } else {
        throw TemplateError("a " + std::string(value.type_name()) + " cannot be written as JSON");
    }
}

}  // namespace

std::string text_of_number(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
    char digits[64];
    const auto shortest = [&](std::chars_format format) {
        return std::string(digits, std::to_chars(digits, digits + sizeof digits, number, format).ptr);
    };
    const double size = std::fabs(number);
    if (size != 0 && (size < 1e-4 || size >= 1e16)) return shortest(std::chars_format::scientific);
    std::string out = shortest(std::chars_format::fixed);
    return out.find('.') == std::string::npos ? out + ".0" : out;
}

std::string to_text(const Value& value, Work& work) {
    if (const std::string* text = value.text()) {
        work.spend(text->size());
        return *text;
    }
    return value.is_undefined() ? "" : representation(value, work);
}

std::string representation(const Value& value, Work& work) {
    const Work::Depth deeper(work);
    work.spend(Work::step + value.weight());
    if (value.text()) return quoted(*value.text());
    if (value.is_undefined()) return "Undefined";
    if (const Sequence* list = value.sequence()) {
        const bool round = list->kind == SequenceKind::tuple;
        std::string out = round ? "(" : "[";
        for (const Value& item : list->items) out += (out.size() > 1 ? ", " : "") + representation(item, work);
        return out + (!round ? "]" : list->items.size() == 1 ? ",)" : ")");
    }
    if (const Mapping* dict = value.mapping()) {
        std::string out = "{";
        for (const auto& [key, of_key] : dict->entries) {
            out += (out.size() > 1 ? ", " : "") + representation(key, work) + ": " + representation(of_key, work);
        }
        return out + "}";
    }
    return scalar_text(value, work);
}

std::string to_json(const Value& value, int indent, Work& work) {
    std::string out;
    append_json(value, indent, 0, out, work);
    return out;
}

}  // namespace plumbline::jinja
