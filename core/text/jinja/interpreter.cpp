#include "core/text/jinja/interpreter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text/jinja/filters.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

/// Another scope for as long as this lives.
class Inside {
  public:
    Inside(std::shared_ptr<Scope>& current, std::shared_ptr<Scope> parent)
        : current_(current), before_(std::move(current)) {
        current_ = std::make_shared<Scope>();
        current_->parent = std::move(parent);
    }
    ~Inside() { current_ = std::move(before_); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    std::shared_ptr<Scope>& current_;
    std::shared_ptr<Scope> before_;
};

}   // namespace

const Value* Arguments::find(std::size_t place, std::string_view name) const {
    if (place < positional.size()) return &positional[place];
    for (const auto& [own, value] : named) {
        if (own == name) return &value;
    }
    return nullptr;
}

const Value& Arguments::require(std::size_t place, std::string_view name) const {
    const Value* value = find(place, name);
    if (!value) throw TemplateError("the argument '" + std::string(name) + "' is missing");
    return *value;
}

Rendering::~Rendering() {
    for (const auto& space : namespaces) space->attributes.clear();
}

std::shared_ptr<Namespace> Rendering::make_namespace() {
    work.spend(sizeof(Namespace) + Work::step);
    return namespaces.emplace_back(std::make_shared<Namespace>());
}

std::string Interpreter::render(const Body& body, const nlohmann::ordered_json& variables) {
    std::string out;
    scope_ = std::make_shared<Scope>();
    try {
        for (const auto& [name, value] : variables.items()) {
            scope_->variables[name] = Value::from_json(value, rendering_.work);
        }
        run(body, out);
    } catch (const TemplateError& error) {
        throw error.at_line(line_);
    }
    return out;
}

void Interpreter::write(std::string_view text, std::string& out) {
    rendering_.work.spend(text.size());
    out += text;
}

Interpreter::Flow Interpreter::run(const Body& body, std::string& out) {
    const Work::Depth deeper(rendering_.work);
    for (const Statement& statement : body) {
        line_ = statement.line;
        rendering_.work.spend(Work::step);
        Flow flow = Flow::on;
        if (const auto* data = std::get_if<Data>(&statement.node)) {
            write(data->text, out);
        } else if (const auto* output = std::get_if<Output>(&statement.node)) {
            write(to_text(evaluate(*output->value), rendering_.work), out);
        } else if (const auto* set = std::get_if<Set>(&statement.node)) {
            assign(*set->target, evaluate(*set->value));
        } else if (const auto* block = std::get_if<SetBlock>(&statement.node)) {
            assign(*block->target, filtered(text_of(block->body), block->filters));
        } else if (const auto* loop = std::get_if<For>(&statement.node)) {
            flow = run(*loop, out);
        } else if (const auto* choice = std::get_if<If>(&statement.node)) {
            flow = run(*choice, out);
        } else if (const auto* macro = std::get_if<Macro>(&statement.node)) {
            scope_->variables[macro->name] = std::make_shared<const MacroClosure>(MacroClosure{macro, scope_});
        } else if (const auto* caller = std::get_if<CallBlock>(&statement.node)) {
            const auto& called = std::get<Call>(caller->call->node);
            Arguments arguments = evaluate(called.arguments);
            arguments.named.emplace_back("caller",
                                         std::make_shared<const MacroClosure>(MacroClosure{&caller->caller, scope_}));
            write(to_text(call(called, std::move(arguments)), rendering_.work), out);
        } else if (const auto* passed = std::get_if<FilterBlock>(&statement.node)) {
            write(to_text(filtered(text_of(passed->body), passed->filters), rendering_.work), out);
        } else if (const auto* with = std::get_if<With>(&statement.node)) {
            std::vector<Value> values;
            for (const auto& binding : with->bindings) values.push_back(evaluate(*binding.second));
            const Inside inside(scope_, scope_);
            for (std::size_t i = 0; i < values.size(); ++i) assign(*with->bindings[i].first, values[i]);
            flow = run(with->body, out);
        } else if (const auto* scoped = std::get_if<Scoped>(&statement.node)) {
            flow = run_inside(scoped->body, scope_, out);
        } else {
            flow = std::holds_alternative<Break>(statement.node) ? Flow::broken : Flow::continued;
        }
        if (flow != Flow::on) return flow;
    }
    return Flow::on;
}

Interpreter::Flow Interpreter::run_inside(const Body& body, std::shared_ptr<Scope> parent, std::string& out) {
    const Inside inside(scope_, std::move(parent));
    return run(body, out);
}

std::string Interpreter::text_of(const Body& body) {
    std::string out;
    run_inside(body, scope_, out);
    return out;
}

Interpreter::Flow Interpreter::run(const If& choice, std::string& out) {
    for (const auto& [condition, body] : choice.branches) {
        if (evaluate(*condition).truth()) return run(body, out);
    }
    return run(choice.otherwise, out);
}

Interpreter::Flow Interpreter::run(const For& loop, std::string& out) {
    std::vector<Value> items = items_of(evaluate(*loop.iterable), rendering_.work);
    if (loop.condition) {
        std::erase_if(items, [&](const Value& item) {
            const Inside inside(scope_, scope_);
            assign(*loop.target, item);
            return !evaluate(*loop.condition).truth();
        });
    }
    if (items.empty()) return run_inside(loop.otherwise, scope_, out);
    const auto shared = std::make_shared<const std::vector<Value>>(std::move(items));
    for (std::size_t i = 0; i < shared->size(); ++i) {
        rendering_.work.spend(Work::step);
        const Inside inside(scope_, scope_);
        scope_->variables["loop"] = std::make_shared<const Loop>(Loop{shared, i});
        assign(*loop.target, (*shared)[i]);
        if (run(loop.body, out) == Flow::broken) break;
    }
    return Flow::on;
}

void Interpreter::assign(const Expression& target, const Value& value) {
    if (const auto* name = std::get_if<Name>(&target.node)) {
        scope_->variables[name->name] = value;
        return;
    }
    if (const auto* attribute = std::get_if<Attribute>(&target.node)) {
        const Value object = evaluate(*attribute->object);
        const auto* space = object.get_if<std::shared_ptr<Namespace>>();
        if (!space)
            throw TemplateError("only a namespace's attributes can be set, not those of a " +
                                std::string(object.type_name()));
        for (auto& [name, of_name] : (*space)->attributes) {
            rendering_.work.spend(1);
            if (name == attribute->name) {
                of_name = value;
                return;
            }
        }
        (*space)->attributes.emplace_back(attribute->name, value);
        return;
    }
    const Expressions& parts = std::get<SequenceOf>(target.node).items;
    const std::vector<Value> values = items_of(value, rendering_.work);
    if (values.size() != parts.size()) {
        throw TemplateError(std::to_string(values.size()) + " values cannot be set to " + std::to_string(parts.size()) +
                            " names");
    }
    for (std::size_t i = 0; i < parts.size(); ++i) assign(*parts[i], values[i]);
}

Value Interpreter::lookup(const std::string& name) const {
    for (const Scope* scope = scope_.get(); scope; scope = scope->parent.get()) {
        if (const auto there = scope->variables.find(name); there != scope->variables.end()) return there->second;
    }
    if (const Builtin* builtin = find_builtin(name)) return builtin;
    return Undefined{std::make_shared<const std::string>(name)};
}

Value Interpreter::filtered(Value value, const std::vector<FilterUse>& filters) {
    for (const FilterUse& filter : filters) {
        value = apply_filter(filter.name, value, evaluate(filter.arguments), rendering_.work);
    }
    return value;
}

Value Interpreter::call(const MacroClosure& closure, const Arguments& arguments) {
    const Work::Depth deeper(rendering_.work);
    const Macro& macro = *closure.macro;
    std::shared_ptr<Scope> made_in = closure.scope.lock();
    if (!made_in) throw TemplateError("the macro '" + macro.name + "' is called outside the block that it stands in");
    if (arguments.positional.size() > macro.parameters.size()) {
        throw TemplateError("the macro '" + macro.name + "' takes no more than " +
                            std::to_string(macro.parameters.size()) + " arguments");
    }
    const auto is_parameter = [&](const auto& named) {
        return named.first == "caller" || std::any_of(macro.parameters.begin(), macro.parameters.end(),
                                                      [&](const Parameter& one) { return one.name == named.first; });
    };
    const auto unknown = std::find_if_not(arguments.named.begin(), arguments.named.end(), is_parameter);
    if (unknown != arguments.named.end()) {
        throw TemplateError("the macro '" + macro.name + "' has no argument '" + unknown->first + "'");
    }
    const Inside inside(scope_, std::move(made_in));
    for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
        const Parameter& one = macro.parameters[i];
        const Value* given = arguments.find(i, one.name);
        scope_->variables[one.name] = given          ? *given
                                      : one.fallback ? evaluate(*one.fallback)
                                                     : Value(Undefined{std::make_shared<const std::string>(one.name)});
    }
    if (const Value* caller = arguments.find(arguments.positional.size(), "caller"))
        scope_->variables["caller"] = *caller;
    std::string out;
    run(macro.body, out);
    return out;
}

}   // namespace plumbline::jinja
