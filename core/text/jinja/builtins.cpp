// The functions that every chat template has: Jinja's own and those that the transformers library adds.

#include <locale.h>

#include <array>
#include <ctime>

#include "core/text/jinja/interpreter.h"
#include "core/text/jinja/operators.h"

namespace plumbline::jinja {
namespace {

constexpr std::int64_t longest_range = 100000;   // as in Jinja's sandbox

Value range(const Arguments& arguments, Rendering& rendering) {
    const auto& given = arguments.positional;
    if (given.empty() || given.size() > 3) throw TemplateError("range takes one to three numbers");
    const auto number = [&](std::size_t i) { return whole_number(given[i], "an argument of range"); };
    const std::int64_t start = given.size() > 1 ? number(0) : 0, stop = number(given.size() > 1 ? 1 : 0);
    const std::int64_t step = given.size() > 2 ? number(2) : 1;
    if (step == 0) throw TemplateError("range: the step is 0");
    std::vector<Value> out;
    for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
        if (static_cast<std::int64_t>(out.size()) == longest_range) {
            throw TemplateError("range: longer than " + std::to_string(longest_range));
        }
        rendering.work.spend(sizeof(Value));
        out.emplace_back(at);
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    return Value::sequence(std::move(out), SequenceKind::range);
}

std::vector<std::pair<Value, Value>> entries(const Arguments& arguments, Work& work) {
    std::vector<std::pair<Value, Value>> out;
    if (!arguments.positional.empty()) {
        const Value& first = arguments.positional[0];
        work.spend(first.weight());
        if (const Mapping* mapping = first.mapping()) {
            out = mapping->entries;
        } else {
            for (const Value& pair : items_of(first, work)) {
                const std::vector<Value> both = items_of(pair, work);
                if (both.size() != 2) throw TemplateError("a mapping is made of pairs");
                out.emplace_back(both[0], both[1]);
            }
        }
    }
    for (const auto& [name, value] : arguments.named) out.emplace_back(name, value);
    return out;
}

Value make_mapping(const Arguments& arguments, Rendering& rendering) {
    return Value::mapping(entries(arguments, rendering.work), rendering.work);
}

Value make_namespace(const Arguments& arguments, Rendering& rendering) {
    std::shared_ptr<Namespace> out = rendering.make_namespace();
    const Value unique = make_mapping(arguments, rendering);
    for (const auto& [name, value] : unique.mapping()->entries)
        out->attributes.emplace_back(to_text(name, rendering.work), value);
    return out;
}

Value raise_exception(const Arguments& arguments, Rendering& rendering) {
    throw TemplateError("the template says: " +
                        to_text(arguments.require(0, "message"), rendering.work).substr(0, 500));
}

/// Month and day names are English, whatever the program's locale is.
Value strftime_now(const Arguments& arguments, Rendering& rendering) {
    const std::string format = to_text(arguments.require(0, "format"), rendering.work);
    const std::chrono::sys_days day = rendering.today;
    const std::time_t seconds = std::chrono::system_clock::to_time_t(day);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    static const locale_t english = newlocale(LC_ALL_MASK, "C", nullptr);
    std::string out(format.size() * 20 + 100, '\0');
    rendering.work.spend(out.size());
    out.resize(strftime_l(out.data(), out.size(), format.c_str(), &parts, english));
    return out;
}

constexpr std::array<Builtin, 5> builtins = {{{"range", range},
                                              {"dict", make_mapping},
                                              {"namespace", make_namespace},
                                              {"raise_exception", raise_exception},
                                              {"strftime_now", strftime_now}}};

}   // namespace

const Builtin* find_builtin(std::string_view name) {
    for (const Builtin& one : builtins) {
        if (one.name == name) return &one;
    }
    return nullptr;
}

}   // namespace plumbline::jinja
