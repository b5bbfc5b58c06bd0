#include "core/formats/json_file.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/api/errors.h"
#include "core/formats/byte_reader.h"
#include "core/formats/mapped_file.h"

namespace plumbline {

using nlohmann::json;

json read_json_object(const std::filesystem::path& file, const std::string& operation, std::size_t most_bytes) {
    constexpr int deepest = 64;
    const auto fail = [&](const std::string& what) {
        throw Error(operation, file.string() + ": " + what + "; the file is damaged");
    };
    const MappedFile map(file, operation);
    if (map.bytes().size() > most_bytes) {
        fail("it has " + std::to_string(map.bytes().size()) + " bytes, more than " + std::to_string(most_bytes));
    }
    std::vector<std::set<std::string>> keys;
    const auto check = [&](int depth, json::parse_event_t event, json& parsed) {
        if (depth > deepest) fail("it is nested deeper than " + std::to_string(deepest));
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
            fail("key " + shown(parsed.get<std::string>()) + " stands twice");
        }
        return true;
    };
    const auto* text = reinterpret_cast<const char*>(map.bytes().data());
    json out;
    try {
        out = json::parse(text, text + map.bytes().size(), check);
    } catch (const json::exception& error) {
        fail("it is not valid JSON");
    }
    if (!out.is_object()) fail("it is not a JSON object");
    return out;
}

}  // namespace plumbline
