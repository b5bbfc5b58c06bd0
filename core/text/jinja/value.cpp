#include "core/text/jinja/value.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/jinja/code_points.h"

namespace plumbline::jinja {
namespace {

constexpr int deepest_value = 100;

int checked_depth(int of_children) {
    if (of_children >= deepest_value) throw TemplateError("lists or mappings lie too deep in one another");
    return of_children + 1;
}

}  // namespace

Value Value::sequence(std::vector<Value> items, SequenceKind kind) {
    int depth = 0;
    for (const Value& item : items) depth = std::max(depth, item.depth());
    return Value(std::make_shared<const Sequence>(Sequence{std::move(items), kind, checked_depth(depth)}));
}

Value Value::mapping(std::vector<std::pair<Value, Value>> entries, Work& work) {
    Mapping out{{}, 0};
    for (auto& [key, value] : entries) {
        if (key.sequence() || key.mapping()) {
            throw TemplateError("a " + std::string(key.type_name()) + " cannot be a key of a mapping");
        }
        out.depth = std::max(out.depth, value.depth());
        if (const Value* there = find(out, key, work)) {
            *const_cast<Value*>(there) = std::move(value);
        } else {
            out.entries.emplace_back(std::move(key), std::move(value));
        }
    }
    out.depth = checked_depth(out.depth);
    return Value(std::make_shared<const Mapping>(std::move(out)));
}

Value Value::from_json(const nlohmann::ordered_json& json, Work& work) {
    work.spend(sizeof(Value));
    if (json.is_null()) return None{};
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<std::int64_t>();
    if (json.is_number()) return json.get<double>();
    if (json.is_string()) {
        work.allow(16 * json.get_ref<const std::string&>().size());
        return json.get<std::string>();
    }
    const Work::Depth deeper(work);
    if (json.is_array()) {
        std::vector<Value> items;
        for (const auto& item : json) items.push_back(from_json(item, work));
        return sequence(std::move(items));
    }
    std::vector<std::pair<Value, Value>> entries;
    for (const auto& [key, value] : json.items()) entries.emplace_back(key, from_json(value, work));
    return mapping(std::move(entries), work);
}

const Sequence* Value::sequence() const {
    const auto* held = get_if<std::shared_ptr<const Sequence>>();
    return held ? held->get() : nullptr;
}

const Mapping* Value::mapping() const {
    const auto* held = get_if<std::shared_ptr<const Mapping>>();
    return held ? held->get() : nullptr;
}

const std::int64_t* Value::integer(std::int64_t& from_bool) const {
    if (const bool* flag = get_if<bool>()) return &(from_bool = *flag ? 1 : 0);
    return get_if<std::int64_t>();
}

double Value::number() const {
    std::int64_t flag = 0;
    const std::int64_t* whole = integer(flag);
    return whole ? static_cast<double>(*whole) : std::get<double>(v_);
}

bool Value::truth() const {
    if (is_undefined() || is_none()) return false;
    if (is_number()) return number() != 0;
    if (const std::string* string = text()) return !string->empty();
    if (const Sequence* list = sequence()) return !list->items.empty() || list->kind == SequenceKind::generator;
    if (const Mapping* dict = mapping()) return !dict->entries.empty();
    return true;
}

std::string_view Value::type_name() const {
    if (const Sequence* list = sequence()) {
        constexpr std::string_view names[] = {"list", "tuple", "range", "dict view", "generator"};
        return names[static_cast<std::size_t>(list->kind)];
    }
    constexpr std::string_view names[] = {"undefined", "NoneType", "bool",      "int",   "float", "str",
                                          "list",      "dict",     "namespace", "macro", "loop",  "function"};
    return names[v_.index()];
}

int Value::depth() const {
    if (const Sequence* list = sequence()) return list->depth;
    if (const Mapping* dict = mapping()) return dict->depth;
    return 0;
}

std::size_t Value::weight() const {
    if (const std::string* string = text()) return string->size();
    if (const Sequence* list = sequence()) return list->items.size() * sizeof(Value);
    if (const Mapping* dict = mapping()) return dict->entries.size() * sizeof(Value);
    return 0;
}

bool equal(const Value& a, const Value& b, Work& work) {
    const Work::Depth deeper(work);
    work.spend(1 + std::min(a.weight(), b.weight()));
    if (a.is_number() && b.is_number()) {
        std::int64_t flag_a = 0, flag_b = 0;
        const std::int64_t *whole_a = a.integer(flag_a), *whole_b = b.integer(flag_b);
        return whole_a && whole_b ? *whole_a == *whole_b : a.number() == b.number();
    }
    if (a.variant().index() != b.variant().index()) return false;
    if (a.is_undefined() || a.is_none()) return true;
    if (a.text()) return *a.text() == *b.text();
    if (const Sequence *left = a.sequence(), *right = b.sequence(); left && right) {
        const bool as_one = (left->kind == SequenceKind::tuple) == (right->kind == SequenceKind::tuple);
        return as_one && std::equal(left->items.begin(), left->items.end(), right->items.begin(), right->items.end(),
                                    [&](const Value& x, const Value& y) { return equal(x, y, work); });
    }
    if (const Mapping *left = a.mapping(), *right = b.mapping(); left && right) {
        if (left->entries.size() != right->entries.size()) return false;
        return std::all_of(left->entries.begin(), left->entries.end(), [&](const auto& entry) {
            const Value* there = find(*right, entry.first, work);
            return there && equal(entry.second, *there, work);
        });
    }
    if (const auto* space = a.get_if<std::shared_ptr<Namespace>>()) {
        return *space == *b.get_if<std::shared_ptr<Namespace>>();
    }
    return false;
}

int compare(const Value& a, const Value& b, Work& work) {
    const Work::Depth deeper(work);
    work.spend(1 + std::min(a.weight(), b.weight()));
    const auto sign = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : 0; };
    if (a.is_number() && b.is_number()) {
        std::int64_t flag_a = 0, flag_b = 0;
        const std::int64_t *whole_a = a.integer(flag_a), *whole_b = b.integer(flag_b);
        return whole_a && whole_b ? sign(*whole_a, *whole_b) : sign(a.number(), b.number());
    }
    if (a.text() && b.text()) return sign(a.text()->compare(*b.text()), 0);   // UTF-8 keeps the order of code points
    if (const Sequence *left = a.sequence(), *right = b.sequence(); left && right && left->kind == right->kind) {
        for (std::size_t i = 0; i < std::min(left->items.size(), right->items.size()); ++i) {
            if (!equal(left->items[i], right->items[i], work)) return compare(left->items[i], right->items[i], work);
        }
        return sign(left->items.size(), right->items.size());
    }
    throw TemplateError("a " + std::string(a.type_name()) + " and a " + std::string(b.type_name()) + " have no order");
}

const Value* find(const Mapping& mapping, const Value& key, Work& work) {
    for (const auto& [own, value] : mapping.entries) {
        if (equal(own, key, work)) return &value;
    }
    return nullptr;
}

std::vector<Value> items_of(const Value& value, Work& work) {
    work.spend(value.weight());
    if (value.is_undefined()) return {};
    if (const Sequence* list = value.sequence()) return list->items;
    std::vector<Value> out;
    if (const Mapping* dict = value.mapping()) {
        for (const auto& entry : dict->entries) out.push_back(entry.first);
        return out;
    }
    if (const std::string* string = value.text()) {
        work.spend(string->size() * sizeof(Value));
        for (const std::string_view character : characters_of(*string)) out.emplace_back(character);
        return out;
    }
    throw TemplateError("a " + std::string(value.type_name()) + " cannot be gone through");
}

}  // namespace plumbline::jinja
