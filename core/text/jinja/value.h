#pragma once
// The values of a template: Python's, as far as chat templates use them. Immutable, namespaces apart.

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/text/jinja/work.h"

namespace plumbline::jinja {

class Value;
struct Namespace;
struct MacroClosure;   // interpreter.h
struct Builtin;        // builtins.h
struct Loop;           // interpreter.h

using Text = std::shared_ptr<const std::string>;
struct Undefined { Text name; };   // what was asked for in vain
struct None {};

/// Python's list, tuple, and what stands for its lazy kinds: a generator is true even when it is empty.
enum class SequenceKind { list, tuple, range, view, generator };
struct Sequence {
    std::vector<Value> items;
    SequenceKind kind;
    int depth;         // sequences and mappings inside one another
};
struct Mapping {
    std::vector<std::pair<Value, Value>> entries;   // in the order of insertion; keys differ
    int depth;
};

class Value {
  public:
    using Variant =
        std::variant<Undefined, None, bool, std::int64_t, double, Text, std::shared_ptr<const Sequence>,
                     std::shared_ptr<const Mapping>, std::shared_ptr<Namespace>, std::shared_ptr<const MacroClosure>,
                     std::shared_ptr<const Loop>, const Builtin*>;

    Value() = default;   // undefined, without a name
    Value(Undefined v) : v_(std::move(v)) {}
    Value(None v) : v_(v) {}
    Value(bool v) : v_(v) {}
    Value(std::int64_t v) : v_(v) {}
    Value(double v) : v_(v) {}
    Value(std::string v) : v_(std::make_shared<const std::string>(std::move(v))) {}
    Value(std::string_view v) : Value(std::string(v)) {}
    Value(const char* v) : Value(std::string(v)) {}
    Value(std::shared_ptr<Namespace> v) : v_(std::move(v)) {}
    Value(std::shared_ptr<const MacroClosure> v) : v_(std::move(v)) {}
    Value(std::shared_ptr<const Loop> v) : v_(std::move(v)) {}
    Value(const Builtin* v) : v_(v) {}
    /// Both throw TemplateError for values that lie too deep in one another. A key that comes again replaces its value.
    static Value sequence(std::vector<Value> items, SequenceKind kind = SequenceKind::list);
    static Value mapping(std::vector<std::pair<Value, Value>> entries, Work& work);
    static Value from_json(const nlohmann::ordered_json& json, Work& work);

    template <typename T> bool is() const { return std::holds_alternative<T>(v_); }
    template <typename T> const T* get_if() const { return std::get_if<T>(&v_); }
    bool is_undefined() const { return is<Undefined>(); }
    bool is_none() const { return is<None>(); }
    bool is_number() const { return is<bool>() || is<std::int64_t>() || is<double>(); }
    const std::string* text() const { return is<Text>() ? std::get<Text>(v_).get() : nullptr; }
    const Sequence* sequence() const;   // nullptr: of another type; likewise below
    const Mapping* mapping() const;
    /// Of bool and int.
    const std::int64_t* integer(std::int64_t& from_bool) const;
    double number() const;              // of a number
    const Variant& variant() const { return v_; }

    bool truth() const;
    /// As Python names it in its messages: "str", "NoneType".
    std::string_view type_name() const;
    int depth() const;
    /// Bytes or items to look at: what reading it once costs.
    std::size_t weight() const;

  private:
    explicit Value(std::shared_ptr<const Sequence> v) : v_(std::move(v)) {}
    explicit Value(std::shared_ptr<const Mapping> v) : v_(std::move(v)) {}
    Variant v_;
};

struct Namespace { std::vector<std::pair<std::string, Value>> attributes; };

bool equal(const Value& a, const Value& b, Work& work);
/// Below zero, zero, above zero; throws TemplateError for types that have no order.
int compare(const Value& a, const Value& b, Work& work);
const Value* find(const Mapping& mapping, const Value& key, Work& work);   // nullptr: absent

std::string to_text(const Value& value, Work& work);         // as str()
std::string representation(const Value& value, Work& work);  // as repr()
/// As json.dumps with ensure_ascii=False; `indent` below zero: on one line.
std::string to_json(const Value& value, int indent, Work& work);
std::string text_of_number(double number);                   // as repr(float)

/// What a loop over the value sees: items, keys, characters; throws TemplateError for what is no collection.
std::vector<Value> items_of(const Value& value, Work& work);

}  // namespace plumbline::jinja
