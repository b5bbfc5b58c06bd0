#include "core/formats/json_object.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/formats/messages.h"
#include "core/text/utf8_stream.h"

namespace plumbline {
namespace {

using nlohmann::json;

constexpr int deepest = 32;   // of nested JSON; rows have 3

}  // namespace

json object_of(std::string_view line) {
    bool too_deep = false;
    std::string twice;
    std::vector<std::set<std::string>> keys;   // of the objects that are open
    const auto watch = [&](int depth, json::parse_event_t event, json& value) {
        too_deep = too_deep || depth > deepest;
        if (too_deep) return false;
        if (event == json::parse_event_t::object_start) {
            keys.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            keys.pop_back();
        } else if (event == json::parse_event_t::key) {
            const auto& key = value.get_ref<const std::string&>();
            if (!keys.back().insert(key).second) twice = key;
        }
        return true;
    };
    std::string fault;
    try {
        json value = json::parse(line, watch);
        if (!too_deep && twice.empty() && value.is_object()) return value;
    } catch (const json::parse_error& error) {
        fault = " (character " + std::to_string(error.byte) + " cannot be read)";
    } catch (const json::exception&) {
        fault = " (a number is out of range)";
    }
    if (too_deep) fault = " nested at most " + std::to_string(deepest) + " deep";
    if (!twice.empty()) throw RowError("it has the key \"" + twice.substr(0, 40) + "\" twice");
    if (valid_utf8(line) != line) fault = ": it is not UTF-8";
    throw RowError("it is not a JSON object" + fault);
}

}  // namespace plumbline
