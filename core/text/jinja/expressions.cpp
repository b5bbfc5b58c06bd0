// The interpreter's expressions.

#include <algorithm>

#include "core/text/jinja/filters.h"
#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/methods.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {

Value Interpreter::evaluate(const Expression& expression) {
    const Work::Depth deeper(rendering_.work);
    rendering_.work.spend(Work::step);
    line_ = expression.line;
    return std::visit([&](const auto& node) { return visit(node); }, expression.node);
}

Value Interpreter::evaluate_or_nothing(const ExpressionPtr& expression) {
    return expression ? evaluate(*expression) : Value();
}

Arguments Interpreter::evaluate(const ArgumentList& list) {
    Arguments out;
    for (const ExpressionPtr& one : list.positional) out.positional.push_back(evaluate(*one));
    for (const auto& [name, value] : list.named) out.named.emplace_back(name, evaluate(*value));
    return out;
}

Value Interpreter::visit(const SequenceOf& node) {
    std::vector<Value> items;
    for (const ExpressionPtr& item : node.items) items.push_back(evaluate(*item));
    return Value::sequence(std::move(items), node.kind);
}

Value Interpreter::visit(const MappingOf& node) {
    std::vector<std::pair<Value, Value>> entries;
    for (const auto& [key, value] : node.entries) {
        Value of_key = evaluate(*key);
        entries.emplace_back(std::move(of_key), evaluate(*value));
    }
    return Value::mapping(std::move(entries), rendering_.work);
}

Value Interpreter::visit(const Attribute& node) {
    return attribute_of(evaluate(*node.object), node.name, rendering_.work);
}

Value Interpreter::visit(const Item& node) {
    const Value object = evaluate(*node.object);
    return item_of(object, evaluate(*node.key), rendering_.work);
}

Value Interpreter::visit(const Slice& node) {
    const Value object = evaluate(*node.object), start = evaluate_or_nothing(node.start);
    const Value stop = evaluate_or_nothing(node.stop), step = evaluate_or_nothing(node.step);
    return slice_of(object, start, stop, step, rendering_.work);
}

Value Interpreter::visit(const Filtered& node) {
    const Value value = evaluate(*node.value);
    return apply_filter(node.filter.name, value, evaluate(node.filter.arguments), rendering_.work);
}

Value Interpreter::visit(const Tested& node) {
    const Value value = evaluate(*node.value);
    return apply_test(node.test, value, evaluate(node.arguments), rendering_.work);
}

Value Interpreter::visit(const Unary& node) {
    return apply(node.kind, evaluate(*node.value));
}

Value Interpreter::visit(const Binary& node) {
    const Value left = evaluate(*node.left);
    if (node.op == Operator::both) return left.truth() ? evaluate(*node.right) : left;
    if (node.op == Operator::either) return left.truth() ? left : evaluate(*node.right);
    return apply(node.op, left, evaluate(*node.right), rendering_.work);
}

Value Interpreter::visit(const Comparison& node) {
    Value left = evaluate(*node.first);
    for (const auto& [relation, expression] : node.others) {
        Value right = evaluate(*expression);
        if (!holds(relation, left, right, rendering_.work)) return false;
        left = std::move(right);
    }
    return true;
}

Value Interpreter::visit(const Conditional& node) {
    return evaluate(*node.condition).truth() ? evaluate(*node.value) : evaluate_or_nothing(node.otherwise);
}

Value Interpreter::visit(const Call& node) {
    return call(node, evaluate(node.arguments));
}

Value Interpreter::call(const Call& node, Arguments arguments) {
    const Expression& callee = *node.callee;
    Value function;
    if (const auto* method = std::get_if<Attribute>(&callee.node)) {
        const Value object = evaluate(*method->object);
        if (has_methods(object)) return call_method(object, method->name, arguments, rendering_.work);
        function = attribute_of(object, method->name, rendering_.work);
    } else {
        function = evaluate(callee);
    }
    line_ = callee.line;
    if (const auto* macro = function.get_if<std::shared_ptr<const MacroClosure>>()) return call(**macro, arguments);
    if (const auto* builtin = function.get_if<const Builtin*>()) return (*builtin)->call(arguments, rendering_);
    if (function.is_undefined()) fail_undefined(function);
    throw TemplateError("a " + std::string(function.type_name()) + " cannot be called");
}

}  // namespace plumbline::jinja
