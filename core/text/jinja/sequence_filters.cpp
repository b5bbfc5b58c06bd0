// Filters of lists and mappings. What is lazy in Jinja is a list here that is true even when it is empty.

#include <algorithm>
#include <array>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/filters.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

using Given = const Arguments&;

/// "a.b.0" of a value, as filters name attributes; the value itself for "".
Value part_of(const Value& value, const Value* path, Work& work) {
    if (!path || path->is_none()) return value;
    if (!path->text()) return item_of(value, *path, work);
    Value out = value;
    std::string_view rest = *path->text();
    for (;;) {
        const std::string_view name = rest.substr(0, rest.find('.'));
        const bool number =
            !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == std::string_view::npos;
        out =
            item_of(out, number ? Value(static_cast<std::int64_t>(std::stoll(std::string(name)))) : Value(name), work);
        if (name.size() == rest.size()) return out;
        rest.remove_prefix(name.size() + 1);
    }
}

Arguments without_first(Given arguments, std::size_t count) {
    Arguments out = arguments;
    out.positional.erase(out.positional.begin(),
                         out.positional.begin() + static_cast<std::ptrdiff_t>(std::min(count, out.positional.size())));
    return out;
}

Value length(const Value& value, Given, Work&) {
    if (value.is_undefined()) return std::int64_t{0};
    if (const std::string* text = value.text()) return static_cast<std::int64_t>(count_characters(*text));
    if (const Sequence* list = value.sequence()) return static_cast<std::int64_t>(list->items.size());
    if (const Mapping* mapping = value.mapping()) return static_cast<std::int64_t>(mapping->entries.size());
    throw TemplateError("length: a " + std::string(value.type_name()) + " has none");
}

Value join(const Value& value, Given arguments, Work& work) {
    const Value* between = arguments.find(0, "d");
    const std::string separator = between ? to_text(*between, work) : "";
    std::string out;
    bool first = true;
    for (const Value& item : items_of(value, work)) {
        if (!std::exchange(first, false)) {
            work.spend(separator.size());
            out += separator;
        }
        out += to_text(part_of(item, arguments.find(1, "attribute"), work), work);
    }
    return out;
}

Value as_list(const Value& value, Given, Work& work) {
    return Value::sequence(items_of(value, work));
}

Value first(const Value& value, Given, Work& work) {
    const std::vector<Value> items = items_of(value, work);
    return items.empty() ? Value() : items.front();
}

Value last(const Value& value, Given, Work& work) {
    const std::vector<Value> items = items_of(value, work);
    return items.empty() ? Value() : items.back();
}

Value reverse(const Value& value, Given, Work& work) {
    std::vector<Value> items = items_of(value, work);
    std::reverse(items.begin(), items.end());
    if (!value.text()) return Value::sequence(std::move(items), SequenceKind::generator);
    std::string out;
    for (const Value& item : items) out += *item.text();
    return out;
}

Value map(const Value& value, Given arguments, Work& work) {
    std::vector<Value> out;
    const Value* attribute = arguments.positional.empty() ? arguments.find(0, "attribute") : nullptr;
    const Value* fallback = arguments.positional.empty() ? arguments.find(1, "default") : nullptr;
    const std::string filter = attribute ? "" : to_text(arguments.require(0, "filter"), work);
    const Arguments passed = without_first(arguments, 1);
    for (const Value& item : items_of(value, work)) {
        work.spend(Work::step);
        if (attribute) {
            Value part = part_of(item, attribute, work);
            out.push_back(part.is_undefined() && fallback ? *fallback : std::move(part));
        } else {
            out.push_back(apply_filter(filter, item, passed, work));
        }
    }
    return Value::sequence(std::move(out), SequenceKind::generator);
}

enum class Keeps { passing, failing };

/// Items whose part at `path` passes a test; without a test: is true.
Value filtered(const Value& value, const Value* path, Given test, Keeps keeps, Work& work) {
    std::vector<Value> out;
    const std::string name = test.positional.empty() ? "" : to_text(test.positional[0], work);
    const Arguments passed = without_first(test, 1);
    for (const Value& item : items_of(value, work)) {
        work.spend(Work::step);
        const Value part = part_of(item, path, work);
        const bool passes = name.empty() ? part.truth() : apply_test(name, part, passed, work);
        if (passes == (keeps == Keeps::passing)) out.push_back(item);
    }
    return Value::sequence(std::move(out), SequenceKind::generator);
}

template <Keeps keeps>
Value select(const Value& value, Given arguments, Work& work) {
    return filtered(value, nullptr, arguments, keeps, work);
}

template <Keeps keeps>
Value select_by_attribute(const Value& value, Given arguments, Work& work) {
    return filtered(value, &arguments.require(0, "attribute"), without_first(arguments, 1), keeps, work);
}

/// What to order or tell apart by: texts without regard to case unless asked.
Value key_of(const Value& value, const Value* attribute, bool case_sensitive, Work& work) {
    Value part = part_of(value, attribute, work);
    return !case_sensitive && part.text() ? Value(lower(*part.text())) : part;
}

bool flag(Given arguments, std::size_t place, std::string_view name) {
    const Value* value = arguments.find(place, name);
    return value && value->truth();
}

std::vector<std::pair<Value, Value>> with_keys(const Value& value, const Value* attribute, bool case_sensitive,
                                               Work& work) {
    std::vector<std::pair<Value, Value>> out;
    for (const Value& item : items_of(value, work)) {
        work.spend(Work::step);
        out.emplace_back(key_of(item, attribute, case_sensitive, work), item);
    }
    return out;
}

Value sort(const Value& value, Given arguments, Work& work) {
    auto keyed = with_keys(value, arguments.find(2, "attribute"), flag(arguments, 1, "case_sensitive"), work);
    const bool down = flag(arguments, 0, "reverse");
    std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
        return down ? compare(b.first, a.first, work) < 0 : compare(a.first, b.first, work) < 0;
    });
    std::vector<Value> out;
    for (auto& [key, item] : keyed) out.push_back(std::move(item));
    return Value::sequence(std::move(out));
}

Value unique(const Value& value, Given arguments, Work& work) {
    std::vector<Value> seen, out;
    for (auto& [key, item] :
         with_keys(value, arguments.find(1, "attribute"), flag(arguments, 0, "case_sensitive"), work)) {
        const bool again =
            std::any_of(seen.begin(), seen.end(), [&](const Value& one) { return equal(one, key, work); });
        if (again) continue;
        seen.push_back(std::move(key));
        out.push_back(std::move(item));
    }
    return Value::sequence(std::move(out), SequenceKind::generator);
}

template <int sign>
Value extreme(const Value& value, Given arguments, Work& work) {
    Value best, best_key;
    for (auto& [key, item] :
         with_keys(value, arguments.find(1, "attribute"), flag(arguments, 0, "case_sensitive"), work)) {
        if (!best_key.is_undefined() && compare(key, best_key, work) * sign <= 0) continue;
        best = std::move(item);
        best_key = std::move(key);
    }
    return best;
}

Value sum(const Value& value, Given arguments, Work& work) {
    const Value* start = arguments.find(1, "start");
    Value out = start ? *start : Value(std::int64_t{0});
    for (const Value& item : items_of(value, work)) {
        out = apply(Operator::add, out, part_of(item, arguments.find(0, "attribute"), work), work);
    }
    return out;
}

std::vector<Value> pairs_of(const Value& value) {
    std::vector<Value> out;
    if (value.is_undefined()) return out;
    const Mapping* mapping = value.mapping();
    if (!mapping) throw TemplateError("a " + std::string(value.type_name()) + " is no mapping");
    for (const auto& [key, of_key] : mapping->entries)
        out.push_back(Value::sequence({key, of_key}, SequenceKind::tuple));
    return out;
}

Value items(const Value& value, Given, Work&) {
    return Value::sequence(pairs_of(value), SequenceKind::generator);
}

Value sorted_pairs(const Value& value, Given arguments, Work& work) {
    const Value* by = arguments.find(1, "by");
    const Value place(std::int64_t{by && by->text() && *by->text() == "value" ? 1 : 0});
    Arguments passed;
    passed.named = {{"attribute", place},
                    {"case_sensitive", flag(arguments, 0, "case_sensitive")},
                    {"reverse", flag(arguments, 2, "reverse")}};
    return sort(Value::sequence(pairs_of(value)), passed, work);
}

Value attribute(const Value& value, Given arguments, Work& work) {
    return attribute_of(value, to_text(arguments.require(0, "name"), work), work);
}

}   // namespace

Filter find_sequence_filter(std::string_view name) {
    struct Named {
        std::string_view name;
        Filter filter;
    };
    constexpr std::array<Named, 20> filters = {{{"length", length},
                                                {"count", length},
                                                {"join", join},
                                                {"list", as_list},
                                                {"first", first},
                                                {"last", last},
                                                {"reverse", reverse},
                                                {"map", map},
                                                {"select", select<Keeps::passing>},
                                                {"reject", select<Keeps::failing>},
                                                {"selectattr", select_by_attribute<Keeps::passing>},
                                                {"rejectattr", select_by_attribute<Keeps::failing>},
                                                {"sort", sort},
                                                {"unique", unique},
                                                {"min", extreme<-1>},
                                                {"max", extreme<1>},
                                                {"sum", sum},
                                                {"items", items},
                                                {"dictsort", sorted_pairs},
                                                {"attr", attribute}}};
    for (const Named& one : filters) {
        if (one.name == name) return one.filter;
    }
    return nullptr;
}

}   // namespace plumbline::jinja
