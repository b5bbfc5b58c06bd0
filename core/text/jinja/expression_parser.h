#pragma once

#include "core/text/jinja/syntax.h"
#include "core/text/jinja/token_reader.h"

namespace plumbline::jinja {

enum class Conditionals { allowed, left_alone };   // "for x in y if z": the "if" is the loop's

/// An expression, or a tuple where commas follow.
ExpressionPtr parse_expressions(TokenReader& tokens, Conditionals conditionals = Conditionals::allowed);
ExpressionPtr parse_expression(TokenReader& tokens, Conditionals conditionals = Conditionals::allowed);
/// What can be set: names, "namespace.name", tuples of names.
ExpressionPtr parse_target(TokenReader& tokens);
/// "name", "name(arguments)", several with "|" between; at the first name.
std::vector<FilterUse> parse_filters(TokenReader& tokens);
ArgumentList parse_arguments(TokenReader& tokens);   // at "("

}  // namespace plumbline::jinja
