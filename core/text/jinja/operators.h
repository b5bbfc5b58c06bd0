#pragma once
// Python's operators, attributes and subscripts. All throw TemplateError for types that they are not for.

#include <optional>
#include <string_view>

#include "core/text/jinja/syntax.h"
#include "core/text/jinja/value.h"

namespace plumbline::jinja {

/// `op` is neither both nor either.
Value apply(Operator op, const Value& left, const Value& right, Work& work);
Value apply(Unary::Kind kind, const Value& value);
bool holds(Relation relation, const Value& left, const Value& right, Work& work);
bool contains(const Value& whole, const Value& part, Work& work);

/// value.name and value[key]; undefined where there is none.
Value attribute_of(const Value& object, const std::string& name, Work& work);
Value item_of(const Value& object, const Value& key, Work& work);
/// Undefined or none: left out.
Value slice_of(const Value& object, const Value& start, const Value& stop, const Value& step, Work& work);

/// Throws for what is not a whole number.
std::int64_t whole_number(const Value& value, std::string_view what);
[[noreturn]] void fail_undefined(const Value& value);

}  // namespace plumbline::jinja
