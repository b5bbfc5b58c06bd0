// Jinja's tests: "value is name(arguments)".

#include <algorithm>
#include <array>

#include "core/text/jinja/code_points.h"
#include "core/text/jinja/filters.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

using Given = const Arguments&;
using Test = bool (*)(const Value&, Given, Work&);

template <Relation relation>
bool related(const Value& value, Given arguments, Work& work) {
    return holds(relation, value, arguments.require(0, "other"), work);
}

template <int rest>
bool leaves(const Value& value, Given, Work& work) {
    return equal(apply(Operator::modulo, value, Value(std::int64_t{2}), work), Value(std::int64_t{rest}), work);
}

bool divisible(const Value& value, Given arguments, Work& work) {
    return !apply(Operator::modulo, value, arguments.require(0, "num"), work).truth();
}

bool is_collection(const Value& value, Given, Work&) {
    return value.text() || value.sequence() || value.mapping() || value.is_undefined();
}

bool is_sequence(const Value& value, Given, Work&) {
    const Sequence* list = value.sequence();
    return value.text() || value.mapping() || value.is_undefined() || (list && list->kind <= SequenceKind::range);
}

bool is_the_same(const Value& value, Given arguments, Work& work) {
    const Value& other = arguments.require(0, "other");
    return value.variant().index() == other.variant().index() && equal(value, other, work);
}

bool is_callable(const Value& value, Given, Work&) {
    return value.is<std::shared_ptr<const MacroClosure>>() || value.is<const Builtin*>();
}

struct Named {
    std::string_view name;
    Test test;
};
constexpr std::array<Named, 38> tests = {{
    {"defined", [](const Value& v, Given, Work&) { return !v.is_undefined(); }},
    {"undefined", [](const Value& v, Given, Work&) { return v.is_undefined(); }},
    {"none", [](const Value& v, Given, Work&) { return v.is_none(); }},
    {"string", [](const Value& v, Given, Work&) { return v.text() != nullptr; }},
    {"mapping", [](const Value& v, Given, Work&) { return v.mapping() != nullptr; }},
    {"boolean", [](const Value& v, Given, Work&) { return v.is<bool>(); }},
    {"true", [](const Value& v, Given, Work&) { return v.is<bool>() && v.truth(); }},
    {"false", [](const Value& v, Given, Work&) { return v.is<bool>() && !v.truth(); }},
    {"integer", [](const Value& v, Given, Work&) { return v.is<std::int64_t>(); }},
    {"float", [](const Value& v, Given, Work&) { return v.is<double>(); }},
    {"number", [](const Value& v, Given, Work&) { return v.is_number(); }},
    {"iterable", is_collection},
    {"sequence", is_sequence},
    {"callable", is_callable},
    {"sameas", is_the_same},
    {"odd", leaves<1>},
    {"even", leaves<0>},
    {"divisibleby", divisible},
    {"in", related<Relation::in>},
    {"lower",
     [](const Value& v, Given, Work& w) {
         const auto t = to_text(v, w);
         return t == lower(t) && t != upper(t);
     }},
    {"upper",
     [](const Value& v, Given, Work& w) {
         const auto t = to_text(v, w);
         return t == upper(t) && t != lower(t);
     }},
    {"filter", [](const Value& v, Given,
                  Work&) { return v.text() && (find_text_filter(*v.text()) || find_sequence_filter(*v.text())); }},
    {"equalto", related<Relation::equal>},
    {"eq", related<Relation::equal>},
    {"==", related<Relation::equal>},
    {"ne", related<Relation::unequal>},
    {"!=", related<Relation::unequal>},
    {"lt", related<Relation::less>},
    {"lessthan", related<Relation::less>},
    {"<", related<Relation::less>},
    {"le", related<Relation::less_equal>},
    {"<=", related<Relation::less_equal>},
    {"gt", related<Relation::greater>},
    {"greaterthan", related<Relation::greater>},
    {">", related<Relation::greater>},
    {"ge", related<Relation::greater_equal>},
    {">=", related<Relation::greater_equal>},
    {"escaped", [](const Value&, Given, Work&) { return false; }},
}};

}   // namespace

bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Work& work) {
    work.spend(value.weight());
    const auto found = std::find_if(tests.begin(), tests.end(), [&](const Named& one) { return one.name == name; });
    if (found == tests.end())
        throw TemplateError("the test '" + std::string(name.substr(0, 40)) + "' is not supported");
    return found->test(value, arguments, work);
}

}   // namespace plumbline::jinja
