#pragma once
// A template as a tree. Constant after parsing.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/jinja/value.h"

namespace plumbline::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;   // never null unless said
using Expressions = std::vector<ExpressionPtr>;

struct ArgumentList {
    Expressions positional;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
};

struct Constant {
    Value value;
};
struct Name {
    std::string name;
};
struct SequenceOf {
    Expressions items;
    SequenceKind kind;
};
struct MappingOf {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};
struct Attribute {
    ExpressionPtr object;
    std::string name;
};
struct Item {
    ExpressionPtr object, key;
};
struct Slice {
    ExpressionPtr object, start, stop, step;
};   // the last three may be null
struct Call {
    ExpressionPtr callee;
    ArgumentList arguments;
};
struct FilterUse {
    std::string name;
    ArgumentList arguments;
};
struct Filtered {
    ExpressionPtr value;
    FilterUse filter;
};
struct Tested {
    ExpressionPtr value;
    std::string test;
    ArgumentList arguments;
};
struct Unary {
    enum class Kind { negative, positive, inverted } kind;
    ExpressionPtr value;
};
enum class Operator { add, subtract, multiply, divide, floor_divide, modulo, power, concatenate, both, either };
struct Binary {
    Operator op;
    ExpressionPtr left, right;
};
enum class Relation { equal, unequal, less, less_equal, greater, greater_equal, in, not_in };
struct Comparison {
    ExpressionPtr first;
    std::vector<std::pair<Relation, ExpressionPtr>> others;
};   // a < b < c
struct Conditional {
    ExpressionPtr value, condition, otherwise;
};   // otherwise may be null

struct Expression {
    std::variant<Constant, Name, SequenceOf, MappingOf, Attribute, Item, Slice, Call, Filtered, Tested, Unary, Binary,
                 Comparison, Conditional>
        node;
    int line = 0;
};

struct Statement;
using Body = std::vector<Statement>;

struct Data {
    std::string text;
};
struct Output {
    ExpressionPtr value;
};
struct Set {
    ExpressionPtr target, value;
};
struct SetBlock {
    ExpressionPtr target;
    std::vector<FilterUse> filters;
    Body body;
};
struct For {
    ExpressionPtr target, iterable, condition;
    Body body, otherwise;
};   // condition may be null
struct If {
    std::vector<std::pair<ExpressionPtr, Body>> branches;
    Body otherwise;
};
struct Parameter {
    std::string name;
    ExpressionPtr fallback;
};   // fallback may be null
struct Macro {
    std::string name;
    std::vector<Parameter> parameters;
    Body body;
};
struct CallBlock {
    Macro caller;
    ExpressionPtr call;
};
struct FilterBlock {
    std::vector<FilterUse> filters;
    Body body;
};
struct With {
    std::vector<std::pair<ExpressionPtr, ExpressionPtr>> bindings;
    Body body;
};
struct Scoped {
    Body body;
};   // {% generation %}
struct Break {};
struct Continue {};

struct Statement {
    std::variant<Data, Output, Set, SetBlock, For, If, Macro, CallBlock, FilterBlock, With, Scoped, Break, Continue>
        node;
    int line = 0;
};

/// Throws TemplateError with the line.
Body parse(std::string_view source);

}   // namespace plumbline::jinja
