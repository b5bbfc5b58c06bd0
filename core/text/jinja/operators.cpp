#include "core/text/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/interpreter.h"

namespace plumbline::jinja {
namespace {

constexpr std::string_view symbols[] = {"+", "-", "*", "/", "//", "%", "**", "~", "and", "or"};

/// `value` is read after the operation that fills it.
std::int64_t fitting(bool overflows, const std::int64_t& value) {
    if (overflows) throw TemplateError("a whole number becomes too large");
    return value;
}

std::int64_t power(std::int64_t base, std::int64_t exponent) {
    std::int64_t out = 1;
    for (; exponent > 0; exponent >>= 1) {   // by squaring: at most 63 rounds
        if (exponent & 1) fitting(__builtin_mul_overflow(out, base, &out), out);
        if (exponent > 1) fitting(__builtin_mul_overflow(base, base, &base), base);
    }
    return out;
}

/// Rounded down, as Python divides.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    fitting(b == -1 && a == INT64_MIN, 0);
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

Value of_whole_numbers(Operator op, std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    switch (op) {
        case Operator::add:
            return fitting(__builtin_add_overflow(a, b, &out), out);
        case Operator::subtract:
            return fitting(__builtin_sub_overflow(a, b, &out), out);
        case Operator::multiply:
            return fitting(__builtin_mul_overflow(a, b, &out), out);
        case Operator::floor_divide:
            return floor_divide(a, b);
        case Operator::modulo:
            return b == -1 ? std::int64_t{0} : a - b * floor_divide(a, b);
        default:
            return power(a, b);
    }
}

Value of_numbers(Operator op, double a, double b) {
    switch (op) {
        case Operator::add:
            return a + b;
        case Operator::subtract:
            return a - b;
        case Operator::multiply:
            return a * b;
        case Operator::divide:
            return a / b;
        case Operator::floor_divide:
            return std::floor(a / b);
        case Operator::modulo: {
            const double rest = std::fmod(a, b);
            return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
        }
        default:
            return std::pow(a, b);
    }
}

Value repeated(const Value& value, std::int64_t times, Work& work) {
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
    if (value.weight() > 0) work.spend(count > Work::most ? Work::most + 1 : count * value.weight());
    if (const std::string* text = value.text()) {
        std::string out;
        for (std::size_t i = 0; i < count && !text->empty(); ++i) out += *text;
        return out;
    }
    std::vector<Value> out;
    const std::vector<Value>& items = value.sequence()->items;
    for (std::size_t i = 0; i < count && !items.empty(); ++i) out.insert(out.end(), items.begin(), items.end());
    return Value::sequence(std::move(out), value.sequence()->kind);
}

bool repeats(const Value& value) {
    return value.text() || (value.sequence() && value.sequence()->kind <= SequenceKind::tuple);
}

/// Indices of a slice, as Python's slice.indices; throws for a step of 0.
std::vector<std::size_t> sliced(std::size_t size, const Value& start, const Value& stop, const Value& step) {
    const auto given = [](const Value& value) { return !value.is_undefined() && !value.is_none(); };
    const std::int64_t by = given(step) ? whole_number(step, "a slice's step") : 1;
    if (by == 0) throw TemplateError("a slice's step is 0");
    const auto length = static_cast<std::int64_t>(size);
    const std::int64_t least = by > 0 ? 0 : -1, most = by > 0 ? length : length - 1;
    const auto place = [&](const Value& value, std::int64_t otherwise) {
        if (!given(value)) return otherwise;
        const std::int64_t at = whole_number(value, "a slice's end");
        return std::clamp(at < 0 ? std::max(at, -length - 1) + length : at, least, most);
    };
    std::vector<std::size_t> out;
    const std::int64_t last = place(stop, by > 0 ? most : least);
    for (std::int64_t at = place(start, by > 0 ? least : most); by > 0 ? at < last : at > last;) {
        out.push_back(static_cast<std::size_t>(at));
        if (__builtin_add_overflow(at, by, &at)) break;
    }
    return out;
}

std::optional<std::size_t> place_of(const Value& key, std::size_t size) {
    std::int64_t flag = 0;
    const std::int64_t* index = key.integer(flag);
    const auto length = static_cast<std::int64_t>(size);
    if (!index || *index < -length || *index >= length) return std::nullopt;
    return static_cast<std::size_t>(*index < 0 ? *index + length : *index);
}

Value attribute_of(const Loop& loop, std::string_view name) {
    const auto length = static_cast<std::int64_t>(loop.items->size()), index = static_cast<std::int64_t>(loop.index);
    if (name == "index") return index + 1;
    if (name == "index0") return index;
    if (name == "revindex") return length - index;
    if (name == "revindex0") return length - index - 1;
    if (name == "first") return index == 0;
    if (name == "last") return index + 1 == length;
    if (name == "length") return length;
    if (name == "depth") return std::int64_t{1};   // of recursion, which there is not
    if (name == "depth0") return std::int64_t{0};
    if (name == "previtem" && index > 0) return (*loop.items)[loop.index - 1];
    if (name == "nextitem" && index + 1 < length) return (*loop.items)[loop.index + 1];
    return Undefined{std::make_shared<const std::string>("loop." + std::string(name))};
}

Value missing(const Value& key) {
    return key.text() ? Undefined{std::make_shared<const std::string>(*key.text())} : Undefined{};
}

}   // namespace

void fail_undefined(const Value& value) {
    const auto& name = std::get<Undefined>(value.variant()).name;
    throw TemplateError((name ? "'" + name->substr(0, 100) + "'" : std::string("a value")) + " is undefined");
}

std::int64_t whole_number(const Value& value, std::string_view what) {
    std::int64_t flag = 0;
    const std::int64_t* whole = value.integer(flag);
    if (!whole)
        throw TemplateError(std::string(what) + " is a " + std::string(value.type_name()) + ", not a whole number");
    return *whole;
}

Value apply(Operator op, const Value& left, const Value& right, Work& work) {
    if (op == Operator::concatenate) {
        std::string out = to_text(left, work);
        return out += to_text(right, work);
    }
    if (left.is_undefined()) fail_undefined(left);
    if (right.is_undefined()) fail_undefined(right);
    if (left.is_number() && right.is_number()) {
        const bool divides = op == Operator::divide || op == Operator::floor_divide || op == Operator::modulo;
        if (divides && right.number() == 0) throw TemplateError("division by zero");
        std::int64_t flag_a = 0, flag_b = 0;
        const std::int64_t *a = left.integer(flag_a), *b = right.integer(flag_b);
        const bool whole = a && b && op != Operator::divide && (op != Operator::power || *b >= 0);
        return whole ? of_whole_numbers(op, *a, *b) : of_numbers(op, left.number(), right.number());
    }
    work.spend(left.weight() + right.weight());
    if (op == Operator::add && left.text() && right.text()) return *left.text() + *right.text();
    if (op == Operator::add && repeats(left) && repeats(right) && left.variant().index() == right.variant().index() &&
        left.sequence()->kind == right.sequence()->kind) {
        std::vector<Value> items = left.sequence()->items;
        items.insert(items.end(), right.sequence()->items.begin(), right.sequence()->items.end());
        return Value::sequence(std::move(items), left.sequence()->kind);
    }
    std::int64_t flag = 0;
    if (op == Operator::multiply && repeats(left) && right.integer(flag))
        return repeated(left, *right.integer(flag), work);
    if (op == Operator::multiply && repeats(right) && left.integer(flag))
        return repeated(right, *left.integer(flag), work);
    throw TemplateError("a " + std::string(left.type_name()) + " " +
                        std::string(symbols[static_cast<std::size_t>(op)]) + " a " + std::string(right.type_name()) +
                        " is not possible");
}

Value apply(Unary::Kind kind, const Value& value) {
    if (kind == Unary::Kind::inverted) return !value.truth();
    if (value.is_undefined()) fail_undefined(value);
    if (!value.is_number()) throw TemplateError("a " + std::string(value.type_name()) + " has no sign");
    std::int64_t flag = 0;
    const std::int64_t* whole = value.integer(flag);
    if (kind == Unary::Kind::positive) return whole ? Value(*whole) : value;
    return whole ? of_whole_numbers(Operator::subtract, 0, *whole) : Value(-value.number());
}

bool contains(const Value& whole, const Value& part, Work& work) {
    work.spend(whole.weight());
    if (const std::string* text = whole.text()) {
        if (!part.text()) throw TemplateError("a " + std::string(part.type_name()) + " cannot be in a str");
        work.spend(part.weight());
        return text->find(*part.text()) != std::string::npos;
    }
    if (const Mapping* mapping = whole.mapping()) return find(*mapping, part, work) != nullptr;
    const std::vector<Value> items = items_of(whole, work);
    return std::any_of(items.begin(), items.end(), [&](const Value& item) { return equal(item, part, work); });
}

bool holds(Relation relation, const Value& left, const Value& right, Work& work) {
    switch (relation) {
        case Relation::equal:
            return equal(left, right, work);
        case Relation::unequal:
            return !equal(left, right, work);
        case Relation::in:
            return contains(right, left, work);
        case Relation::not_in:
            return !contains(right, left, work);
        default:
            break;
    }
    if (left.is_undefined()) fail_undefined(left);
    if (right.is_undefined()) fail_undefined(right);
    const int order = compare(left, right, work);
    switch (relation) {
        case Relation::less:
            return order < 0;
        case Relation::less_equal:
            return order <= 0;
        case Relation::greater:
            return order > 0;
        default:
            return order >= 0;
    }
}

Value attribute_of(const Value& object, const std::string& name, Work& work) {
    if (object.is_undefined()) fail_undefined(object);
    if (object.mapping()) return item_of(object, name, work);
    if (const auto* loop = object.get_if<std::shared_ptr<const Loop>>()) return attribute_of(**loop, name);
    if (const auto* space = object.get_if<std::shared_ptr<Namespace>>()) {
        for (const auto& [own, value] : (*space)->attributes) {
            work.spend(1);
            if (own == name) return value;
        }
    }
    return Undefined{std::make_shared<const std::string>(name)};
}

Value item_of(const Value& object, const Value& key, Work& work) {
    if (object.is_undefined()) fail_undefined(object);
    if (const Mapping* mapping = object.mapping()) {
        const Value* there = find(*mapping, key, work);
        return there ? *there : missing(key);
    }
    if (const Sequence* list = object.sequence()) {
        const auto place = place_of(key, list->items.size());
        return place ? list->items[*place] : missing(key);
    }
    if (const std::string* text = object.text()) {
        work.spend(text->size());
        const auto characters = characters_of(*text);
        const auto place = place_of(key, characters.size());
        return place ? Value(characters[*place]) : missing(key);
    }
    return key.text() ? attribute_of(object, *key.text(), work) : missing(key);
}

Value slice_of(const Value& object, const Value& start, const Value& stop, const Value& step, Work& work) {
    if (object.is_undefined()) fail_undefined(object);
    if (const std::string* text = object.text()) {
        work.spend(text->size());
        const auto characters = characters_of(*text);
        std::string out;
        for (const std::size_t at : sliced(characters.size(), start, stop, step)) out += characters[at];
        return out;
    }
    const Sequence* list = object.sequence();
    if (!list || list->kind > SequenceKind::range) {
        throw TemplateError("a " + std::string(object.type_name()) + " cannot be sliced");
    }
    work.spend(object.weight());
    std::vector<Value> out;
    for (const std::size_t at : sliced(list->items.size(), start, stop, step)) out.push_back(list->items[at]);
    return Value::sequence(std::move(out), list->kind);
}

}   // namespace plumbline::jinja
