#pragma once
// Python's methods of texts, mappings and lists, as far as they change nothing.

#include <string>

#include "core/text/jinja/interpreter.h"

namespace plumbline::jinja {

bool has_methods(const Value& object);
/// Throws TemplateError for a method that is not known.
Value call_method(const Value& object, const std::string& name, const Arguments& arguments, Work& work);

/// As str.splitlines.
std::vector<std::string_view> lines_of(std::string_view text);
/// As str.replace; `most` below zero: all.
std::string replaced(std::string_view text, std::string_view from, std::string_view to, std::int64_t most, Work& work);

}  // namespace plumbline::jinja
