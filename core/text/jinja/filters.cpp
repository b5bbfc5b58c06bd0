#include "core/text/jinja/filters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <charconv>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/methods.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

using Given = const Arguments&;

std::int64_t whole(Given arguments, std::size_t place, std::string_view name, std::int64_t otherwise) {
    const Value* value = arguments.find(place, name);
    return value && !value->is_none() ? whole_number(*value, name) : otherwise;
}

bool flag(Given arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    return value && value->truth();
}

Value trim(const Value& value, Given arguments, Work& work) {
    const Value* chars = arguments.find(0, "chars");
    const std::string text = to_text(value, work);
    if (!chars || chars->is_none()) return strip(text);
    const std::string unwanted = to_text(*chars, work);
    work.spend(text.size() * unwanted.size());
    return unwanted.empty() ? Value(text) : Value(strip(text, Side::both, unwanted));
}

Value replace(const Value& value, Given arguments, Work& work) {
    return replaced(to_text(value, work), to_text(arguments.require(0, "old"), work),
                    to_text(arguments.require(1, "new"), work), whole(arguments, 2, "count", -1), work);
}

Value indent(const Value& value, Given arguments, Work& work) {
    const Value* width = arguments.find(0, "width");
    const std::int64_t spaces = width && width->text() ? 0 : whole(arguments, 0, "width", 4);
    work.spend(static_cast<std::size_t>(std::clamp<std::int64_t>(spaces, 0, Work::most)));
    const std::string margin = width && width->text()
                                   ? *width->text()
                                   : std::string(static_cast<std::size_t>(std::max<std::int64_t>(spaces, 0)), ' ');
    const bool blank = flag(arguments, 2, "blank");
    const std::string text = to_text(value, work) + "\n";
    std::string out = flag(arguments, 1, "first") ? margin : "";
    bool first = true;
    for (const std::string_view line : lines_of(text)) {
        work.spend(margin.size() + line.size() + 1);
        if (!first) out += '\n';
        if (!std::exchange(first, false) && (blank || !line.empty())) out += margin;
        out += line;
    }
    return out;
}

/// Each word's first letter large, where a word begins after white space, "-" or an opening bracket.
Value title(const Value& value, Given, Work& work) {
    const std::string text = to_text(value, work);
    std::string out, word;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view one = character_at(text, at);
        word += one;
        at += one.size();
        const bool divides = is_space(one) || std::string_view("-({[<").find(one) != std::string_view::npos;
        if (divides || at == text.size()) out += capitalize(std::exchange(word, ""));
    }
    return out;
}

std::optional<double> parsed(std::string_view text) {
    text = strip(text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

Value to_integer(const Value& value, Given arguments, Work&) {
    const std::int64_t otherwise = whole(arguments, 0, "default", 0);
    if (value.is_undefined()) fail_undefined(value);
    std::int64_t from_bool = 0;
    if (const std::int64_t* number = value.integer(from_bool)) return *number;
    std::int64_t exact = 0;
    if (const std::string* text = value.text()) {
        std::string_view digits = strip(*text);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exact);
        if (error == std::errc{} && end == digits.data() + digits.size()) return exact;
    }
    const auto number = value.text()        ? parsed(*value.text())
                        : value.is_number() ? std::optional(value.number())
                                            : std::nullopt;
    return number && std::fabs(*number) < 9e18 ? static_cast<std::int64_t>(*number) : otherwise;
}

Value to_real(const Value& value, Given arguments, Work&) {
    if (value.is_undefined()) fail_undefined(value);
    if (value.is_number()) return value.number();
    const auto number = value.text() ? parsed(*value.text()) : std::nullopt;
    const Value* otherwise = arguments.find(0, "default");
    return number ? Value(*number) : otherwise ? *otherwise : Value(0.0);
}

Value absolute(const Value& value, Given, Work&) {
    if (!value.is_number()) throw TemplateError("abs: a " + std::string(value.type_name()) + " is no number");
    return value.number() < 0 ? apply(Unary::Kind::negative, value) : apply(Unary::Kind::positive, value);
}

Value round(const Value& value, Given arguments, Work&) {
    if (!value.is_number()) throw TemplateError("round: a " + std::string(value.type_name()) + " is no number");
    const std::int64_t places = std::clamp<std::int64_t>(whole(arguments, 0, "precision", 0), -300, 300);
    const Value* method = arguments.find(1, "method");
    const double scale = std::pow(10.0, static_cast<double>(places)), scaled = value.number() * scale;
    if (method && method->text() && *method->text() == "ceil") return std::ceil(scaled) / scale;
    if (method && method->text() && *method->text() == "floor") return std::floor(scaled) / scale;
    return std::nearbyint(scaled) / scale;   // halves to even, as Python
}

Value as_json(const Value& value, Given arguments, Work& work) {
    const Value* indent = arguments.find(1, "indent");
    if (arguments.positional.size() == 1) indent = nullptr;   // the first is ensure_ascii
    const std::int64_t width = indent && !indent->is_none() ? whole_number(*indent, "indent") : -1;
    return to_json(value, static_cast<int>(std::clamp<std::int64_t>(width, -1, 1000)), work);
}

Value escape(const Value& value, Given, Work& work) {
    std::string out;
    for (const char c : to_text(value, work)) {
        constexpr std::string_view special = "&<>'\"";
        constexpr std::string_view written[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
        const std::size_t which = special.find(c);
        out += which == std::string_view::npos ? std::string_view(&c, 1) : written[which];
    }
    return out;
}

Value otherwise(const Value& value, Given arguments, Work&) {
    const Value* fallback = arguments.find(0, "default_value");
    const bool missing = value.is_undefined() || (flag(arguments, 1, "boolean") && !value.truth());
    return missing ? (fallback ? *fallback : Value("")) : value;
}

template <std::string (*change)(std::string_view)>
Value changed(const Value& value, Given, Work& work) {
    return change(to_text(value, work));
}

Value as_text(const Value& value, Given, Work& work) {
    return to_text(value, work);
}

Value unchanged(const Value& value, Given, Work&) {
    return value;
}

}   // namespace

Filter find_text_filter(std::string_view name) {
    struct Named {
        std::string_view name;
        Filter filter;
    };
    constexpr std::array<Named, 18> filters = {{{"trim", trim},
                                                {"replace", replace},
                                                {"indent", indent},
                                                {"title", title},
                                                {"upper", changed<upper>},
                                                {"lower", changed<lower>},
                                                {"capitalize", changed<capitalize>},
                                                {"string", as_text},
                                                {"safe", unchanged},
                                                {"tojson", as_json},
                                                {"escape", escape},
                                                {"e", escape},
                                                {"int", to_integer},
                                                {"float", to_real},
                                                {"abs", absolute},
                                                {"round", round},
                                                {"default", otherwise},
                                                {"d", otherwise}}};
    for (const Named& one : filters) {
        if (one.name == name) return one.filter;
    }
    return nullptr;
}

Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments, Work& work) {
    work.spend(value.weight());
    Filter filter = find_text_filter(name);
    if (!filter) filter = find_sequence_filter(name);
    if (!filter) throw TemplateError("the filter '" + std::string(name.substr(0, 40)) + "' is not supported");
    return filter(value, arguments, work);
}

}   // namespace plumbline::jinja
