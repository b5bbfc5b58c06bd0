#pragma once
// Runs a parsed template.

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "core/text/jinja/syntax.h"
#include "core/text/jinja/value.h"

namespace plumbline::jinja {

/// A call's arguments, evaluated.
struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;

    const Value* find(std::size_t place, std::string_view name) const;   // nullptr: not given
    const Value& require(std::size_t place, std::string_view name) const;
};

struct Scope {
    std::map<std::string, Value, std::less<>> variables;
    std::shared_ptr<Scope> parent;
};
/// A macro and where it was made. Weak: a scope holds its macros.
struct MacroClosure { const Macro* macro; std::weak_ptr<Scope> scope; };
/// The variable `loop`.
struct Loop {
    std::shared_ptr<const std::vector<Value>> items;
    std::size_t index = 0;   // from 0
};

/// What one rendering shares. Not for several threads.
struct Rendering {
    Work work;
    std::chrono::year_month_day today;
    std::vector<std::shared_ptr<Namespace>> namespaces;   // emptied at the end: they may hold one another

    ~Rendering();
    std::shared_ptr<Namespace> make_namespace();
};

/// A function that every template has, such as range.
struct Builtin {
    std::string_view name;
    Value (*call)(const Arguments&, Rendering&);
};
const Builtin* find_builtin(std::string_view name);   // nullptr: none

class Interpreter {
  public:
    explicit Interpreter(std::chrono::year_month_day today) { rendering_.today = today; }

    /// Throws TemplateError with the line.
    std::string render(const Body& body, const nlohmann::ordered_json& variables);

  private:
    enum class Flow { on, broken, continued };
    Flow run(const Body& body, std::string& out);
    Flow run(const For& loop, std::string& out);
    Flow run(const If& choice, std::string& out);
    /// In a scope of its own below `parent`.
    Flow run_inside(const Body& body, std::shared_ptr<Scope> parent, std::string& out);
    void write(std::string_view text, std::string& out);
    std::string text_of(const Body& body);

    void assign(const Expression& target, const Value& value);
    Value lookup(const std::string& name) const;
    Value filtered(Value value, const std::vector<FilterUse>& filters);

    Value evaluate(const Expression& expression);
    Value evaluate_or_nothing(const ExpressionPtr& expression);
    Arguments evaluate(const ArgumentList& list);
    Value visit(const Constant& node) { return node.value; }
    Value visit(const Name& node) { return lookup(node.name); }
    Value visit(const SequenceOf& node);
    Value visit(const MappingOf& node);
    Value visit(const Attribute& node);
    Value visit(const Item& node);
    Value visit(const Slice& node);
    Value visit(const Call& node);
    Value visit(const Filtered& node);
    Value visit(const Tested& node);
    Value visit(const Unary& node);
    Value visit(const Binary& node);
    Value visit(const Comparison& node);
    Value visit(const Conditional& node);
    Value call(const Call& node, Arguments arguments);
    Value call(const MacroClosure& closure, const Arguments& arguments);

    Rendering rendering_;
    std::shared_ptr<Scope> scope_;
    int line_ = 0;   // of what is being run
};

}  // namespace plumbline::jinja
