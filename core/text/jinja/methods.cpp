#include "core/text/jinja/methods.h"

#include <algorithm>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

const std::string& text_argument(const Arguments& arguments, std::size_t place, std::string_view name) {
    const Value& value = arguments.require(place, name);
    if (!value.text())
        throw TemplateError("the argument '" + std::string(name) + "' is a " + std::string(value.type_name()) +
                            ", not a str");
    return *value.text();
}

std::int64_t whole_argument(const Arguments& arguments, std::size_t place, std::string_view name,
                            std::int64_t otherwise) {
    const Value* value = arguments.find(place, name);
    return value ? whole_number(*value, name) : otherwise;
}

bool given(const Arguments& arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    return value && !value->is_none();
}

Value list_of(const std::vector<std::string_view>& parts, Work& work) {
    work.spend(parts.size() * sizeof(Value));
    return Value::sequence(std::vector<Value>(parts.begin(), parts.end()));
}

Value split(std::string_view text, const Arguments& arguments, Work& work) {
    std::int64_t left = whole_argument(arguments, 1, "maxsplit", -1);
    std::vector<std::string_view> parts;
    if (given(arguments, 0, "sep")) {
        const std::string& separator = text_argument(arguments, 0, "sep");
        if (separator.empty()) throw TemplateError("split: the separator is empty");
        for (std::size_t at; left-- != 0 && (at = text.find(separator)) != std::string_view::npos;) {
            parts.push_back(text.substr(0, at));
            text.remove_prefix(at + separator.size());
        }
        parts.push_back(text);
        return list_of(parts, work);
    }
    for (text = strip(text, Side::left); !text.empty(); text = strip(text, Side::left)) {
        if (left-- == 0) {
            parts.push_back(strip(text, Side::right));
            break;
        }
        std::size_t end = 0;
        while (end < text.size() && !is_space(character_at(text, end))) end += character_at(text, end).size();
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return list_of(parts, work);
}

Value split_from_right(std::string_view text, const Arguments& arguments, Work& work) {
    std::int64_t left = whole_argument(arguments, 1, "maxsplit", -1);
    if (left < 0 || !given(arguments, 0, "sep")) return split(text, arguments, work);
    const std::string& separator = text_argument(arguments, 0, "sep");
    if (separator.empty()) throw TemplateError("rsplit: the separator is empty");
    std::vector<std::string_view> parts;
    for (std::size_t at; left-- > 0 && (at = text.rfind(separator)) != std::string_view::npos;) {
        parts.push_back(text.substr(at + separator.size()));
        text = text.substr(0, at);
    }
    parts.push_back(text);
    std::reverse(parts.begin(), parts.end());
    return list_of(parts, work);
}

/// One text or a tuple of them, any of which may stand there.
template <typename Stands>
bool any_stands(const Arguments& arguments, Stands stands) {
    const Value& wanted = arguments.require(0, "prefix");
    if (const Sequence* several = wanted.sequence()) {
        return std::any_of(several->items.begin(), several->items.end(),
                           [&](const Value& one) { return one.text() && stands(*one.text()); });
    }
    return stands(text_argument(arguments, 0, "prefix"));
}

template <typename Holds>
bool all_characters(std::string_view text, Holds holds) {
    const auto characters = characters_of(text);
    return !characters.empty() && std::all_of(characters.begin(), characters.end(), holds);
}

bool is_letter(std::string_view character) {
    return character.size() > 1 ? !is_space(character) : std::isalpha(static_cast<unsigned char>(character[0])) != 0;
}

bool is_digit(std::string_view character) {
    return character.size() == 1 && character[0] >= '0' && character[0] <= '9';
}

std::int64_t place_in_characters(std::string_view text, std::size_t at) {
    return at == std::string_view::npos ? -1 : static_cast<std::int64_t>(count_characters(text.substr(0, at)));
}

std::int64_t count(std::string_view text, std::string_view part) {
    if (part.empty()) return static_cast<std::int64_t>(count_characters(text)) + 1;
    std::int64_t out = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++out;
    return out;
}

std::string joined(const std::string& between, const Value& parts, Work& work) {
    std::string out;
    bool first = true;
    for (const Value& part : items_of(parts, work)) {
        if (!part.text()) throw TemplateError("join: a " + std::string(part.type_name()) + " stands among the texts");
        work.spend(between.size() + part.text()->size());
        out += (std::exchange(first, false) ? "" : between) + *part.text();
    }
    return out;
}

Value call_text_method(const std::string& text, const std::string& name, const Arguments& arguments, Work& work) {
    work.spend(text.size());
    const auto stripped = [&](Side side) {
        const bool some = given(arguments, 0, "chars");
        const std::string_view unwanted =
            some ? std::string_view(text_argument(arguments, 0, "chars")) : std::string_view();
        if (some && unwanted.empty()) return Value(text);
        work.spend(text.size() * unwanted.size());
        return Value(strip(text, side, unwanted));
    };
    if (name == "strip") return stripped(Side::both);
    if (name == "lstrip") return stripped(Side::left);
    if (name == "rstrip") return stripped(Side::right);
    if (name == "split") return split(text, arguments, work);
    if (name == "rsplit") return split_from_right(text, arguments, work);
    if (name == "splitlines") return list_of(lines_of(text), work);
    if (name == "startswith")
        return any_stands(arguments, [&](const std::string& one) { return text.starts_with(one); });
    if (name == "endswith") return any_stands(arguments, [&](const std::string& one) { return text.ends_with(one); });
    if (name == "upper") return upper(text);
    if (name == "lower") return lower(text);
    if (name == "title") return title(text);
    if (name == "capitalize") return capitalize(text);
    if (name == "replace") {
        return replaced(text, text_argument(arguments, 0, "old"), text_argument(arguments, 1, "new"),
                        whole_argument(arguments, 2, "count", -1), work);
    }
    if (name == "removeprefix" || name == "removesuffix") {
        const std::string& part = text_argument(arguments, 0, "prefix");
        if (name == "removeprefix") return text.starts_with(part) ? text.substr(part.size()) : text;
        return text.ends_with(part) ? text.substr(0, text.size() - part.size()) : text;
    }
    if (name == "join") return joined(text, arguments.require(0, "iterable"), work);
    if (name == "find") return place_in_characters(text, text.find(text_argument(arguments, 0, "sub")));
    if (name == "rfind") return place_in_characters(text, text.rfind(text_argument(arguments, 0, "sub")));
    if (name == "count") return count(text, text_argument(arguments, 0, "sub"));
    if (name == "isspace") return all_characters(text, is_space);
    if (name == "isdigit" || name == "isdecimal" || name == "isnumeric") return all_characters(text, is_digit);
    if (name == "isalpha") return all_characters(text, is_letter);
    if (name == "isalnum") return all_characters(text, [](auto one) { return is_letter(one) || is_digit(one); });
    if (name == "isupper") return text == upper(text) && text != lower(text);
    if (name == "islower") return text == lower(text) && text != upper(text);
    throw TemplateError("a str's method '" + name.substr(0, 40) + "' is not supported");
}

Value call_mapping_method(const Mapping& mapping, const std::string& name, const Arguments& arguments, Work& work) {
    work.spend(mapping.entries.size() * sizeof(Value));
    if (name == "get") {
        const Value* there = find(mapping, arguments.require(0, "key"), work);
        const Value* otherwise = arguments.find(1, "default");
        return there ? *there : otherwise ? *otherwise : None{};
    }
    std::vector<Value> out;
    for (const auto& [key, value] : mapping.entries) {
        if (name == "keys") out.push_back(key);
        if (name == "values") out.push_back(value);
        if (name == "items") out.push_back(Value::sequence({key, value}, SequenceKind::tuple));
    }
    if (name == "keys" || name == "values" || name == "items")
        return Value::sequence(std::move(out), SequenceKind::view);
    throw TemplateError("a dict's method '" + name.substr(0, 40) + "' is not supported");
}

Value call_list_method(const Sequence& list, const std::string& name, const Arguments& arguments, Work& work) {
    const Value& wanted = arguments.require(0, "value");
    const auto is_wanted = [&](const Value& item) { return equal(item, wanted, work); };
    if (name == "index") {
        const auto there = std::find_if(list.items.begin(), list.items.end(), is_wanted);
        if (there == list.items.end()) throw TemplateError("index: the value is not in the list");
        return static_cast<std::int64_t>(there - list.items.begin());
    }
    if (name == "count")
        return static_cast<std::int64_t>(std::count_if(list.items.begin(), list.items.end(), is_wanted));
    throw TemplateError("a list's method '" + name.substr(0, 40) + "' is not supported: values do not change");
}

}   // namespace

bool has_methods(const Value& object) {
    return object.text() || object.mapping() || object.sequence() || object.is<std::shared_ptr<const Loop>>();
}

Value call_method(const Value& object, const std::string& name, const Arguments& arguments, Work& work) {
    if (const std::string* text = object.text()) return call_text_method(*text, name, arguments, work);
    if (const Mapping* mapping = object.mapping()) return call_mapping_method(*mapping, name, arguments, work);
    if (const Sequence* list = object.sequence()) return call_list_method(*list, name, arguments, work);
    const Loop& loop = **object.get_if<std::shared_ptr<const Loop>>();
    if (name == "cycle" && !arguments.positional.empty())
        return arguments.positional[loop.index % arguments.positional.size()];
    throw TemplateError("a loop's method '" + name.substr(0, 40) + "' is not supported");
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view one = character_at(text, at);
        const char32_t c = code_point_of(one);
        const bool ends = (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
        const std::size_t after = at + one.size() + (c == '\r' && text.substr(at + 1, 1) == "\n" ? 1 : 0);
        if (ends) {
            out.push_back(text.substr(begin, at - begin));
            begin = after;
        }
        at = ends ? after : at + one.size();
    }
    if (begin < text.size()) out.push_back(text.substr(begin));
    return out;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to, std::int64_t most, Work& work) {
    std::string out;
    std::size_t at = 0;
    for (; most != 0; --most) {
        std::size_t next = from.empty() ? at : text.find(from, at);
        if (next == std::string_view::npos || (from.empty() && at > text.size())) break;
        work.spend(to.size() + 1);
        out.append(text.substr(at, next - at)).append(to);
        at = next + from.size();
        if (from.empty()) {   // before each character and at the end
            if (at == text.size()) return out;
            const std::string_view one = character_at(text, at);
            out += one;
            at += one.size();
        }
    }
    return out.append(text.substr(at));
}

}   // namespace plumbline::jinja
