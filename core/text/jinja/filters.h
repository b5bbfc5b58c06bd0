#pragma once
// Jinja's filters and tests by name.

#include <string_view>

#include "core/text/jinja/interpreter.h"

namespace plumbline::jinja {

/// Both throw TemplateError for a name that is not known.
Value apply_filter(std::string_view name, const Value& value, const Arguments& arguments, Work& work);
bool apply_test(std::string_view name, const Value& value, const Arguments& arguments, Work& work);

using Filter = Value (*)(const Value&, const Arguments&, Work&);
Filter find_text_filter(std::string_view name);       // nullptr: not of this kind
Filter find_sequence_filter(std::string_view name);

}  // namespace plumbline::jinja
